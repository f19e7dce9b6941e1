#include "run/run_checkpoint.h"

#include "model/vae/parameters.h"
#include "run/run_folder.h"

/* Description and all tensors, which are thrown away: the only proof that a checkpoint can be used. */
static bool verify(void *context, const char *path, struct error *error)
{
    struct checkpoint *checkpoint = context;
    struct tensor_table table;
    struct optimizer optimizer = {0};
    struct arena arena = arena_measure();
    bool ok = checkpoint_read(checkpoint, path, error) && parameters_describe(&table, &checkpoint->hparams, error);
    if (!ok)
        return false;
    arena_floats(&arena, table.num_floats);
    ok = arena_reserve(&arena, error) && optimizer_make(&optimizer, &table, error) &&
         checkpoint_read_tensors(path, &table, arena_floats(&arena, table.num_floats), optimizer.m, optimizer.v, error);
    optimizer_free(&optimizer);
    arena_free(&arena);
    return ok;
}

bool run_newest_checkpoint(struct checkpoint *checkpoint, char **path, const char *run_dir, struct error *error)
{
    struct run_checkpoint_user user = {verify, checkpoint};
    return run_use_newest_checkpoint(&user, path, run_dir, error);
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
    if (!checkpoint_read_tensors(checkpoint_path, &model->table, model->values, NULL, NULL, error)) {
        model_free(model);
        return NULL;
    }
    return model;
}
