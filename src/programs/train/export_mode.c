#include "programs/train/export_mode.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/io/atomic_file.h"
#include "base/io/files.h"
#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "data/midi/drum_map.h"
#include "exchange/magenta_js_writer.h"
#include "exchange/safetensors_writer.h"
#include "model/checkpoint.h"
#include "model/vae/parameters.h"
#include "programs/common/shared_dataset.h"
#include "programs/train/agreement.h"
#include "programs/train/latents.h"
#include "run/run_folder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct exporting {
    struct checkpoint checkpoint;
    struct tensor_table table;
    struct arena arena;
    struct tensor_group weights; /* in the arena */
    bool averaged;
    struct latents latents; /* empty: none */
};

static bool read_model(void *context, const char *path, struct error *error)
{
    struct exporting *exporting = context;
    struct checkpoint_reader *reader = checkpoint_open(&exporting->checkpoint, path, error);
    if (!reader)
        return false;
    bool ok = parameters_describe(&exporting->table, &exporting->checkpoint.hparams, error) ||
              error_prefix(error, "%s", path);
    if (ok) {
        exporting->arena = arena_measure();
        arena_floats(&exporting->arena, exporting->table.num_floats);
        ok = arena_reserve(&exporting->arena, error) || error_prefix(error, "%s", path);
    }
    if (ok) {
        const char *group = checkpoint_best_weights(reader);
        exporting->averaged = strcmp(group, CHECKPOINT_WEIGHTS) != 0;
        exporting->weights = (struct tensor_group){group, arena_floats(&exporting->arena, exporting->table.num_floats)};
        ok = checkpoint_read_group(reader, &exporting->table, exporting->table.num_rows, &exporting->weights, error) &&
             checkpoint_read_latents(reader, &exporting->latents, error);
    }
    if (ok)
        run_warn_unsealed(&exporting->checkpoint, path);
    else
        arena_free(&exporting->arena);
    checkpoint_close(reader);
    return ok;
}

static bool read_chosen(struct exporting *exporting, char **path, const struct train_options *options,
                        struct error *error)
{
    struct run_checkpoint_user user = {read_model, exporting};
    if (options->checkpoint_file) {
        *path = format_text("%s", options->checkpoint_file);
        return read_model(exporting, *path, error);
    }
    if (!run_use_checkpoint(&user, path, options->run_dir, (enum run_checkpoint_choice)options->checkpoint, error))
        return false;
    return *path || run_refuse_without_checkpoint(options->run_dir, error);
}

/* " --hparams=a=1,b=2" of those that are not the config's own; the caller's. */
static char *changed_hparams(const struct checkpoint *checkpoint)
{
    struct hparams usual = {0};
    struct error error;
    const struct config *config = config_find(checkpoint->config, NULL);
    char *text = format_text("%s", "");
    settings_default(&hparams_table, &usual);
    if (config && !hparams_make(&usual, config, NULL, &error))
        return text;
    for (size_t i = 0; i < hparams_table.count; i++) {
        char here[SETTING_TEXT_MAX], there[SETTING_TEXT_MAX];
        const struct setting *row = &hparams_table.rows[i];
        if (strcmp(setting_format(row, &checkpoint->hparams, here), setting_format(row, &usual, there)) == 0)
            continue;
        char *longer = format_text("%s%s%s=%s", text, *text ? "," : " --hparams=", row->name, here);
        free(text);
        text = longer;
    }
    return text;
}

/* The command that trains such a model, but for the data set. A model that is exported again keeps what it says. */
static void describe_recipe(struct checkpoint *checkpoint)
{
    if (checkpoint->recipe[0] != '\0')
        return;
    char *hparams = changed_hparams(checkpoint);
    snprintf(checkpoint->recipe, sizeof checkpoint->recipe,
             "drumline-train --config=%s --num_steps=%" PRIu64 " --seed=%" PRIu64 "%s", checkpoint->config,
             checkpoint->step, checkpoint->seed, hparams);
    free(hparams);
}

static void describe(struct checkpoint *checkpoint, const struct train_options *options)
{
    if (options->licence)
        snprintf(checkpoint->licence, sizeof checkpoint->licence, "%s", options->licence);
    if (options->attribution)
        snprintf(checkpoint->attribution, sizeof checkpoint->attribution, "%s", options->attribution);
    describe_recipe(checkpoint);
    snprintf(checkpoint->program_version, sizeof checkpoint->program_version, "%s", drumline_version());
    date_now(checkpoint->date);
}

static bool write_content(struct atomic_file *file, const struct exporting *exporting,
                          const struct train_options *options, struct error *error)
{
    const struct latents *latents = exporting->latents.counts.size > 0 ? &exporting->latents : NULL;
    if (options->format == FORMAT_SAFETENSORS) {
        const struct exchange_model model = {&exporting->checkpoint, &exporting->table, exporting->weights.values,
                                             latents};
        return safetensors_write(file, &model, (enum exchange_dtype)options->dtype, error);
    }
    const struct tensor_group weights = {CHECKPOINT_WEIGHTS, exporting->weights.values};
    const struct checkpoint_content content = {&exporting->table, &weights, 1,
                                               options->dtype == EXCHANGE_F16 ? CHECKPOINT_FLOAT16 : CHECKPOINT_FLOAT32,
                                               latents};
    return checkpoint_write(file, &exporting->checkpoint, &content, error);
}

/* Without --overwrite a file that is there stays, also one that came to be there only now. */
static bool write_file(const struct exporting *exporting, const struct train_options *options, struct error *error)
{
    struct atomic_file file;
    if (!options->overwrite && file_exists(options->output_file))
        return error_set(error, "%s: is there already: give --overwrite to replace it", options->output_file);
    char *folder = path_folder(options->output_file);
    atomic_file_sweep_shared(folder);
    free(folder);
    if (!atomic_file_start(&file, options->output_file, error))
        return false;
    if (write_content(&file, exporting, options, error))
        return options->overwrite ? atomic_file_commit(&file, error) : atomic_file_commit_new(&file, error);
    atomic_file_abandon(&file);
    return false;
}

static bool write_folder(const struct exporting *exporting, const struct train_options *options, struct error *error)
{
    const struct exchange_model model = {&exporting->checkpoint, &exporting->table, exporting->weights.values,
                                         exporting->latents.counts.size > 0 ? &exporting->latents : NULL};
    struct drum_map map;
    drum_map_builtin(&map, "general");
    const struct magenta_js_pitches pitches = {map.classes, map.written};
    bool empty;
    if (!magenta_js_check(&exporting->checkpoint.hparams, error))
        return error_prefix(error, "--format=magenta_js");
    if (!options->overwrite &&
        (!folder_is_empty(&empty, options->output_dir, error) ||
         (!empty && !error_set(error, "%s: is not empty: give --overwrite to replace what an export wrote there",
                               options->output_dir))))
        return false;
    if (!magenta_js_write(options->output_dir, &model, &pitches, (enum exchange_dtype)options->dtype, error))
        return false;
    char *preparation = magenta_js_preparation(&exporting->checkpoint.hparams);
    if (preparation)
        log_warning("before encoding an input with this model, %s: Magenta.js does not", preparation);
    free(preparation);
    return true;
}

/* Rank 0's. */
static bool read_for_export(struct exporting *exporting, const struct train_options *options,
                            const struct config *config, struct error *error)
{
    char *path = NULL;
    bool ok = read_chosen(exporting, &path, options, error);
    if (ok && config && strcmp(config->name, exporting->checkpoint.config) != 0)
        ok = error_set(error, "%s is of config %s, not %s", path, exporting->checkpoint.config, config->name);
    free(path);
    return ok;
}

/* In place of what the checkpoint has. Collective. */
static bool fit_latents(struct exporting *exporting, const struct train_options *options, struct comm *comm,
                        struct error *error)
{
    struct shared_dataset shared = {0};
    struct latents fitted = {0};
    bool ok = shared_dataset_open(&shared, options->examples_path, comm, error);
    if (ok) {
        const struct latents_work work = {
            .hparams = &exporting->checkpoint.hparams,
            .values = exporting->weights.values,
            .dataset = shared.dataset,
            .threads = (int)options->threads,
        };
        ok = agreement_same_dataset(comm, shared.dataset, options->examples_path, error) &&
             (latents_fit_dataset(&fitted, &work, comm, error) || error_prefix(error, "%s", options->examples_path));
    }
    shared_dataset_close(&shared);
    if (!ok)
        return false;
    latents_free(&exporting->latents);
    exporting->latents = fitted;
    return true;
}

static bool write_described(struct exporting *exporting, const struct train_options *options, struct error *error)
{
    describe(&exporting->checkpoint, options);
    if (options->format == FORMAT_MAGENTA_JS ? !write_folder(exporting, options, error)
                                             : !write_file(exporting, options, error))
        return false;
    log_info("wrote %s: %s at step %" PRIu64 ", %zu parameters%s as %s%s",
             options->output_dir ? options->output_dir : options->output_file, exporting->checkpoint.config,
             exporting->checkpoint.step, exporting->table.num_values, exporting->averaged ? " (averaged)" : "",
             options->dtype == EXCHANGE_U8    ? "bytes"
             : options->dtype == EXCHANGE_F16 ? "16-bit floats"
                                              : "32-bit floats",
             exporting->latents.counts.size > 0 ? ", with a latent density" : "");
    return true;
}

int export_mode_run(const struct train_options *options, const struct config *config, struct comm *comm,
                    struct error *error)
{
    const bool is_first = comm_rank(comm) == 0;
    struct exporting exporting = {0};
    bool ok = comm_all_ok(comm, !is_first || read_for_export(&exporting, options, config, error), error);
    if (ok && options->examples_path)
        ok = fit_latents(&exporting, options, comm, error);
    ok = ok && comm_all_ok(comm, !is_first || write_described(&exporting, options, error), error);
    latents_free(&exporting.latents);
    arena_free(&exporting.arena);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
