/* What gradients and updates are, tensor by tensor: to see which layer learns and which does not, and where a NaN began. */
#ifndef DRUMLINE_RUN_TENSOR_NORMS_H
#define DRUMLINE_RUN_TENSOR_NORMS_H

#include "base/error.h"
#include "model/nn/tensors.h"

/* Euclidean norms of one tensor. */
struct tensor_norms {
    double value, gradient, update; /* update: of what the step changed */
};

/* Of all tensors after a step that began with `before` and `gradients`, all three [table->num_floats], into norms
 * [table->num_rows]. Sums are in double. */
void tensor_norms_measure(struct tensor_norms *norms, const struct tensor_table *table, const float *before,
                          const float *values, const float *gradients);

/* The first tensor in the table's order, which is the order of the backward pass, with a number that is not finite; NULL where all
 * are finite. */
const struct tensor *tensor_norms_first_not_finite(const struct tensor_table *table, const float *values);

/* Appends a line to FOLDER/tensors.jsonl: {"step": 10, "decoder/output/kernel": {"norm": .., "grad_norm": .., "update_norm": ..},
 * ...}. What is not finite is null. */
bool tensor_norms_append(const char *folder, uint64_t step, const struct tensor_table *table,
                         const struct tensor_norms *norms, struct error *error);

#endif
