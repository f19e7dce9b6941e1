/* A dense layer, in a pass's precision. */
#ifndef DRUMLINE_MODEL_NN_DENSE_LAYER_H
#define DRUMLINE_MODEL_NN_DENSE_LAYER_H

#include "model/nn/gemm.h"
#include "model/nn/tensors.h"

/* In a bf16 pass x is rounded here where x.rounded is NULL, into pass->bf16->dense_x; d_out always is. */
struct dense_layer {
    size_t kernel, bias; /* offsets into the parameters: [inputs, outputs], [outputs] */
    int inputs, outputs;
};

/* Finds the layer's tensors by name ("decoder/output"). */
void dense_layer_bind(struct dense_layer *layer, const struct tensor_table *table, const char *name);

/* out [rows, outputs] = x [rows, inputs] kernel + bias */
void dense_layer_forward(const struct dense_layer *layer, const struct pass *pass, float *out, struct operand x,
                         int rows);

/* From d_out [rows, outputs]: the gradients of kernel and bias, and d_x [rows, inputs] as `write_x` says. */
void dense_layer_backward(const struct dense_layer *layer, const struct pass *pass, float *d_x, const float *d_out,
                          struct operand x, int rows, enum op_write write_x);

#endif
