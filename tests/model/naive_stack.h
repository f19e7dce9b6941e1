/* The parts of the naive model: its dense layers, found by name, and LSTM layers one on the other that a latent starts, of
 * which the conductor and the decoder are made. In double precision, as naive_model.h. */
#ifndef DRUMLINE_TESTS_MODEL_NAIVE_STACK_H
#define DRUMLINE_TESTS_MODEL_NAIVE_STACK_H

#include "tests/model/naive_model.h"
#include "tests/model/naive_ops.h"

/* Belongs to its model. */
struct naive_dense_layer {
    struct naive_tensor *kernel, *bias;
    bool bf16;
};

/* The tensors "prefix/name/kernel" and "prefix/name/bias"; of a layer, "prefix/layer_N/...". */
struct naive_dense_layer naive_find_dense(struct naive_model *model, const char *prefix, const char *name);
struct naive_dense_layer naive_find_layer(struct naive_model *model, const char *prefix, size_t layer);

/* out [rows, outputs] = x [rows, inputs] kernel + bias */
void naive_dense_layer_forward(double *out, const double *x, struct naive_dense_layer dense, size_t rows);

/* Adds to dx [rows, inputs] (may be NULL) and to the gradients of kernel and bias. */
void naive_dense_layer_backward(double *dx, const double *dout, const double *x, struct naive_dense_layer dense,
                                size_t rows);

struct naive_stack {
    const char *prefix;
    size_t steps, rows;
    const uint8_t *const *masks; /* by layer */
    double *latent;              /* [rows, latent size], owned */
    double *states;              /* [rows, sum of states]: tanh(dense(latent)), c before h, layer by layer; owned */
    struct naive_lstm lstms[NAIVE_MAX_LAYERS];
};

/* `input` [steps, rows, first_inputs] and `latent` [rows, ...] are the caller's. The stack needs no zeroing before; free with
 * naive_stack_free. */
void naive_stack_forward(struct naive_stack *stack, struct naive_model *model, const char *prefix, const double *input,
                         size_t first_inputs, const double *latent, const uint8_t *const *masks, size_t steps,
                         size_t rows);
void naive_stack_free(struct naive_stack *stack);

/* The top layer's h after each step: [steps, rows, top's hidden], the stack's. */
const double *naive_stack_top(const struct naive_stack *stack, const struct naive_sizes *sizes);

/* From dtop [steps, rows, top's hidden]; adds to dlatent. Returns the gradient of the input, owned by the caller. */
double *naive_stack_backward(double *dlatent, const double *dtop, struct naive_model *model,
                             const struct naive_stack *stack);

#endif
