#include "run/run_checkpoint.h"

#include "base/io/files.h"
#include "base/text.h"
#include "model/optimizer/optimizer.h"
#include "run/run_folder.h"

#include <stdlib.h>
#include <string.h>

/* Who looks for a checkpoint to resume from. */
struct resuming {
    struct checkpoint *checkpoint;
    bool has_optimizer; /* of the one that was chosen */
};

/* Description and all tensors, which are not kept: the only proof that a checkpoint can be used. */
static bool verify(void *context, const char *path, struct error *error)
{
    static const char *const moments[] = {OPTIMIZER_FIRST_MOMENTS, OPTIMIZER_SECOND_MOMENTS};
    struct resuming *resuming = context;
    struct checkpoint_reader *reader = checkpoint_open(resuming->checkpoint, path, error);
    bool ok = reader && checkpoint_verify(reader, CHECKPOINT_WEIGHTS, error);
    resuming->has_optimizer = ok && checkpoint_has(reader, "optimizer");
    for (size_t i = 0; ok && resuming->has_optimizer && i < sizeof moments / sizeof *moments; i++)
        ok = checkpoint_verify(reader, moments[i], error);
    if (ok && checkpoint_has(reader, CHECKPOINT_AVERAGED_WEIGHTS))
        ok = checkpoint_verify(reader, CHECKPOINT_AVERAGED_WEIGHTS, error);
    checkpoint_close(reader);
    return ok;
}

bool run_newest_checkpoint(struct checkpoint *checkpoint, char **path, const char *run_dir, struct error *error)
{
    struct resuming resuming = {.checkpoint = checkpoint};
    struct run_checkpoint_user user = {verify, &resuming};
    if (!run_use_newest_checkpoint(&user, path, run_dir, error))
        return false;
    if (!*path || resuming.has_optimizer)
        return true;
    error_set(error,
              "%s: is a model without optimizer state, so training can't resume from it; move it elsewhere, or start a "
              "new run from its weights with --init_checkpoint",
              *path);
    free(*path);
    *path = NULL;
    return false;
}

bool run_read_state(const char *path, const struct tensor_table *table, const struct tensor_group *groups,
                    size_t num_groups, struct error *error)
{
    struct checkpoint checkpoint;
    struct checkpoint_reader *reader = checkpoint_open(&checkpoint, path, error);
    bool ok = reader != NULL;
    for (size_t i = 0; ok && i < num_groups; i++) {
        bool averaged = strcmp(groups[i].name, CHECKPOINT_AVERAGED_WEIGHTS) == 0;
        if (averaged && !checkpoint_has(reader, groups[i].name))
            memcpy(groups[i].values, groups[0].values, table->num_floats * sizeof(float));
        else
            ok = checkpoint_read_group(reader, table, table->num_rows, &groups[i], error);
    }
    checkpoint_close(reader);
    return ok;
}

/* The best weights of an open checkpoint into values. */
static bool read_weights(float *values, const struct tensor_table *table, const struct checkpoint *checkpoint,
                         struct checkpoint_reader *reader, const char *path, struct error *error)
{
    const struct tensor_group weights = {checkpoint_best_weights(reader), values};
    if (!checkpoint_read_group(reader, table, table->num_rows, &weights, error))
        return false;
    run_warn_unsealed(checkpoint, path);
    return true;
}

struct model *run_load_model(struct checkpoint *checkpoint, const char *checkpoint_path, int max_batch,
                             struct error *error)
{
    struct model *model = NULL;
    struct checkpoint_reader *reader = checkpoint_open(checkpoint, checkpoint_path, error);
    if (!reader)
        return NULL;
    model = model_make(&checkpoint->hparams, max_batch, error);
    if (!model) {
        error_prefix(error, "%s", checkpoint_path);
    } else if (!read_weights(model->values, &model->table, checkpoint, reader, checkpoint_path, error)) {
        model_free(model);
        model = NULL;
    }
    checkpoint_close(reader);
    return model;
}

/* A model whose weights are another checkpoint's. */
struct initializing {
    const struct hparams *hparams; /* the model's */
    struct model *model;           /* NULL: the weights are only verified */
    struct checkpoint *checkpoint;
    bool is_other; /* the checkpoint is valid, but of another model: */
    struct error other;
};

/* A checkpoint of another model is used as far as that is found, for the older ones of a run are of that model too. */
static bool initialize(void *context, const char *path, struct error *error)
{
    struct initializing *initializing = context;
    struct checkpoint *checkpoint = initializing->checkpoint;
    struct model *model = initializing->model;
    struct checkpoint_reader *reader = checkpoint_open(checkpoint, path, error);
    if (!reader)
        return false;
    bool ok = true;
    initializing->is_other = !hparams_same_model(&checkpoint->hparams, initializing->hparams, &initializing->other);
    if (initializing->is_other)
        error_prefix(&initializing->other, "%s is of another model (first value: the checkpoint's)", path);
    else if (model)
        ok = read_weights(model->values, &model->table, checkpoint, reader, path, error);
    else
        ok = checkpoint_verify(reader, checkpoint_best_weights(reader), error);
    checkpoint_close(reader);
    return ok;
}

/* Uses a file, or a run's latest valid checkpoint; *path is that one's. */
static bool use_initial(struct initializing *initializing, char **path, const char *file_or_run, struct error *error)
{
    struct run_checkpoint_user user = {initialize, initializing};
    struct error unused;
    *path = NULL;
    if (!folder_check(file_or_run, &unused)) {
        if (!initialize(initializing, file_or_run, error))
            return false;
        *path = format_text("%s", file_or_run);
    } else if (!run_use_newest_checkpoint(&user, path, file_or_run, error)) {
        return false;
    }
    if (!*path)
        return error_set(error, "%s: has no checkpoint in train/ to start from", file_or_run);
    if (!initializing->is_other)
        return true;
    free(*path);
    *path = NULL;
    *error = initializing->other;
    return false;
}

bool run_initialize_model(struct model *model, struct checkpoint *checkpoint, char **path, const char *file_or_run,
                          struct error *error)
{
    struct initializing initializing = {.hparams = &model->hparams, .model = model, .checkpoint = checkpoint};
    return use_initial(&initializing, path, file_or_run, error);
}

bool run_check_initial(const struct hparams *hparams, const char *file_or_run, struct error *error)
{
    struct checkpoint checkpoint;
    struct initializing initializing = {.hparams = hparams, .checkpoint = &checkpoint};
    char *path;
    bool ok = use_initial(&initializing, &path, file_or_run, error);
    free(path);
    return ok;
}
