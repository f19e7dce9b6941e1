/* What follows the last step of a training: the latents of its best model. */
#include "base/clock.h"
#include "base/io/files.h"
#include "base/log.h"
#include "dist/halt.h"
#include "programs/train/halting.h"
#include "programs/train/latents.h"
#include "programs/train/training.h"
#include "run/run_folder.h"

#include <stdlib.h>

static bool best_has_latents(const char *path)
{
    struct checkpoint checkpoint;
    struct error error;
    struct checkpoint_reader *reader = checkpoint_open(&checkpoint, path, &error);
    bool has = reader && checkpoint_has(reader, CHECKPOINT_LATENTS);
    checkpoint_close(reader);
    return has;
}

/* Of rank 0: whether there would be no time left to write the file again. */
static bool time_is_up(const struct training *training)
{
    struct deadline_costs costs = {.write = checkpoint_writer_longest_seconds(training->writer)};
    return deadline_is_near(&training->deadline, &costs, clock_seconds());
}

/* By several threads at once. */
static bool must_stop(void *context)
{
    const struct training *training = context;
    return halt_requested() != 0 || (comm_rank(training->comm) == 0 && time_is_up(training));
}

static const char *fit(struct training *training, const char *path)
{
    struct comm *comm = training->comm;
    const bool is_first = comm_rank(comm) == 0;
    const struct latents_work work = {
        .dataset = training->shared_dataset.dataset,
        .threads = (int)training->options->threads,
        .watchdog = training->watchdog,
        .must_stop = must_stop,
        .context = training,
    };
    double votes[NUM_HALTING_VOTES];
    struct error error;
    if (is_first)
        halt_answer(train_program.name, "before latent densities are fitted", 0);
    bool is_fitted = latents_store(path, &work, &training->lock, comm, &error);
    halt_answer(NULL, "", 0);
    if (is_fitted)
        return NULL;
    halting_vote(votes, is_first && time_is_up(training));
    comm_sum_doubles(comm, votes, NUM_HALTING_VOTES);
    const char *reason = halting_reason(votes, &training->deadline);
    if (!reason)
        log_job_warning("no latent densities for %s: %s", path, error.message);
    return reason;
}

const char *training_fit_latents(struct training *training)
{
    if (!training->options->fit_latents)
        return NULL;
    if (training->state.hparams.z_size > LATENTS_FITTED_AT_END) {
        log_info("latent densities of more than %d numbers are left to --mode=latents", LATENTS_FITTED_AT_END);
        return NULL;
    }
    char *path = path_join(training->folder, RUN_BEST_NAME);
    double is_due = comm_rank(training->comm) == 0 && file_exists(path) && !best_has_latents(path);
    comm_sum_doubles(training->comm, &is_due, 1);
    const char *reason = is_due > 0 ? fit(training, path) : NULL;
    free(path);
    return reason;
}
