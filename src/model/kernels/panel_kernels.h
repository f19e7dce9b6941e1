/* The names of one version of the panel products, for the two files that make up a version of struct kernels. */
#ifndef DRUMLINE_MODEL_PANEL_KERNELS_H
#define DRUMLINE_MODEL_PANEL_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

#define PANEL_PASTE_(a, b) a##_##b
#define PANEL_PASTE(a, b) PANEL_PASTE_(a, b)
#define PANEL_NAME(name) PANEL_PASTE(name, KERNELS_NAME)

void PANEL_NAME(panel_product)(float *out, const float *a, const float *panels, int rows, int columns, int inner,
                               bool add);
void PANEL_NAME(panel_pack)(float *panels, const float *b, int inner, int columns, size_t row_stride,
                            size_t column_stride);
extern const int PANEL_NAME(panel_width);

#endif
