/* Batches of made-up numbers for the double-precision twin, with masks and noise. The model's formulas hold for any
 * numbers, not only for drums. */
#ifndef DRUMLINE_TESTS_MODEL_NAIVE_BATCH_H
#define DRUMLINE_TESTS_MODEL_NAIVE_BATCH_H

#include "tests/model/naive_model.h"

struct naive_made_up {
    double *input, *target, *controls, *eps; /* owned, as the masks */
    uint8_t *masks[3 * NAIVE_MAX_LAYERS];
    size_t num_masks;
    struct naive_batch batch; /* all of the above */
};

/* Everything that a model of these sizes is fed, masks included; floats hold it exactly. The same for the same *seed,
 * which moves on. Free with naive_made_up_free. */
void naive_make_up(struct naive_made_up *made_up, const struct naive_sizes *sizes, uint64_t *seed);
void naive_made_up_free(struct naive_made_up *made_up);

/* Fills all weights, evenly in [-scale, scale). */
void naive_make_up_weights(struct naive_model *model, double scale, uint64_t *seed);

/* The derivative of the loss by *value, a weight of `model` or a number of `batch`, by central differences of fourth
 * order: exact to about 1e-9 of a loss of size 100. */
double naive_difference(double *value, struct naive_outputs *outputs, struct naive_model *model,
                        const struct naive_batch *batch);

#endif
