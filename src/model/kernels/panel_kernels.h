/* The names of one version of the panel products, for the two files that make up a version of struct kernels. */
#ifndef DRUMLINE_MODEL_KERNELS_PANEL_KERNELS_H
#define DRUMLINE_MODEL_KERNELS_PANEL_KERNELS_H

#include "model/kernels/kernels.h"

#define PANEL_PASTE_(a, b) a##_##b
#define PANEL_PASTE(a, b) PANEL_PASTE_(a, b)
#define PANEL_NAME(name) PANEL_PASTE(name, KERNELS_NAME)

void PANEL_NAME(panel_product)(float *out, size_t stride, struct kernels_rows a, const float *panels, int inner,
                               int rows, int columns, bool add);
void PANEL_NAME(panel_pack)(float *panels, const float *b, int inner, int columns, size_t row_stride,
                            size_t column_stride);
void PANEL_NAME(gradient_product)(float *out, float *sums, struct kernels_rows a, int first_row, int end_row,
                                  const float *d, size_t stride, int examples, int columns, bool add, float *scratch);
extern const int PANEL_NAME(panel_width);

#endif
