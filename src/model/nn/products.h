/* The matrix products of a pass, in its precision: of floats, or of operands rounded to bf16 with float32 sums
 * (bf16_engine.h). Weights and gradients are named by their offset into the parameters and lie there as floats in both. */
#ifndef DRUMLINE_MODEL_NN_PRODUCTS_H
#define DRUMLINE_MODEL_NN_PRODUCTS_H

#include "model/nn/pass.h"
#include "model/vae/params.h"

/* Activations, or their gradients. */
struct operand {
    const float *values;
    const uint16_t *rounded; /* the same in bf16; not read in a float32 pass */
};

/* The operand `offset` numbers further on. `rounded` may be NULL. */
struct operand operand_at(const float *values, const uint16_t *rounded, size_t offset);

/* In a bf16 pass: rounded[offset .. offset + count) = values[the same]. In a float32 pass: nothing. */
void operand_round(const struct pass *pass, uint16_t *rounded, const float *values, size_t offset, size_t count);

/* out [rows, columns] (= or +=) a [rows, inner] weights [inner, columns] */
void product(const struct pass *pass, float *out, struct operand a, size_t weights, int rows, int columns, int inner,
             enum op_write write);

/* out [rows, columns] (= or +=) a [rows, inner] weights^T, weights [columns, inner] */
void product_transposed(const struct pass *pass, float *out, struct operand a, size_t weights, int rows, int columns,
                        int inner, enum op_write write);

/* The gradient of a kernel [rows, columns] (= or +=, as pass->write says) a^T b, a [inner, rows], b [inner, columns]. */
void product_gradient(const struct pass *pass, size_t kernel, struct operand a, struct operand b, int rows, int columns,
                      int inner);

/* A dense layer. In a bf16 pass x is rounded here where x.rounded is NULL, into pass->bf16->dense_x; d_out always is. */
struct dense_layer {
    size_t kernel, bias; /* offsets into the parameters: [inputs, outputs], [outputs] */
    int inputs, outputs;
};

/* Finds the layer's tensors by name ("decoder/output"). */
void dense_layer_bind(struct dense_layer *layer, const struct param_table *table, const char *name);

/* out [rows, outputs] = x [rows, inputs] kernel + bias */
void dense_layer_forward(const struct dense_layer *layer, const struct pass *pass, float *out, struct operand x,
                         int rows);

/* From d_out [rows, outputs]: the gradients of kernel and bias, and d_x [rows, inputs] as `write_x` says. */
void dense_layer_backward(const struct dense_layer *layer, const struct pass *pass, float *d_x, const float *d_out,
                          struct operand x, int rows, enum op_write write_x);

#endif
