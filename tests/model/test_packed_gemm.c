/* The packed GEMMs, each version that this processor runs, against sums written out in double precision. */
#include "tests/model/naive_ops.h"
#include "tests/support/unit.h"

#include "model/kernels/kernels.h"

#include <stdlib.h>

static const double tolerance = 2e-6;

/* Rows of the result are `gap` floats further apart than they are long. */
static float *take_columns(const double *x, size_t rows, size_t width, size_t first, size_t count, size_t gap)
{
    double *part = naive_doubles(rows * count + 1);
    for (size_t row = 0; row < rows; row++)
        for (size_t j = 0; j < count; j++)
            part[row * count + j] = x[row * width + first + j];
    double *wide = naive_widen(part, rows, count, count + gap);
    float *floats = naive_to_floats(wide, rows * (count + gap));
    free(part);
    free(wide);
    return floats;
}

/* A random matrix in doubles, and in floats cut after `split` columns. */
struct halves {
    double *whole;
    float *first, *second;
    struct kernels_rows rows;
};

static struct halves make_halves(size_t rows, size_t width, size_t split, size_t gap, uint64_t *seed)
{
    struct halves made = {.whole = naive_doubles(rows * width)};
    naive_fill(made.whole, rows * width, 1, seed);
    made.first = take_columns(made.whole, rows, width, 0, split, gap);
    made.second = take_columns(made.whole, rows, width, split, width - split, 0);
    made.rows = (struct kernels_rows){split > 0 ? made.first : NULL, split < width ? made.second : NULL, (int)split,
                                      (int)(width - split), split > 0 ? (int)(split + gap) : 0};
    return made;
}

static void free_halves(struct halves *halves)
{
    free(halves->whole);
    free(halves->first);
    free(halves->second);
}

/* out [rows, columns] (= or +=) the product, with strides as naive_product's. */
static void write_product(double *out, const double *a, const double *b, const size_t strides[4], size_t rows,
                          size_t columns, size_t inner, bool add)
{
    if (!add)
        memset(out, 0, rows * columns * sizeof *out);
    naive_product(out, a, b, strides, rows, columns, inner);
}

/* Takes `b` for [inner, columns], then for the same transposed, and compares with the sums written out; odd sizes, a cut
 * anywhere, rows with gaps between them, both ways of writing, the guard behind the output. */
static void check_panels(const struct kernels *kernels, size_t rows, size_t columns, size_t inner, size_t split,
                         uint64_t *seed)
{
    size_t gap = rows % 3, stride = columns + 2 * gap;
    struct halves a = make_halves(rows, inner, split, gap, seed);
    double *b = naive_doubles(inner * columns), *expected = naive_doubles(rows * columns);
    naive_fill(b, inner * columns, 1, seed);
    naive_fill(expected, rows * columns, 1, seed);
    double *wide = naive_widen(expected, rows, columns, stride);
    float *out = naive_to_floats(wide, rows * stride), *float_b = naive_to_floats(b, inner * columns);
    float *panels = malloc((kernels_packed_floats((int)inner, (int)columns) + 1) * sizeof *panels);
    assert_non_null(panels);
    for (int add = 1; add >= 0; add--) {
        size_t row_stride = add ? columns : 1, column_stride = add ? 1 : inner;
        write_product(expected, a.whole, b, (size_t[]){inner, 1, row_stride, column_stride}, rows, columns, inner,
                      add == 1);
        kernels->gemm_pack(panels, float_b, (int)inner, (int)columns, row_stride, column_stride);
        kernels->gemm_packed(out, stride, a.rows, panels, (int)inner, (int)rows, (int)columns, add == 1);
        free(wide);
        wide = naive_widen(expected, rows, columns, stride);
        assert_true(naive_float_error(out, wide, rows * stride) <= tolerance);
        assert_true(naive_guard_intact(out, rows * stride));
    }
    free_halves(&a);
    free(b);
    free(wide);
    free(expected);
    free(float_b);
    free(out);
    free(panels);
}

/* As check_panels, for the gradient of a matrix [width, columns] and the sums beside it. */
static void check_gradient(const struct kernels *kernels, size_t examples, size_t columns, size_t width, size_t split,
                           uint64_t *seed)
{
    const double one = 1;
    size_t gap = examples % 3, stride = columns + 2 * gap;
    struct halves a = make_halves(examples, width, split, gap, seed);
    double *d = naive_doubles(examples * columns), *expected = naive_doubles(width * columns);
    double *expected_sums = naive_doubles(columns);
    naive_fill(d, examples * columns, 1, seed);
    naive_fill(expected, width * columns, 1, seed);
    naive_fill(expected_sums, columns, 1, seed);
    double *wide_d = naive_widen(d, examples, columns, stride);
    float *float_d = naive_to_floats(wide_d, examples * stride), *out = naive_to_floats(expected, width * columns);
    float *sums = naive_to_floats(expected_sums, columns);
    float *scratch = malloc(kernels_gradient_floats() * sizeof *scratch);
    assert_non_null(scratch);
    for (int add = 1; add >= 0; add--) {
        write_product(expected, a.whole, d, (size_t[]){1, width, columns, 1}, width, columns, examples, add == 1);
        write_product(expected_sums, &one, d, (size_t[]){0, 0, columns, 1}, 1, columns, examples, add == 1);
        int middle = ((int)width + 1) / 2;
        kernels->gemm_gradient(out, sums, a.rows, 0, middle, float_d, stride, (int)examples, (int)columns, add == 1,
                               scratch);
        if (middle < (int)width)
            kernels->gemm_gradient(out, NULL, a.rows, middle, (int)width, float_d, stride, (int)examples, (int)columns,
                                   add == 1, scratch);
        assert_true(naive_float_error(out, expected, width * columns) <= tolerance);
        assert_true(naive_float_error(sums, expected_sums, columns) <= tolerance);
        assert_true(naive_guard_intact(out, width * columns));
        assert_true(naive_guard_intact(sums, columns));
    }
    free_halves(&a);
    free(d);
    free(wide_d);
    free(expected);
    free(expected_sums);
    free(float_d);
    free(out);
    free(sums);
    free(scratch);
}

typedef void check_function(const struct kernels *kernels, size_t rows, size_t columns, size_t width, size_t split,
                            uint64_t *seed);

/* Every version at every size, cut in several places. */
static void check_all(check_function *check, const size_t sizes[][3], size_t num_sizes, uint64_t seed)
{
    size_t count;
    const struct kernels *const *versions = kernels_runnable(&count);
    for (size_t n = 0; n < count; n++)
        for (size_t i = 0; i < num_sizes; i++)
            for (size_t split = 0; split <= sizes[i][2]; split += 1 + sizes[i][2] / 3)
                check(versions[n], sizes[i][0], sizes[i][1], sizes[i][2], split, &seed);
}

static void packed_gemms_are_sums_of_products(void **state)
{
    (void)state;
    static const size_t sizes[][3] = {
        {1,   1,   1  },
        {1,   32,  5  },
        {2,   31,  7  },
        {3,   33,  16 },
        {4,   64,  1  },
        {11,  40,  13 },
        {12,  32,  64 },
        {13,  17,  40 },
        {25,  96,  9  },
        {40,  100, 130},
        {330, 33,  20 }
    };
    check_all(check_panels, sizes, sizeof sizes / sizeof *sizes, 17);
}

static void gradients_are_sums_of_products(void **state)
{
    (void)state;
    static const size_t sizes[][3] = {
        {1,   1,   1  },
        {3,   32,  12 },
        {5,   31,  13 },
        {256, 64,  24 },
        {257, 33,  40 },
        {300, 8,   600},
        {520, 100, 39 }
    };
    check_all(check_gradient, sizes, sizeof sizes / sizeof *sizes, 23);
}

/* What lets a window's music be the same in any batch. */
static void a_row_of_a_packed_gemm_does_not_depend_on_the_others(void **state)
{
    (void)state;
    enum { MOST = 27, COLUMNS = 45, INNER = 19 };
    uint64_t seed = 5;
    size_t count;
    const struct kernels *const *versions = kernels_runnable(&count);
    double *a = naive_doubles(MOST * INNER), *b = naive_doubles(INNER * COLUMNS);
    naive_fill(a, MOST * INNER, 1, &seed);
    naive_fill(b, INNER * COLUMNS, 1, &seed);
    float *float_a = naive_to_floats(a, MOST * INNER), *float_b = naive_to_floats(b, INNER * COLUMNS);
    for (size_t n = 0; n < count; n++) {
        float *panels = malloc(kernels_packed_floats(INNER, COLUMNS) * sizeof *panels);
        float all[MOST * COLUMNS], some[MOST * COLUMNS];
        assert_non_null(panels);
        versions[n]->gemm_pack(panels, float_b, INNER, COLUMNS, COLUMNS, 1);
        struct kernels_rows a_rows = {.first = float_a, .first_size = INNER, .first_stride = INNER};
        versions[n]->gemm_packed(all, COLUMNS, a_rows, panels, INNER, MOST, COLUMNS, false);
        for (int rows = 1; rows < MOST; rows++) {
            versions[n]->gemm_packed(some, COLUMNS, a_rows, panels, INNER, rows, COLUMNS, false);
            assert_memory_equal(some, all, (size_t)rows * COLUMNS * sizeof *some);
        }
        free(panels);
    }
    free(a);
    free(b);
    free(float_a);
    free(float_b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_gemms_are_sums_of_products),
        cmocka_unit_test(gradients_are_sums_of_products),
        cmocka_unit_test(a_row_of_a_packed_gemm_does_not_depend_on_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
