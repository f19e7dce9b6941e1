/* The names of one version of the packed GEMMs, for the two files that make up a version of struct kernels. */
#ifndef DRUMLINE_MODEL_KERNELS_PACKED_GEMM_H
#define DRUMLINE_MODEL_KERNELS_PACKED_GEMM_H

#include "model/kernels/kernels.h"

#define GEMM_PASTE_(a, b) a##_##b
#define GEMM_PASTE(a, b) GEMM_PASTE_(a, b)
#define GEMM_NAME(name) GEMM_PASTE(name, KERNELS_NAME)

void GEMM_NAME(gemm_packed)(float *out, size_t stride, struct kernels_rows a, const float *panels, int inner, int rows,
                            int columns, bool add);
void GEMM_NAME(gemm_pack)(float *panels, const float *b, int inner, int columns, size_t row_stride,
                          size_t column_stride);
void GEMM_NAME(gemm_gradient)(float *out, float *sums, struct kernels_rows a, int first_row, int end_row,
                              const float *d, size_t stride, int examples, int columns, bool add, float *scratch);
extern const int GEMM_NAME(panel_width);

#endif
