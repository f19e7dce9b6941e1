#include "run/run_model.h"

#include "base/arena.h"
#include "base/io/files.h"
#include "base/text.h"
#include "model/vae/parameters.h"
#include "run/model_files.h"
#include "run/run_folder.h"

#include <stdlib.h>
#include <string.h>

struct loading {
    struct run_model *model;
    bool encodes;
};

/* The weights of an open checkpoint, packed. */
static bool pack(struct run_model *model, bool encodes, struct checkpoint_reader *reader, const char *path,
                 struct error *error)
{
    const struct hparams *hparams = &model->checkpoint.hparams;
    struct tensor_table table;
    struct arena arena = arena_measure();
    if (!parameters_describe(&table, hparams, error))
        return error_prefix(error, "%s", path);
    int num_tensors = inference_decoder_num_tensors(&table, encodes);
    size_t num_floats = num_tensors < table.num_rows ? table.rows[num_tensors].offset : table.num_floats;
    arena_floats(&arena, num_floats);
    if (!arena_reserve(&arena, error))
        return error_prefix(error, "%s", path);
    const struct tensor_group weights = {checkpoint_best_weights(reader), arena_floats(&arena, num_floats)};
    if (checkpoint_read_group(reader, &table, num_tensors, &weights, error)) {
        model->decoder = inference_decoder_make(hparams, &table, weights.values, encodes, error);
        if (!model->decoder)
            error_prefix(error, "%s", path);
    }
    arena_free(&arena);
    return model->decoder != NULL;
}

/* What was read of a file. */
static void forget(struct run_model *model)
{
    inference_decoder_free(model->decoder);
    latents_free(&model->latents);
    free(model->residual_sd);
    model->decoder = NULL;
    model->residual_sd = NULL;
}

static bool read_residuals(struct run_model *model, const struct checkpoint_reader *reader, struct error *error)
{
    bool found;
    model->residual_sd =
        calloc((size_t)hparams_representation(&model->checkpoint.hparams)->depth, sizeof *model->residual_sd);
    if (!model->residual_sd)
        return error_set_no_memory(error, "out of memory");
    if (!checkpoint_read_residuals(reader, model->residual_sd, &found, error))
        return false;
    if (!found) {
        free(model->residual_sd);
        model->residual_sd = NULL;
    }
    return true;
}

static bool load_file(void *context, const char *path, struct error *error)
{
    struct loading *loading = context;
    struct run_model *model = loading->model;
    struct checkpoint_reader *reader = checkpoint_open(&model->checkpoint, path, error);
    if (!reader)
        return false;
    bool ok = pack(model, loading->encodes, reader, path, error) &&
              checkpoint_read_latents(reader, &model->latents, error) && read_residuals(model, reader, error);
    if (ok)
        run_warn_unsealed(&model->checkpoint, path);
    else
        forget(model);
    checkpoint_close(reader);
    return ok;
}

static bool check_run_folder(const char *path, struct error *error)
{
    if (folder_check(path, error))
        return true;
    if (file_exists(path))
        return error_set(error, "--run_dir: %s: is a file, not a folder; a checkpoint is given as --checkpoint_file",
                         path);
    return error_prefix(error, "--run_dir");
}

static bool load_run(struct loading *loading, const struct run_model_source *source, struct error *error)
{
    struct run_checkpoint_user user = {load_file, loading};
    if (!check_run_folder(source->run_dir, error) ||
        !run_use_checkpoint(&user, &loading->model->path, source->run_dir, source->checkpoint, error))
        return false;
    return loading->model->decoder || run_refuse_without_checkpoint(source->run_dir, error);
}

bool run_model_load(struct run_model *model, const struct run_model_source *source, bool encodes, struct error *error)
{
    struct loading loading = {model, encodes};
    bool ok;
    memset(model, 0, sizeof *model);
    if (source->checkpoint_file || !source->run_dir) {
        model->path = source->checkpoint_file
                          ? format_text("%s", source->checkpoint_file)
                          : model_files_find(source->config, source->models_dir, source->program, error);
        ok = model->path && load_file(&loading, model->path, error);
    } else {
        ok = load_run(&loading, source, error);
    }
    if (!ok)
        run_model_free(model);
    return ok;
}

void run_model_free(struct run_model *model)
{
    forget(model);
    free(model->path);
    memset(model, 0, sizeof *model);
}
