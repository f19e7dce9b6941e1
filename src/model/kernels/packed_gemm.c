/* The GEMMs of an LSTM layer on one thread, in one version per instruction set, as vector_kernels.c: those with a weight
 * matrix that was packed into panels once for all steps, and the gradient of that matrix.
 *
 * A block of ROWS rows by two vectors of columns stays in registers while the inner dimension is run through: each step of it
 * loads two vectors of the panel and one number of each row. Every element of a packed GEMM is the same sum in the same
 * order, whatever block it falls into.
 *
 * A layer's panels are larger than the second cache, so a panel comes from the third one, or from memory, each time that it
 * is used. Its first blocks therefore prefetch the next panel, and every block prefetches what it will write to. That
 * matters most where there are few rows: docs/performance.md has the numbers. */
#include "model/kernels/packed_gemm.h"

#include <string.h>

#if defined(__AVX512F__)
enum { LANES = 16, ROWS = 12, MIDDLE_ROWS = 8, FEW_ROWS = 4 };
#elif defined(__AVX2__)
enum { LANES = 8, ROWS = 6, MIDDLE_ROWS = 4, FEW_ROWS = 2 };
#else
enum { LANES = 4, ROWS = 4, MIDDLE_ROWS = 3, FEW_ROWS = 2 };
#endif
enum {
    WIDTH = 2 * LANES,
    BASE_ROWS = 3, /* rows that are reached from one pointer: one for each row would be more than there are registers */
    BASES = (ROWS + BASE_ROWS - 1) / BASE_ROWS,
    LINE = 16,                               /* floats of a cache line */
    LINES = WIDTH > LINE ? WIDTH / LINE : 1, /* of a panel's row */
    NEAR = 8,                                /* rows of the panel that are prefetched ahead of their use */
    CHUNK_ROWS = KERNELS_CHUNK_ROWS,         /* rows of a that are worked on together: they stay in the second cache */
    DEPTH = KERNELS_GRADIENT_DEPTH,          /* examples that a gradient is summed over at a time */
    GRADIENT_ROWS = KERNELS_GRADIENT_ROWS / ROWS * ROWS, /* of a gradient that are worked on together */
};

enum locality { INTO_SECOND_CACHE = 2, INTO_ALL_CACHES = 3 };

typedef float vector __attribute__((vector_size(LANES * sizeof(float))));

static inline vector load(const float *x)
{
    vector v;
    memcpy(&v, x, sizeof v);
    return v;
}

/* Where the next panel will be read from: one line for each row of this one. NULL: nowhere. */
struct upcoming {
    const float *first;
    size_t stride;
};

typedef vector block_sums[ROWS][2];

/* sums += a [rows, inner] panel [inner, WIDTH], where a's element (row, k) is a[row * row_stride + k * k_stride]. `rows` and
 * the constant stride are known where this is inlined, so that `sums` lives in registers. */
static inline __attribute__((always_inline)) void add_products(block_sums sums, const float *restrict a,
                                                               size_t row_stride, size_t k_stride,
                                                               const float *restrict panel, size_t inner,
                                                               struct upcoming next, const size_t rows)
{
    const float *base[BASES];
#pragma GCC unroll 4
    for (size_t i = 0; i * BASE_ROWS < rows; i++)
        base[i] = a + i * BASE_ROWS * row_stride;
    for (size_t k = 0; k < inner; k++) {
        vector left = load(panel + k * WIDTH), right = load(panel + k * WIDTH + LANES);
        if (next.first)
            __builtin_prefetch(next.first + k * next.stride, 0, INTO_SECOND_CACHE);
#pragma GCC unroll 2
        for (size_t line = 0; line < LINES; line++)
            __builtin_prefetch(panel + (k + NEAR) * WIDTH + line * LINE, 0, INTO_ALL_CACHES);
#pragma GCC unroll 12
        for (size_t row = 0; row < rows; row++) {
            float x = base[row / BASE_ROWS][row % BASE_ROWS * row_stride];
            sums[row][0] += x * left;
            sums[row][1] += x * right;
        }
#pragma GCC unroll 4
        for (size_t i = 0; i * BASE_ROWS < rows; i++)
            base[i] += k_stride;
    }
}

static inline __attribute__((always_inline)) void clear(block_sums sums, const float *out, size_t stride,
                                                        const size_t rows)
{
#pragma GCC unroll 12
    for (size_t row = 0; row < rows; row++) {
        sums[row][0] = sums[row][1] = (vector){0};
#pragma GCC unroll 2
        for (size_t line = 0; line < LINES; line++)
            __builtin_prefetch(out + row * stride + line * LINE, 1, INTO_ALL_CACHES);
    }
}

static inline __attribute__((always_inline)) void store(float *restrict out, size_t stride, block_sums sums, bool add,
                                                        const size_t rows)
{
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

/* What the blocks of a packed GEMM have in common. */
struct panel_work {
    struct kernels_rows a;
    const float *panel;
    const float *next_panel;
    float *out;
    size_t stride; /* of out */
    bool add;
};

/* `rows` rows from `row` on, which is the panel's block number `number`. */
static inline __attribute__((always_inline)) void block(const struct panel_work *work, size_t row, size_t number,
                                                        const size_t rows)
{
    block_sums sums;
    size_t first_size = (size_t)work->a.first_size, second_size = (size_t)work->a.second_size;
    size_t stride = (size_t)work->a.first_stride;
    struct upcoming next = {number < LINES ? work->next_panel + number * LINE : NULL, WIDTH};
    float *out = work->out + row * work->stride;
    clear(sums, out, work->stride, rows);
    add_products(sums, work->a.first + row * stride, stride, 1, work->panel, first_size, next, rows);
    if (next.first)
        next.first += first_size * WIDTH;
    if (second_size > 0)
        add_products(sums, work->a.second + row * second_size, second_size, 1, work->panel + first_size * WIDTH,
                     second_size, next, rows);
    store(out, work->stride, sums, work->add, rows);
}

/* Rows [row, end) of one panel. */
static void panel_rows(const struct panel_work *work, size_t row, size_t end)
{
    size_t number = 0;
    for (; row + ROWS <= end; row += ROWS)
        block(work, row, number++, ROWS);
    for (; row + MIDDLE_ROWS <= end; row += MIDDLE_ROWS)
        block(work, row, number++, MIDDLE_ROWS);
    for (; row + FEW_ROWS <= end; row += FEW_ROWS)
        block(work, row, number++, FEW_ROWS);
    for (; row < end; row++)
        block(work, row, number++, 1);
}

/* Rows [row, end) of the last columns, where they fill no whole panel: through a tile. */
static void narrow_panel(const struct panel_work *work, size_t row, size_t end, size_t columns)
{
    for (; row < end; row += ROWS) {
        float tile[ROWS * WIDTH];
        size_t count = end - row < ROWS ? end - row : ROWS;
        struct panel_work part = *work;
        part.a.first += row * (size_t)work->a.first_stride;
        if (work->a.second_size > 0)
            part.a.second += row * (size_t)work->a.second_size;
        part.out = tile;
        part.stride = WIDTH;
        part.add = false;
        panel_rows(&part, 0, count);
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < columns; j++) {
                float *to = work->out + (row + i) * work->stride + j;
                *to = work->add ? *to + tile[i * WIDTH + j] : tile[i * WIDTH + j];
            }
    }
}

void GEMM_NAME(gemm_packed)(float *out, size_t stride, struct kernels_rows a, const float *panels, int inner, int rows,
                            int columns, bool add)
{
    size_t width = (size_t)columns, depth = (size_t)inner, count = (size_t)rows;
    size_t chunks = (count + CHUNK_ROWS - 1) / CHUNK_ROWS;
    for (size_t chunk = 0; chunk < chunks; chunk++) {
        size_t row = (count * chunk / chunks + ROWS - 1) / ROWS * ROWS;
        size_t end = chunk + 1 == chunks ? count : (count * (chunk + 1) / chunks + ROWS - 1) / ROWS * ROWS;
        for (size_t first = 0; first < width; first += WIDTH) {
            const float *panel = panels + first * depth;
            struct panel_work work = {a, panel, panel + depth * WIDTH, out + first, stride, add};
            if (first + WIDTH <= width)
                panel_rows(&work, row, end);
            else
                narrow_panel(&work, row, end, width - first);
        }
    }
}

void GEMM_NAME(gemm_pack)(float *panels, const float *b, int inner, int columns, size_t row_stride,
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

/* Columns [row, row + ROWS) of `depth` examples from `from` on, both halves seen as one matrix, to packed [depth, ROWS];
 * zeros beyond the last column. */
static void pack_block(float *packed, struct kernels_rows a, size_t row, size_t from, size_t depth)
{
    size_t first_size = (size_t)a.first_size, second_size = (size_t)a.second_size;
    for (size_t i = 0; i < ROWS; i++) {
        size_t column = row + i;
        const float *source = NULL;
        size_t stride = 0;
        if (column < first_size) {
            stride = (size_t)a.first_stride;
            source = a.first + from * stride + column;
        } else if (column < first_size + second_size) {
            stride = second_size;
            source = a.second + from * stride + column - first_size;
        }
        for (size_t k = 0; k < depth; k++)
            packed[k * ROWS + i] = source ? source[k * stride] : 0.0f;
    }
}

/* The same for a block that lies in one half wholly. */
static void pack_whole_block(float *packed, const float *source, size_t stride, size_t depth)
{
    for (size_t k = 0; k < depth; k++)
        memcpy(packed + k * ROWS, source + k * stride, ROWS * sizeof *packed);
}

static void pack_rows(float *packed, struct kernels_rows a, size_t row, size_t end, size_t from, size_t depth)
{
    size_t first_size = (size_t)a.first_size, second_size = (size_t)a.second_size;
    size_t first_stride = (size_t)a.first_stride;
    for (; row < end; row += ROWS, packed += depth * ROWS) {
        if (row + ROWS <= first_size)
            pack_whole_block(packed, a.first + from * first_stride + row, first_stride, depth);
        else if (row >= first_size && row + ROWS <= first_size + second_size)
            pack_whole_block(packed, a.second + from * second_size + row - first_size, second_size, depth);
        else
            pack_block(packed, a, row, from, depth);
    }
}

/* `count` columns of `depth` examples of b to panel [depth, WIDTH], zeros after them; adds them to sums [count] unless that is
 * NULL. */
static void pack_panel(float *panel, float *sums, const float *b, size_t stride, size_t count, size_t depth)
{
    if (count < WIDTH) {
        for (size_t k = 0; k < depth; k++)
            for (size_t j = 0; j < WIDTH; j++)
                panel[k * WIDTH + j] = j < count ? b[k * stride + j] : 0.0f;
        for (size_t k = 0; k < depth && sums; k++)
            for (size_t j = 0; j < count; j++)
                sums[j] += b[k * stride + j];
        return;
    }
    vector left = {0}, right = {0};
    for (size_t k = 0; k < depth; k++) {
        vector l = load(b + k * stride), r = load(b + k * stride + LANES);
        left += l;
        right += r;
        memcpy(panel + k * WIDTH, &l, sizeof l);
        memcpy(panel + k * WIDTH + LANES, &r, sizeof r);
    }
    if (!sums)
        return;
    left += load(sums);
    right += load(sums + LANES);
    memcpy(sums, &left, sizeof left);
    memcpy(sums + LANES, &right, sizeof right);
}

/* out [rows, columns], rows `stride` floats apart, (= or +=) packed^T panel. */
static void gradient_panel(float *out, size_t stride, const float *packed, const float *panel, size_t rows,
                           size_t columns, size_t depth, bool add, struct upcoming next)
{
    for (size_t row = 0; row < rows; row += ROWS, packed += depth * ROWS) {
        block_sums sums;
        size_t number = row / ROWS;
        struct upcoming lines = {number < LINES ? next.first + number * LINE : NULL, next.stride};
        if (rows - row >= ROWS && columns == WIDTH) {
            clear(sums, out + row * stride, stride, ROWS);
            add_products(sums, packed, 1, ROWS, panel, depth, lines, ROWS);
            store(out + row * stride, stride, sums, add, ROWS);
            continue;
        }
        float tile[ROWS * WIDTH];
        clear(sums, tile, WIDTH, ROWS);
        add_products(sums, packed, 1, ROWS, panel, depth, lines, ROWS);
        store(tile, WIDTH, sums, false, ROWS);
        for (size_t i = 0; i < ROWS && row + i < rows; i++)
            for (size_t j = 0; j < columns; j++) {
                float *to = out + (row + i) * stride + j;
                *to = add ? *to + tile[i * WIDTH + j] : tile[i * WIDTH + j];
            }
    }
}

void GEMM_NAME(gemm_gradient)(float *out, float *sums, struct kernels_rows a, int first_row, int end_row,
                              const float *d, size_t stride, int examples, int columns, bool add, float *scratch)
{
    size_t width = (size_t)columns, count = (size_t)examples, last = (size_t)end_row;
    float *packed = scratch, *panel = scratch + (size_t)GRADIENT_ROWS * DEPTH;
    if (sums && !add)
        memset(sums, 0, width * sizeof *sums);
    for (size_t from = 0; from < count; from += DEPTH) {
        size_t depth = count - from < DEPTH ? count - from : DEPTH;
        for (size_t row = (size_t)first_row; row < last; row += GRADIENT_ROWS) {
            size_t end = last - row < GRADIENT_ROWS ? last : row + GRADIENT_ROWS;
            pack_rows(packed, a, row, end, from, depth);
            for (size_t first = 0; first < width; first += WIDTH) {
                size_t some = width - first < WIDTH ? width - first : WIDTH;
                const float *examples_of_panel = d + from * stride + first;
                struct upcoming next = {examples_of_panel + WIDTH, stride};
                bool sum = sums && row == (size_t)first_row;
                pack_panel(panel, sum ? sums + first : NULL, examples_of_panel, stride, some, depth);
                gradient_panel(out + row * width + first, width, packed, panel, end - row, some, depth, add || from > 0,
                               next);
            }
        }
    }
}

const int GEMM_NAME(panel_width) = WIDTH;
