/* The GEMMs of a pass, in its precision: of floats, or of operands rounded to bf16 with float32 sums (bf16_engine.h). Weights
 * and gradients are named by their offset into the parameters and lie there as floats in both. */
#ifndef DRUMLINE_MODEL_NN_GEMM_H
#define DRUMLINE_MODEL_NN_GEMM_H

#include "model/nn/pass.h"

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
void gemm(const struct pass *pass, float *out, struct operand a, size_t weights, int rows, int columns, int inner,
          enum op_write write);

/* out [rows, columns] (= or +=) a [rows, inner] weights^T, weights [columns, inner] */
void gemm_transposed(const struct pass *pass, float *out, struct operand a, size_t weights, int rows, int columns,
                     int inner, enum op_write write);

/* The gradient of a kernel [rows, columns] (= or +=, as pass->write says) a^T b, a [inner, rows], b [inner, columns]. */
void gemm_gradient(const struct pass *pass, size_t kernel, struct operand a, struct operand b, int rows, int columns,
                   int inner);

#endif
