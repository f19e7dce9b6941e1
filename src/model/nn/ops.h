/* GEMMs by OpenBLAS and the small operations between them. All matrices are row-major floats; every shape is given where the
 * argument is. Outputs come first and, unless said otherwise, overlap no input. Nothing allocates or fails. */
#ifndef DRUMLINE_MODEL_NN_OPS_H
#define DRUMLINE_MODEL_NN_OPS_H

#include "model/kernels/kernels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a result replaces its output or is added to it. */
enum op_write { OP_REPLACE, OP_ADD };

/* Threads that the GEMMs below run on, and whether those are several. */
int matmul_threads(void);
bool matmul_is_threaded(void);

/* Whether the float32 GEMMs of LSTM layers are made by these kernels, packed: on one thread, and where they have vector code
 * for the processor. Else by the functions below. */
bool gemm_is_packed(const struct kernels *kernels);

/* out [rows, columns] (= or +=) a [rows, inner] b [inner, columns] */
void matmul(float *out, const float *a, const float *b, int rows, int columns, int inner, enum op_write write);

/* out [rows, columns] (= or +=) a [rows, inner] b^T, b [columns, inner] */
void matmul_transposed_b(float *out, const float *a, const float *b, int rows, int columns, int inner,
                         enum op_write write);

/* out [rows, columns] (= or +=) a^T b, a [inner, rows] with rows `a_stride` floats apart, b [inner, columns]: the gradient of
 * (some rows of) a kernel, summed over examples */
void matmul_transposed_a(float *out, const float *a, int a_stride, const float *b, int rows, int columns, int inner,
                         enum op_write write);

/* out [rows, columns] += bias [columns] in every row */
void add_bias(float *out, const float *bias, int rows, int columns);

/* out [columns] (= or +=) the sum of the rows of a [rows, columns]: the gradient of a bias */
void sum_rows(float *out, const float *a, int rows, int columns, enum op_write write);

/* out [count] = a [count] * (1 - tanh_x [count]^2): the way back through tanh; out may be a */
void tanh_backward(float *out, const float *a, const float *tanh_x, size_t count);

/* A dense layer: out [rows, outputs] = x [rows, inputs] kernel [inputs, outputs] + bias [outputs] */
void dense(float *out, const float *x, const float *kernel, const float *bias, int rows, int inputs, int outputs);

/* Its way back, from d_out [rows, outputs]: d_kernel and d_bias as `write` says; d_x [rows, inputs] (NULL: not wanted) as
 * `write_x` says. */
void dense_backward(float *d_kernel, float *d_bias, float *d_x, const float *d_out, const float *x, const float *kernel,
                    int rows, int inputs, int outputs, enum op_write write, enum op_write write_x);

/* sqrt of the sum of squares, in double. NaN or infinite where a value is. */
double global_norm(const float *values, size_t count);

#endif
