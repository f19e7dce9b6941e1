/* drumline-bench: measures training, gradient allreduce, scaling, generation and preprocessing. */
#include "base/hdf5/hdf5.h"
#include "base/log.h"
#include "base/process.h"
#include "programs/bench/bench.h"
#include "programs/common/blas_threads.h"
#include "programs/common/rank_log.h"
#include "programs/common/rank_options.h"

#include <stdlib.h>

static bool check(const void *values, struct error *error)
{
    struct hparams hparams;
    return bench_options_check(values, &hparams, error);
}

static bool start_threads(struct comm *comm, int *threads, int wanted, struct error *error)
{
    return comm_all_ok(comm, blas_threads_start(threads, wanted, comm_local_size(comm), error), error);
}

/* The hosts of a job may have different numbers of cores. */
static const char *const own_options[] = {"threads", NULL};

int main(int argc, char **argv)
{
    struct bench_options options = {0};
    struct hparams hparams;
    struct error error = {.message = ""};
    process_begin();
    blas_threads_begin();
    hdf5_start();
    struct comm *comm = comm_start(&argc, &argv);
    int threads = 1;
    char *mode = bench_options_take_mode(argc, argv);
    enum options_result result = rank_options_parse(comm, &bench_program, argc, argv, &options, check, own_options);
    int status = options_status(result);
    if (result == OPTIONS_RUN) {
        bool ok = rank_log_start(comm, options.log_dir, &bench_program, argc, argv, &error) &&
                  bench_options_check(&options, &hparams, &error) &&
                  start_threads(comm, &threads, (int)options.threads, &error) &&
                  bench_run(&options, &hparams, threads, comm, &error);
        if (!ok) {
            log_job_error("%s", error.message);
            status = EXIT_FAILURE;
        }
        rank_log_end(status);
    }
    comm_finish(comm);
    settings_free(&bench_program.table, &options);
    free(mode);
    return blas_threads_end(status);
}
