/* The optimizers: Adam, AdamW and LAMB. All keep the moments of the gradient g, with n the number of updates made:
 *
 *     m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,  r = (m / (1 - b1^n)) / (sqrt(v / (1 - b2^n)) + epsilon)
 *
 * Adam (Kingma and Ba, ICLR 2015, algorithm 1), b1 0.9, b2 0.999, epsilon 1e-8, on the whole array alike:
 *
 *     w -= lr r
 *
 * AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019, as PyTorch has it), with Adam's numbers:
 *
 *     w -= lr (r + weight_decay w)          on kernels; biases (tensors of one dimension) as with Adam
 *
 * LAMB (You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", ICLR 2020, algorithm 2
 * with the identity for phi), the same betas, epsilon 1e-6 as its authors took, on each tensor of the table by itself,
 * with Euclidean norms over the tensor:
 *
 *     u = r + weight_decay w,  w -= lr ratio u,  ratio = |w| / |u|, or 1 where either norm is 0
 *
 * As in its authors' trainings, biases (tensors of one dimension) have no weight decay and a ratio of 1: they begin at
 * 0, so their norm says nothing about how far they should move.
 *
 * The order of things: gradients, means over the global batch, are scaled down to the global norm grad_clip over all
 * tensors where they exceed it, and only then enter the moments. */
#ifndef DRUMLINE_MODEL_OPTIMIZER_OPTIMIZER_H
#define DRUMLINE_MODEL_OPTIMIZER_OPTIMIZER_H

#include "base/arena.h"
#include "model/nn/tensors.h"
#include "model/vae/hparams.h"

/* The groups that a checkpoint has of it. */
#define OPTIMIZER_FIRST_MOMENTS "optimizer/m"
#define OPTIMIZER_SECOND_MOMENTS "optimizer/v"
enum { OPTIMIZER_NUM_GROUPS = 2 };

struct optimizer {
    const struct tensor_table *table; /* not owned */
    float *m, *v;                     /* [table->num_floats] first and second moments */
    uint64_t updates;                 /* steps that changed the parameters */
    uint64_t skipped;                 /* steps skipped because of their norm */
    struct arena arena;
};

/* Moments 0. The table must outlive the optimizer. */
bool optimizer_make(struct optimizer *optimizer, const struct tensor_table *table, struct error *error);
void optimizer_free(struct optimizer *optimizer);

/* The moments, which stay the optimizer's. */
void optimizer_groups(struct tensor_group groups[OPTIMIZER_NUM_GROUPS], const struct optimizer *optimizer);

/* One step of hparams->optimizer on values and gradients, both [table->num_floats]. Returns the global norm before
 * clipping. A step whose norm exceeds grad_norm_clip_to_zero, or is not finite, changes nothing and is counted as
 * skipped. Each optimizer continues from the moments of any other. */
double optimizer_step(struct optimizer *optimizer, float *values, const float *gradients, const struct hparams *hparams,
                      double learning_rate);

#endif
