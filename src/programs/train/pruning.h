/* --prune: ends a run of a sweep that has fallen behind the others, by the median stopping rule.
 *
 * The rule is that of Google Vizier (Golovin et al., "Google Vizier: A Service for Black-Box Optimization", KDD 2017, section
 * 3.2.2; Ray Tune's MedianStoppingRule and Azure's MedianStoppingPolicy are the same): a run is stopped at step s if its best
 * objective up to s is strictly worse than the median of the running averages, up to s, of the others that have reached s. Here the
 * objective is val_loss, and the others are the runs in the same folder, running or ended, whose val_loss compares
 * (run/hparams_file.h). As they train side by side, s is the latest step that enough of them have reached: a run that is ahead of them
 * is judged by its best so far, later than one that is not, but by no other measure.
 *
 * The files of the others are only read; whatever is wrong with them, they don't count. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_PRUNING_H
#define DRUMLINE_PROGRAMS_TRAIN_PRUNING_H

#include "model/checkpoint.h"
#include "programs/train/options.h"
#include "run/val_losses.h"

/* When a run may be stopped. */
struct pruning_limits {
    int64_t warmup_steps; /* not by steps before this one */
    size_t min_runs;      /* not by fewer others; at least 1 */
};

struct pruning_verdict {
    bool is_behind;
    int64_t step;    /* the last at which runs were compared, -1 where they were not */
    size_t num_runs; /* others that have reached it */
    double best;     /* this run's lowest val_loss, infinity where it has none */
    double median;
    bool has_looked;                   /* this and the next two: pruning_look's */
    size_t num_beside, num_comparable; /* other runs in the folder; those of them whose val_loss compares */
};

/* The rule: for a run whose lowest val_loss up to `step` is `best`, against `count` others. The order of these does not matter. False
 * where there is no memory. */
bool pruning_judge(struct pruning_verdict *verdict, int64_t step, double best, const struct val_losses *others,
                   size_t count, const struct pruning_limits *limits, struct error *error);

/* The same for a run that has just been evaluated, against the runs beside its folder. What can't be done is logged, and then the run is
 * not behind. For rank 0. */
void pruning_look(struct pruning_verdict *verdict, const struct checkpoint *state, const struct train_options *options);

/* Whether the last session of the run, whose newest checkpoint is of `step`, was ended there by --prune. For rank 0, before its own session
 * is in the metrics. */
bool pruning_was_pruned(const char *train_folder, uint64_t step);

#endif
