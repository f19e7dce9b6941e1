/* drumline-train: trains or evaluates a model on the ranks of an MPI job. */
#include "base/log.h"
#include "dist/comm.h"
#include "dist/halt.h"
#include "programs/eval_mode.h"
#include "programs/threads.h"
#include "programs/train_options.h"
#include "programs/training.h"

#include <stdlib.h>

static int train(const struct train_options *options, const struct config *config, struct comm *comm,
                 struct error *error)
{
    struct training training;
    if (!training_open(&training, options, config, comm, error))
        return EXIT_FAILURE;
    int status = training_run(&training, error);
    training_close(&training);
    return status;
}

int main(int argc, char **argv)
{
    struct train_options options = {0};
    const struct config *config = NULL;
    struct error error = {0};
    halt_install();
    struct comm *comm = comm_start(&argc, &argv);
    int status = EXIT_SUCCESS;
    enum options_result result = options_parse(&train_program, argc, argv, &options, NULL, NULL, &error);
    if (result == OPTIONS_RUN && !train_options_check(&options, &config, &error))
        result = OPTIONS_WRONG;
    if (result == OPTIONS_WRONG) {
        status = EXIT_USAGE;
    } else if (result == OPTIONS_RUN) {
        threads_start((int)options.threads, comm_local_size(comm));
        status = options.mode == MODE_TRAIN ? train(&options, config, comm, &error)
                                            : eval_mode_run(&options, config, comm, &error);
    }
    if ((status == EXIT_USAGE || status == EXIT_FAILURE) && comm_rank(comm) == 0)
        log_error("%s", error.message);
    comm_finish(comm);
    settings_free(&train_program.table, &options);
    return status;
}
