/* The routines that training and generation spend their time in, in one version per instruction set, chosen at run time.
 *
 * All versions are compiled from the same two files of plain C that compilers vectorise: vector_kernels.c, element by
 * element, and packed_gemm.c, the GEMMs of one thread. They differ in the width of their vectors and in whether a
 * product and a sum are rounded once or twice, so in the last bits of a result. exp is accurate to 2 units in the last
 * place, sigmoid and tanh to 3, over all floats (tests/model/test_kernels.c); NaN stays NaN. */
#ifndef DRUMLINE_MODEL_KERNELS_KERNELS_H
#define DRUMLINE_MODEL_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What every number of a tensor has in common in one step of LAMB, see optimizer.h. */
struct lamb_step {
    float scale;      /* of the gradients */
    float correction; /* sqrt(1 - b2^n) / (1 - b1^n) */
    float epsilon;    /* times sqrt(1 - b2^n) */
    float weight_decay;
};

/* A matrix [rows, K], K = first_size + second_size, whose columns stand in two: first [rows, first_size] and second
 * [rows, second_size], such as an LSTM's inputs and its h. A size of 0 stands for no such columns. */
struct kernels_rows {
    const float *first, *second;
    int first_size, second_size;
    int first_stride; /* floats between rows of the first */
};

struct kernels {
    const char *name; /* "portable", "avx2", "avx512" */

    /* Whether training is to make its float32 GEMMs of one thread by gemm_packed and gemm_gradient of this version: where its
     * vectors are those of an instruction set that the version was written for (SSE2, AVX2, AVX-512). Elsewhere, as on aarch64,
     * OpenBLAS has kernels for the processor and the portable version has none. A rule of the build and the processor alone:
     * nothing is timed at run time, so the order of sums never changes between runs. Generation uses them always. */
    bool has_vector_gemm;

    /* One step of an LSTM cell for `batch` rows of H units.
     * gates [B, 4H], rows `stride` floats apart: in, the GEMM [x, h] W without the bias; out, the activated gates
     * i, c~, f, o.
     * c, h, c_before [B, H]; bias [4H]. c' = sigmoid(f + 1) c + sigmoid(i) tanh(c~), h' = sigmoid(o) tanh(c'). */
    void (*lstm_forward)(float *gates, size_t stride, float *c, float *h, const float *c_before, const float *bias,
                         int batch, int units);

    /* The way back. gates: in, as lstm_forward left them; out, the gradient before activation. dc [B, H]: in, the gradient
     * that c receives from the step after; out, that of c_before. dh [B, H]: gradient of h from the step after; dh_above
     * [B, H]: from the layer above, or NULL. */
    void (*lstm_backward)(float *gates, size_t stride, float *dc, const float *c, const float *c_before,
                          const float *dh, const float *dh_above, int batch, int units);

    /* out[i] = tanh(x[i]), sigmoid(x[i]); out may be x. */
    void (*tanh)(float *out, const float *x, size_t count);
    void (*sigmoid)(float *out, const float *x, size_t count);

    /* out[i] = mask[i] ? x[i] * scale : 0; out may be x. */
    void (*dropout)(float *out, const float *x, const uint8_t *mask, float scale, size_t count);

    /* out[i] = x[i] rounded to bf16, the upper half of a float: to the nearest, of two equally near to the even one. NaN stays
     * NaN, and what is too large becomes infinite. And back, exactly. */
    void (*to_bf16)(uint16_t *out, const float *x, size_t count);
    void (*from_bf16)(float *out, const uint16_t *x, size_t count);

    /* Adam on count values, see optimizer.h. `rate` holds the bias corrections. */
    void (*adam)(float *values, float *m, float *v, const float *gradients, float scale, float rate, float epsilon,
                 size_t count);

    /* LAMB on one tensor, in two passes. The first moves the moments and gives the sums of squares of the values and
     * of the direction u; the second is values -= rate * u. u is made twice from the moments, not stored. */
    void (*lamb_moments)(double squares[2], float *m, float *v, const float *values, const float *gradients,
                         const struct lamb_step *step, size_t count);
    void (*lamb_move)(float *values, const float *m, const float *v, const struct lamb_step *step, float rate,
                      size_t count);

    /* GEMMs with a matrix b [inner, columns] that is packed once for many: panels hold it in stripes of *panel_width
     * columns, the last one filled up with zeros, (columns rounded up to *panel_width) * inner floats in all. Element (k, j) is
     * b[k * row_stride + j * column_stride]: swapped strides pack a transposed matrix. */
    const int *panel_width;
    void (*gemm_pack)(float *panels, const float *b, int inner, int columns, size_t row_stride, size_t column_stride);

    /* out [rows, columns], rows `stride` floats apart, (=, or += where `add`) a [rows, K] b, on the calling thread alone,
     * with panels of b [inner, columns], of which the first K rows are used. A row's result does not depend on the other
     * rows. */
    void (*gemm_packed)(float *out, size_t stride, struct kernels_rows a, const float *panels, int inner, int rows,
                        int columns, bool add);

    /* Rows [first_row, end_row), one at least, of the gradient of such a matrix, from d [examples, columns], rows `stride`
     * floats apart: out [K, columns] (=, +=) a^T d, a [examples, K]. Where sums [columns] is not NULL, the gradient of a
     * bias beside it too: (=, +=) the sum of d's rows. On the calling thread alone. scratch: kernels_gradient_floats()
     * floats. */
    void (*gemm_gradient)(float *out, float *sums, struct kernels_rows a, int first_row, int end_row, const float *d,
                          size_t stride, int examples, int columns, bool add, float *scratch);
};

/* Floats that the panels of a matrix take, in any version. */
size_t kernels_packed_floats(int inner, int columns);

/* Sizes of the blocks that the GEMMs work in, chosen by measurement (docs/performance.md): rows of a packed GEMM that
 * stay in the second cache; examples and rows of a gradient that are packed at a time. */
enum { KERNELS_CHUNK_ROWS = 160, KERNELS_GRADIENT_DEPTH = 256, KERNELS_GRADIENT_ROWS = 564 };

/* Floats of gemm_gradient's scratch, in any version. */
size_t kernels_gradient_floats(void);

/* The best version that this processor runs. */
const struct kernels *kernels_best(void);

/* All versions that this processor runs, the portable one first; *count of them. For tests. */
const struct kernels *const *kernels_runnable(size_t *count);

#endif
