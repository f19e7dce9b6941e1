/* Products with a weight matrix that was packed into panels: the recurrent products of an LSTM, which meet the same weights
 * at every step. One version per instruction set, as vector_kernels.c.
 *
 * A block of ROWS rows by two vectors of columns stays in registers while the inner dimension is run through: each step of it
 * loads two vectors of the panel and one number of each row. Every element of the result is the same sum in the same order,
 * whatever block it falls into. */
#include "model/kernels/panel_kernels.h"

#include <string.h>

#if defined(__AVX512F__)
enum { LANES = 16, ROWS = 12 };
#elif defined(__AVX2__)
enum { LANES = 8, ROWS = 6 };
#else
enum { LANES = 4, ROWS = 4 };
#endif
enum { WIDTH = 2 * LANES };

typedef float vector __attribute__((vector_size(LANES * sizeof(float))));

static inline vector load(const float *x)
{
    vector v;
    memcpy(&v, x, sizeof v);
    return v;
}

/* out [rows, WIDTH] with rows `stride` floats apart (= or +=) a [rows, inner] panel [inner, WIDTH]. `rows` is known where this
 * is inlined, so that `sums` lives in registers. */
static inline __attribute__((always_inline)) void block(float *restrict out, size_t stride, const float *restrict a,
                                                        const float *restrict panel, size_t inner, bool add,
                                                        const size_t rows)
{
    vector sums[ROWS][2];
#pragma GCC unroll 12
    for (size_t row = 0; row < rows; row++)
        sums[row][0] = sums[row][1] = (vector){0};
    for (size_t k = 0; k < inner; k++) {
        vector left = load(panel + k * WIDTH), right = load(panel + k * WIDTH + LANES);
#pragma GCC unroll 12
        for (size_t row = 0; row < rows; row++) {
            float x = a[row * inner + k];
            sums[row][0] += x * left;
            sums[row][1] += x * right;
        }
    }
#pragma GCC unroll 12
    for (size_t row = 0; row < rows; row++) {
        float *to = out + row * stride;
        if (add) {
            sums[row][0] += load(to);
            sums[row][1] += load(to + LANES);
        }
        memcpy(to, &sums[row][0], sizeof(vector));
        memcpy(to + LANES, &sums[row][1], sizeof(vector));
    }
}

/* All rows of one panel. */
static void panel_rows(float *out, size_t stride, const float *a, const float *panel, size_t rows, size_t inner,
                       bool add)
{
    size_t row = 0;
    for (; row + ROWS <= rows; row += ROWS)
        block(out + row * stride, stride, a + row * inner, panel, inner, add, ROWS);
    for (; row + 4 <= rows; row += 4)
        block(out + row * stride, stride, a + row * inner, panel, inner, add, 4);
    for (; row < rows; row++)
        block(out + row * stride, stride, a + row * inner, panel, inner, add, 1);
}

/* The last columns, where they fill no whole panel: through a tile. */
static void narrow_panel(float *out, size_t stride, const float *a, const float *panel, size_t rows, size_t inner,
                         bool add, size_t columns)
{
    for (size_t first = 0; first < rows; first += ROWS) {
        float tile[ROWS * WIDTH];
        size_t count = rows - first < ROWS ? rows - first : ROWS;
        panel_rows(tile, WIDTH, a + first * inner, panel, count, inner, false);
        for (size_t row = 0; row < count; row++)
            for (size_t j = 0; j < columns; j++) {
                float *to = out + (first + row) * stride + j;
                *to = add ? *to + tile[row * WIDTH + j] : tile[row * WIDTH + j];
            }
    }
}

void PANEL_NAME(panel_product)(float *out, const float *a, const float *panels, int rows, int columns, int inner,
                               bool add)
{
    size_t width = (size_t)columns, depth = (size_t)inner;
    for (size_t first = 0; first < width; first += WIDTH) {
        const float *panel = panels + first * depth;
        if (first + WIDTH <= width)
            panel_rows(out + first, width, a, panel, (size_t)rows, depth, add);
        else
            narrow_panel(out + first, width, a, panel, (size_t)rows, depth, add, width - first);
    }
}

void PANEL_NAME(panel_pack)(float *panels, const float *b, int inner, int columns, size_t row_stride,
                            size_t column_stride)
{
    size_t width = (size_t)columns, depth = (size_t)inner;
    for (size_t first = 0; first < width; first += WIDTH) {
        float *panel = panels + first * depth;
        size_t count = width - first < WIDTH ? width - first : WIDTH;
        for (size_t k = 0; k < depth; k++)
            for (size_t j = 0; j < WIDTH; j++)
                panel[k * WIDTH + j] = j < count ? b[k * row_stride + (first + j) * column_stride] : 0.0f;
    }
}

const int PANEL_NAME(panel_width) = WIDTH;
