/* Adam (Kingma and Ba, ICLR 2015) with beta1 0.9, beta2 0.999, epsilon 1e-8 and bias correction, on gradients clipped to a
 * global norm:
 *
 *     m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,  w -= lr (m / (1 - b1^n)) / (sqrt(v / (1 - b2^n)) + epsilon)
 *
 * with n the number of updates that were made. */
#ifndef DRUMLINE_MODEL_OPTIMIZER_H
#define DRUMLINE_MODEL_OPTIMIZER_H

#include "base/arena.h"
#include "model/params.h"

struct optimizer {
    size_t num_floats;
    float *m, *v;     /* [num_floats] first and second moments */
    uint64_t updates; /* steps that changed the parameters */
    uint64_t skipped; /* steps left out because of their norm */
    struct arena arena;
};

/* Moments 0. */
bool optimizer_make(struct optimizer *optimizer, const struct param_table *table, struct error *error);
void optimizer_free(struct optimizer *optimizer);

/* One step on values and gradients, both [num_floats]. Returns the global norm before clipping. A step whose norm exceeds
 * grad_norm_clip_to_zero, or is not finite, changes nothing and is counted as skipped. */
double optimizer_step(struct optimizer *optimizer, float *values, const float *gradients, const struct hparams *hparams,
                      double learning_rate);

#endif
