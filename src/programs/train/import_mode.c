#include "programs/train/import_mode.h"

#include "base/clock.h"
#include "base/io/atomic_file.h"
#include "base/io/files.h"
#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "exchange/encoding.h"
#include "exchange/foreign_reader.h"
#include "exchange/model_import.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A model that says where it is from keeps it. */
static void describe(struct checkpoint *checkpoint, const struct train_options *options, const char *origin)
{
    if (options->licence)
        snprintf(checkpoint->licence, sizeof checkpoint->licence, "%s", options->licence);
    if (options->attribution)
        snprintf(checkpoint->attribution, sizeof checkpoint->attribution, "%s", options->attribution);
    if (checkpoint->recipe[0] == '\0')
        snprintf(checkpoint->recipe, sizeof checkpoint->recipe, "imported from %.300s (%s)",
                 *path_name(options->input_file) != '\0' ? path_name(options->input_file) : options->input_file,
                 origin);
    if (checkpoint->num_ranks == 0)
        checkpoint->num_ranks = 1;
    snprintf(checkpoint->program_version, sizeof checkpoint->program_version, "%s", drumline_version());
    date_now(checkpoint->date);
}

/* Without --overwrite a file that is there stays, also one that came to be there only now. */
static bool write_model(const struct model_import *import, const struct train_options *options, struct error *error)
{
    struct atomic_file file;
    const struct tensor_group weights = {CHECKPOINT_WEIGHTS, import->values};
    const struct checkpoint_content content = {&import->table, &weights, 1,
                                               options->dtype == EXCHANGE_F16 ? CHECKPOINT_FLOAT16 : CHECKPOINT_FLOAT32,
                                               import->latents.counts.size > 0 ? &import->latents : NULL};
    if (!atomic_file_start(&file, options->output_file, error))
        return false;
    if (checkpoint_write(&file, &import->checkpoint, &content, error))
        return options->overwrite ? atomic_file_commit(&file, error) : atomic_file_commit_new(&file, error);
    atomic_file_abandon(&file);
    return false;
}

static void report(const struct model_import *import, const struct train_options *options, const char *origin)
{
    const struct checkpoint *checkpoint = &import->checkpoint;
    if (import->left[0] != '\0')
        log_info("%s: skipped what belongs to its training, not to a model: %s", options->input_file, import->left);
    if (import->is_guessed)
        log_info(
            "config %s, as only that has such tensors; where it was trained as another, give --config and --hparams",
            checkpoint->config);
    log_info("wrote %s: %s at step %" PRIu64 ", %zu parameters from %s (%s)%s", options->output_file,
             checkpoint->config, checkpoint->step, import->table.num_values, options->input_file, origin,
             import->latents.counts.size > 0 ? ", with a latent density" : "");
}

static bool import_model(const struct train_options *options, const struct config *config, struct error *error)
{
    struct foreign_tensors tensors;
    struct model_import import;
    if (!options->overwrite && file_exists(options->output_file))
        return error_set(error, "%s: is there already: give --overwrite to replace it", options->output_file);
    if (!foreign_read(&tensors, options->input_file, error))
        return false;
    char *origin = format_text("%s%s%s", tensors.format, tensors.name[0] != '\0' ? ", " : "", tensors.name);
    bool ok = model_import_make(&import, &tensors, config, options->hparams, error) ||
              error_prefix(error, "%s", options->input_file);
    foreign_tensors_free(&tensors);
    if (ok) {
        describe(&import.checkpoint, options, origin);
        ok = write_model(&import, options, error);
        if (ok)
            report(&import, options, origin);
        model_import_free(&import);
    }
    free(origin);
    return ok;
}

int import_mode_run(const struct train_options *options, const struct config *config, struct comm *comm,
                    struct error *error)
{
    bool ok = comm_rank(comm) != 0 || import_model(options, config, error);
    return comm_all_ok(comm, ok, error) ? EXIT_SUCCESS : EXIT_FAILURE;
}
