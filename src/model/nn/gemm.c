#include "model/nn/gemm.h"

struct operand operand_at(const float *values, const uint16_t *rounded, size_t offset)
{
    return (struct operand){values + offset, rounded ? rounded + offset : NULL};
}

void operand_round(const struct pass *pass, uint16_t *rounded, const float *values, size_t offset, size_t count)
{
    if (pass->bf16)
        pass->kernels->to_bf16(rounded + offset, values + offset, count);
}

void gemm(const struct pass *pass, float *out, struct operand a, size_t weights, int rows, int columns, int inner,
          enum op_write write)
{
    const struct bf16_shape shape = {BF16_WEIGHTS, rows, columns, inner, write};
    if (pass->bf16)
        bf16_gemm(pass->bf16->gemms, out, a.rounded, pass->values + weights, NULL, &shape);
    else
        matmul(out, a.values, pass->values + weights, rows, columns, inner, write);
}

void gemm_transposed(const struct pass *pass, float *out, struct operand a, size_t weights, int rows, int columns,
                     int inner, enum op_write write)
{
    const struct bf16_shape shape = {BF16_TRANSPOSED_WEIGHTS, rows, columns, inner, write};
    if (pass->bf16)
        bf16_gemm(pass->bf16->gemms, out, a.rounded, pass->values + weights, NULL, &shape);
    else
        matmul_transposed_b(out, a.values, pass->values + weights, rows, columns, inner, write);
}

void gemm_gradient(const struct pass *pass, size_t kernel, struct operand a, struct operand b, int rows, int columns,
                   int inner)
{
    const struct bf16_shape shape = {BF16_KERNEL_GRADIENT, rows, columns, inner, pass->write};
    float *out = pass->gradients + kernel;
    if (pass->bf16)
        bf16_gemm(pass->bf16->gemms, out, a.rounded, NULL, b.rounded, &shape);
    else
        matmul_transposed_a(out, a.values, rows, b.values, rows, columns, inner, pass->write);
}
