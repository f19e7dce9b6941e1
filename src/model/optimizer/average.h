/* A moving average of a model's weights, for evaluation and generation (Polyak and Juditsky, "Acceleration of Stochastic
 * Approximation by Averaging", 1992; with exponential weights as in TensorFlow's ExponentialMovingAverage):
 *
 *     a = d a + (1 - d) w,  d = min(ema_decay, (1 + n) / (10 + n)),  n the number of updates made
 *
 * so that a new training's average soon forgets the initial weights. */
#ifndef DRUMLINE_MODEL_OPTIMIZER_AVERAGE_H
#define DRUMLINE_MODEL_OPTIMIZER_AVERAGE_H

#include "base/arena.h"
#include "model/nn/tensors.h"

struct weight_average {
    size_t count;  /* floats */
    float *values; /* [table->num_floats] */
    struct arena arena;
};

/* Values 0. */
bool average_make(struct weight_average *average, const struct tensor_table *table, struct error *error);

/* One that was never made is fine. */
void average_free(struct weight_average *average);

/* Begins at these weights, [table->num_floats]. */
void average_start(struct weight_average *average, const float *weights);

/* After update number `updates`, from 1. */
void average_update(struct weight_average *average, const float *weights, double ema_decay, uint64_t updates);

#endif
