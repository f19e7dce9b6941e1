/* Synthetic windows to time a training with: hits at random, as many as drummers play, with random velocities and
 * offsets. */
#ifndef DRUMLINE_PROGRAMS_BENCH_WINDOWS_H
#define DRUMLINE_PROGRAMS_BENCH_WINDOWS_H

#include "data/dataset/batch.h"
#include "model/vae/model.h"

/* Distinct ones: window i of a batch is number i modulo this. */
enum { BENCH_WINDOWS = 64 };

struct bench_windows {
    float *rows; /* [BENCH_WINDOWS, T, D]; owned */
    uint32_t steps;
    struct transform transform; /* of the input */
};

bool bench_windows_make(struct bench_windows *windows, const struct hparams *hparams, struct error *error);
void bench_windows_free(struct bench_windows *windows);

/* Fills input, target and controls for the windows of `part`, as a training would from a data set. */
void bench_windows_fill(const struct bench_windows *windows, struct model *model, const struct model_step *part);

#endif
