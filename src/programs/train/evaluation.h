/* Losses of a model over all windows of a split, which the ranks share. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_EVALUATION_H
#define DRUMLINE_PROGRAMS_TRAIN_EVALUATION_H

#include "data/dataset/batch.h"
#include "dist/comm.h"
#include "model/vae/model.h"
#include "programs/train/watchdog.h"
#include "run/metrics.h"

/* Non-overlapping windows of a split, with skip_silent those with a hit, and room for the numbers of a batch of them. */
struct evaluation {
    struct windows windows;
    uint32_t *numbers; /* [windows.count] 0, 1, 2 ... */
    struct transform transform;
    const char *split; /* not owned */
};

/* Whether the split has a window to evaluate. */
bool evaluation_is_possible(const struct dataset *dataset, const char *split, const struct hparams *hparams);

bool evaluation_make(struct evaluation *evaluation, const struct dataset *dataset, const char *split,
                     const struct hparams *hparams, struct error *error);
void evaluation_free(struct evaluation *evaluation);

/* Sums (base/metric.h) over all ranks, the same on each. A window's noise follows from seed and its number, so the metrics do not
 * depend on the number of ranks. `watchdog` (may be NULL) hears of each micro-batch. Collective. */
void evaluation_run(const struct evaluation *evaluation, struct model *model, struct comm *comm, uint64_t seed,
                    struct watchdog *watchdog, double sums[METRIC_MAX_SUMS]);

/* What models of other beta and free bits are compared with: the loss at beta 0.2 and 48 free bits, whatever the model's own. */
#define EVALUATION_BETA 0.2
#define EVALUATION_FREE_BITS 48.0

/* The same sums, added up batch by batch in the order of the windows, in batches that no number of ranks changes: the same bits
 * for any number of ranks, where GEMMs are the same bits for any number of threads. *kl_above is what SUM_KL_ABOVE_FREE would be
 * with EVALUATION_FREE_BITS. Fails where memory is short. Collective. */
bool evaluation_run_in_order(const struct evaluation *evaluation, struct model *model, struct comm *comm, uint64_t seed,
                             double sums[METRIC_MAX_SUMS], double *kl_above, struct error *error);

/* The metrics of such sums as a line of the log and of metrics.jsonl. */
void evaluation_line(struct metrics_line *line, const struct evaluation *evaluation, const struct model *model,
                     const double *sums, uint64_t step, double beta);

#endif
