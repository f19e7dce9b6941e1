#include "run/run_checkpoint.h"

#include "model/optimizer/optimizer.h"
#include "run/run_folder.h"

#include <stdlib.h>

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
    error_set(
        error,
        "%s: is a model without optimizer state, from which no training can resume; move it elsewhere, or start a "
        "new run from its weights with --init_checkpoint",
        *path);
    free(*path);
    *path = NULL;
    return false;
}

struct model *run_load_model(struct checkpoint *checkpoint, const char *checkpoint_path, int max_batch,
                             struct error *error)
{
    if (!checkpoint_read(checkpoint, checkpoint_path, error))
        return NULL;
    struct model *model = model_make(&checkpoint->hparams, max_batch, error);
    if (!model) {
        error_prefix(error, "%s", checkpoint_path);
        return NULL;
    }
    const struct tensor_group weights = {CHECKPOINT_WEIGHTS, model->values};
    if (!checkpoint_read_groups(checkpoint_path, &model->table, &weights, 1, error)) {
        model_free(model);
        return NULL;
    }
    return model;
}
