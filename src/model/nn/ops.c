#include "model/nn/ops.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

static float beta_of(enum op_write write)
{
    return write == OP_ADD ? 1.0f : 0.0f;
}

int matmul_threads(void)
{
    return openblas_get_num_threads();
}

bool matmul_is_threaded(void)
{
    return matmul_threads() > 1;
}

bool gemm_is_packed(const struct kernels *kernels)
{
    return kernels->has_vector_gemm && !matmul_is_threaded();
}

void matmul(float *out, const float *a, const float *b, int rows, int columns, int inner, enum op_write write)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, columns, inner, 1.0f, a, inner, b, columns,
                beta_of(write), out, columns);
}

void matmul_transposed_b(float *out, const float *a, const float *b, int rows, int columns, int inner,
                         enum op_write write)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, columns, inner, 1.0f, a, inner, b, inner, beta_of(write),
                out, columns);
}

void matmul_transposed_a(float *out, const float *a, int a_stride, const float *b, int rows, int columns, int inner,
                         enum op_write write)
{
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, rows, columns, inner, 1.0f, a, a_stride, b, columns,
                beta_of(write), out, columns);
}

void add_bias(float *out, const float *bias, int rows, int columns)
{
    for (int row = 0; row < rows; row++) {
        float *restrict out_row = out + (size_t)row * (size_t)columns;
        for (int j = 0; j < columns; j++)
            out_row[j] += bias[j];
    }
}

void sum_rows(float *out, const float *a, int rows, int columns, enum op_write write)
{
    if (write == OP_REPLACE)
        memset(out, 0, (size_t)columns * sizeof *out);
    for (int row = 0; row < rows; row++)
        add_bias(out, a + (size_t)row * (size_t)columns, 1, columns);
}

void tanh_backward(float *out, const float *a, const float *tanh_x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = a[i] * (1.0f - tanh_x[i] * tanh_x[i]);
}

void dense(float *out, const float *x, const float *kernel, const float *bias, int rows, int inputs, int outputs)
{
    matmul(out, x, kernel, rows, outputs, inputs, OP_REPLACE);
    add_bias(out, bias, rows, outputs);
}

void dense_backward(float *d_kernel, float *d_bias, float *d_x, const float *d_out, const float *x, const float *kernel,
                    int rows, int inputs, int outputs, enum op_write write, enum op_write write_x)
{
    matmul_transposed_a(d_kernel, x, inputs, d_out, inputs, outputs, rows, write);
    sum_rows(d_bias, d_out, rows, outputs, write);
    if (d_x)
        matmul_transposed_b(d_x, d_out, kernel, rows, inputs, outputs, write_x);
}

double global_norm(const float *values, size_t count)
{
    enum { LANES = 16 };
    double sums[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            sums[lane] += (double)values[i + lane] * (double)values[i + lane];
    for (; i < count; i++)
        sums[0] += (double)values[i] * (double)values[i];
    double sum = 0;
    for (size_t lane = 0; lane < LANES; lane++)
        sum += sums[lane];
    return sqrt(sum);
}
