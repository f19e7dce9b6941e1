/* Arithmetic of buffers and copies between them, for what is linked without BLAS too. */
#ifndef DRUMLINE_MODEL_NN_ARRAYS_H
#define DRUMLINE_MODEL_NN_ARRAYS_H

#include <stddef.h>
#include <string.h>

static inline size_t larger_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* out [rows, columns], rows `out_stride` floats apart, = in, rows `in_stride` floats apart */
static inline void copy_columns(float *out, size_t out_stride, const float *in, size_t in_stride, size_t rows,
                                size_t columns)
{
    for (size_t row = 0; row < rows; row++)
        memcpy(out + row * out_stride, in + row * in_stride, columns * sizeof *out);
}

#endif
