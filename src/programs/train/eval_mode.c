#include "programs/train/eval_mode.h"

#include "base/log.h"
#include "base/text.h"
#include "data/dataset/order.h"
#include "model/optimizer/schedule.h"
#include "programs/common/shared_dataset.h"
#include "programs/train/agreement.h"
#include "programs/train/evaluation.h"
#include "run/metrics.h"
#include "run/run_checkpoint.h"
#include "run/run_folder.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { EVAL_MAX_BATCH = 64 };

/* A model to be, and the description of the checkpoint that it is made of. */
struct loading {
    struct model *model;
    struct checkpoint *checkpoint;
    int max_batch;
};

static bool load_model(void *context, const char *path, struct error *error)
{
    struct loading *loading = context;
    loading->model = run_load_model(loading->checkpoint, path, loading->max_batch, error);
    return loading->model != NULL;
}

/* From --checkpoint_file, else from the run's best or newest checkpoint, at once: a training beside us deletes old ones. */
static bool load_chosen(struct loading *loading, char **path, const struct train_options *options, struct error *error)
{
    struct run_checkpoint_user user = {load_model, loading};
    if (options->checkpoint_file) {
        *path = format_text("%s", options->checkpoint_file);
        return load_model(loading, *path, error);
    }
    if (!run_use_checkpoint(&user, path, options->run_dir, (enum run_checkpoint_choice)options->checkpoint, error))
        return false;
    return *path || error_set(error, "%s holds no checkpoint yet", options->run_dir);
}

/* Rank 0's checkpoint and model. *model is NULL on failure. */
static bool read_model(struct model **model, struct checkpoint *checkpoint, const struct train_options *options,
                       const struct config *config, int max_batch, struct error *error)
{
    char *path = NULL;
    struct loading loading = {NULL, checkpoint, max_batch};
    bool ok = load_chosen(&loading, &path, options, error);
    if (ok && config && strcmp(config->name, checkpoint->config) != 0)
        ok = error_set(error, "%s is of config %s, not %s", path, checkpoint->config, config->name);
    if (!ok) {
        model_free(loading.model);
        loading.model = NULL;
    }
    *model = loading.model;
    free(path);
    return ok;
}

/* Rank 0 reads for all: a training that runs meanwhile may write another checkpoint, and delete this one, at any
 * moment. Collective. */
static bool load(struct model **model, struct checkpoint *checkpoint, const struct train_options *options,
                 const struct config *config, struct comm *comm, struct error *error)
{
    int max_batch = options->micro_batch_size > 0 ? (int)options->micro_batch_size : EVAL_MAX_BATCH;
    *model = NULL;
    bool ok = comm_rank(comm) != 0 || read_model(model, checkpoint, options, config, max_batch, error);
    if (!comm_all_ok(comm, ok, error))
        return false;
    comm_broadcast(comm, checkpoint, sizeof *checkpoint, 0);
    if (comm_rank(comm) != 0)
        *model = model_make(&checkpoint->hparams, max_batch, error);
    if (!comm_all_ok(comm, *model != NULL, error))
        return false;
    comm_broadcast(comm, (*model)->values, (*model)->table.num_floats * sizeof *(*model)->values, 0);
    return true;
}

static bool report(const struct train_options *options, const struct metrics_line *line, struct error *error)
{
    metrics_log(line, 0);
    if (!options->run_dir)
        return true;
    char *folder = run_eval_folder(options->run_dir);
    bool ok = metrics_append(folder, line, error);
    free(folder);
    return ok;
}

int eval_mode_run(const struct train_options *options, const struct config *config, struct comm *comm,
                  struct error *error)
{
    struct evaluation evaluation = {0};
    struct checkpoint checkpoint;
    struct model *model = NULL;
    struct shared_dataset shared = {0};
    struct metrics_line line;
    double sums[METRIC_MAX_SUMS];
    bool ok = load(&model, &checkpoint, options, config, comm, error) &&
              shared_dataset_open(&shared, options->examples_path, comm, error);
    if (ok) {
        ok = evaluation_make(&evaluation, shared.dataset, options->eval_split, &checkpoint.hparams, error) ||
             error_prefix(error, "%s", options->examples_path);
        ok = comm_all_ok(comm, ok, error);
    }
    ok = ok && agreement_same_dataset(comm, shared.dataset, options->examples_path, error);
    if (ok) {
        log_info("%s at step %" PRIu64 " on %zu windows of the %s split", checkpoint.config, checkpoint.step,
                 evaluation.windows.count, options->eval_split);
        if (evaluation.windows.num_silent > 0)
            log_info("%zu windows without a hit skipped", evaluation.windows.num_silent);
        evaluation_run(&evaluation, model, comm, checkpoint.seed, NULL, sums);
        evaluation_line(&line, &evaluation, model, sums, checkpoint.step,
                        schedule_beta(&checkpoint.hparams, checkpoint.step));
        ok = comm_all_ok(comm, comm_rank(comm) != 0 || report(options, &line, error), error);
    }
    evaluation_free(&evaluation);
    shared_dataset_close(&shared);
    model_free(model);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
