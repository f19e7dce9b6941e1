/* The model of src/model made from its double-precision twin: the same sizes, weights and batch in floats. Every failure ends
 * the running test with the reason. */
#ifndef DRUMLINE_TESTS_MODEL_MODEL_FROM_TWIN_H
#define DRUMLINE_TESTS_MODEL_MODEL_FROM_TWIN_H

#include "tests/model/naive_model.h"

#include "model/vae/model.h"

/* What describes a model of these sizes; the rest are the defaults. steps_per_bar must be 16, beta is no hparam. */
struct hparams twin_hparams(const struct naive_sizes *sizes);

/* The model with the twin's weights; its table must name the same tensors in the same order. It has room for more windows
 * than the batch has: rows are as far apart as the batch, not as the room, says. Free with model_free. */
struct model *twin_model(const struct naive_sizes *sizes, const struct naive_model *twin);

/* Puts a batch in place: input, target, controls, eps, and the masks that are not NULL. */
void twin_set_batch(struct model *model, const struct naive_sizes *sizes, const struct naive_batch *batch);

/* Copies the outputs of a batch of `windows` in the order of time: out [T, B, D]. The decoder has them in that of its core,
 * [segment_steps, segments * B, D]. */
void twin_outputs(float *out, const struct decoder *decoder, size_t windows);

/* The metric "loss" of a model's sums. */
double twin_loss(const struct model *model, const double *sums, double beta);

void twin_floats(float *to, const double *from, size_t count);

#endif
