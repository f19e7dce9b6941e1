/* Times training steps: drumline-train's own step on synthetic windows, without a data set, checkpoints or a log. */
#ifndef DRUMLINE_PROGRAMS_BENCH_TRAINING_H
#define DRUMLINE_PROGRAMS_BENCH_TRAINING_H

#include "dist/comm.h"
#include "model/optimizer/optimizer.h"
#include "programs/bench/options.h"
#include "programs/bench/windows.h"
#include "programs/train/step.h"

/* When the last micro-batch's gradients were reported, in the last step that was timed. */
struct bench_reports {
    int count;
    size_t ends[TENSORS_MAX_ROWS];       /* gradients[0..end) were final ... */
    double before_end[TENSORS_MAX_ROWS]; /* ... so many seconds before all were */
    int windows;                         /* of that micro-batch */
};

struct bench_training {
    struct comm *comm; /* not owned */
    struct hparams hparams;
    struct bench_windows windows;
    struct model *model;
    struct optimizer optimizer;
    struct gradient_reducer *reducer;
    struct stats stats;
    struct bench_reports reports;
    double *samples; /* [1 + STEP_NUM_PHASES, most_steps] seconds of each step and of its phases */
    int most_steps;
    uint32_t number; /* of the update that was made last */
};

/* Medians over steps, in seconds; the same on all ranks. */
struct bench_times {
    double step;                    /* of the slowest rank */
    double phases[STEP_NUM_PHASES]; /* mean over ranks */
    double
        exposed; /* of the gradient allreduce: the wait of the rank that waits least, for the others wait for it too */
};

/* Takes all memory that a step needs. On failure everything is freed. Collective. */
bool bench_training_open(struct bench_training *training, const struct hparams *hparams,
                         const struct bench_options *options, struct comm *comm, struct error *error);
void bench_training_close(struct bench_training *training);

/* One warm-up step, then `steps` (up to options->steps) that are timed, with a global batch of batch_size windows:
 * at least one per rank, at most hparams->batch_size. Fails where memory is short. Collective. */
bool bench_training_time(struct bench_training *training, int64_t batch_size, int steps, struct bench_times *times,
                         struct error *error);

/* The windows a second of all ranks with hparams->batch_size windows, divided by those of one rank alone with rank 0's part of
 * them, over options->steps interleaved rounds (rounds.h). Leaves ranks with different parameters. Collective. */
bool bench_training_speedup(struct bench_training *training, double *times, struct error *error);

/* After bench_training_time: seconds of the gradient allreduce in the same buckets with nothing else going on; the median of
 * several, each the slowest rank's. Collective. */
double bench_training_allreduce_seconds(struct bench_training *training);

/* Peak resident memory of this process so far, in bytes. */
double bench_resident_bytes(void);

#endif
