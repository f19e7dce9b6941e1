/* The val_loss of a run's evaluations, by step, from RUN/eval/metrics.jsonl, which may be growing and may hold anything: what is
 * half written, or is no line of an evaluation of the validation split, is skipped. */
#ifndef DRUMLINE_RUN_VAL_LOSSES_H
#define DRUMLINE_RUN_VAL_LOSSES_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct val_losses {
    int64_t *steps; /* [count], owned; ascending, each once */
    double *losses; /* [count], owned; NaN where the step's newest evaluation has no finite one */
    size_t count;
};

/* A file that is missing holds nothing. Fails where it can't be read, is no regular file or is larger than 64 MiB. */
bool val_losses_read(struct val_losses *losses, const char *run_dir, struct error *error);
void val_losses_free(struct val_losses *losses);

/* The step of the last evaluation, -1 where there is none. */
int64_t val_losses_last_step(const struct val_losses *losses);

/* The mean of the finite ones up to and including `step`; infinity where there is none. */
double val_losses_mean(const struct val_losses *losses, int64_t step);

#endif
