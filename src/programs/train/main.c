/* drumline-train: trains or evaluates a model on the ranks of an MPI job. */
#include "base/clock.h"
#include "base/hdf5/hdf5.h"
#include "base/io/foreign_file.h"
#include "base/log.h"
#include "base/process.h"
#include "dist/comm.h"
#include "dist/halt.h"
#include "programs/common/blas_threads.h"
#include "programs/common/rank_log.h"
#include "programs/common/rank_options.h"
#include "programs/train/eval_mode.h"
#include "programs/train/export_mode.h"
#include "programs/train/import_mode.h"
#include "programs/train/latents.h"
#include "programs/train/options.h"
#include "programs/train/training.h"

#include <stdlib.h>

static int train(const struct train_options *options, const struct config *config, double started, struct comm *comm,
                 struct error *error)
{
    struct training training;
    if (!training_open(&training, options, config, started, comm, error))
        return EXIT_FAILURE;
    int status = training_run(&training, error);
    if (status == EXIT_FAILURE)
        training_record_failure(&training, error);
    training_close(&training);
    return status;
}

static int run(const struct train_options *options, const struct config *config, double started, struct comm *comm,
               struct error *error)
{
    switch ((enum train_mode)options->mode) {
    case MODE_TRAIN:
        return train(options, config, started, comm, error);
    case MODE_EVAL:
        return eval_mode_run(options, config, comm, error);
    case MODE_LATENTS:
        return latents_mode_run(options, config, comm, error);
    case MODE_EXPORT:
        return export_mode_run(options, config, comm, error);
    case MODE_IMPORT:
        return import_mode_run(options, config, comm, error);
    case MODE_CHECK:
        return training_check(options, config, comm, error) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    return EXIT_FAILURE;
}

static bool check(const void *values, struct error *error)
{
    const struct config *config;
    return train_options_check(values, &config, error);
}

/* Models of other programs are recognised, by rank 0 alone, so that the message says how they are imported. Collective. */
static bool check_models(struct comm *comm, const struct train_options *options, struct error *error)
{
    const char *const models[] = {options->init_checkpoint, options->checkpoint_file};
    bool ok = true;
    for (size_t i = 0; comm_rank(comm) == 0 && i < sizeof models / sizeof *models; i++)
        ok = ok && (!models[i] || foreign_file_check(models[i], error));
    return comm_all_ok(comm, ok, error);
}

/* Evaluation's GEMMs use one thread, whatever the options say: the last bits of a GEMM may depend on how many there are, and a
 * model's metrics must not. Its decoders use them all. A check has no GEMMs, and no need of room for their buffers. */
static bool start_threads(struct comm *comm, const struct train_options *options, struct error *error)
{
    int threads, wanted = options->mode == MODE_EVAL ? 1 : (int)options->threads;
    if (options->mode == MODE_CHECK)
        return true;
    return comm_all_ok(comm, blas_threads_start(&threads, wanted, comm_local_size(comm), error), error);
}

/* A host may have a copy of the data set in a place of its own. */
static const char *const own_options[] = {"examples_path", "threads", NULL};

int main(int argc, char **argv)
{
    struct train_options options = {.program = argc > 0 ? argv[0] : NULL};
    struct error error = {0};
    double started = clock_seconds();
    process_begin();
    blas_threads_begin();
    hdf5_start();
    halt_install();
    struct comm *comm = comm_start(&argc, &argv);
    enum options_result result = rank_options_parse(comm, &train_program, argc, argv, &options, check, own_options);
    int status = options_status(result);
    if (result == OPTIONS_RUN) {
        const struct config *config = options.config ? config_find(options.config, NULL) : NULL;
        if (options.mode != MODE_TRAIN)
            halt_uninstall();
        if (!rank_log_start(comm, options.mode == MODE_CHECK ? NULL : options.log_dir, &train_program, argc, argv,
                            &error) ||
            !check_models(comm, &options, &error) || !start_threads(comm, &options, &error))
            status = EXIT_FAILURE;
        else
            status = run(&options, config, started, comm, &error);
        if (status == EXIT_FAILURE)
            log_job_error("%s", error.message);
        rank_log_end(status);
    }
    comm_finish(comm);
    settings_free(&train_program.table, &options);
    return blas_threads_end(status);
}
