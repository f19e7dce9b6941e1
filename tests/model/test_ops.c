/* Every operation of model/nn/ops.h against its double-precision twin, at sizes that are no multiple of any vector. */
#include "tests/model/naive_ops.h"
#include "tests/support/unit.h"

#include "model/nn/ops.h"

#include <math.h>
#include <stdlib.h>

static const double tolerance = 2e-6;
static const size_t sizes[] = {1, 2, 3, 7, 9, 16, 17, 33};
enum { NUM_SIZES = sizeof sizes / sizeof *sizes };

/* An array as the twin sees it and as the operation does. */
struct array {
    size_t count;
    double *doubles;
    float *floats;
};

static struct array make_array(size_t count, uint64_t *seed)
{
    struct array array = {.count = count, .doubles = naive_doubles(count)};
    naive_fill(array.doubles, count, 1, seed);
    array.floats = naive_to_floats(array.doubles, count);
    return array;
}

/* An output: what is to be replaced holds NaN, so that reading it shows; what is to be added to holds numbers. */
static struct array make_output(size_t count, enum op_write write, uint64_t *seed)
{
    struct array array = make_array(count, seed);
    for (size_t n = 0; n < count && write == OP_REPLACE; n++) {
        array.doubles[n] = 0;
        array.floats[n] = NAN;
    }
    return array;
}

static void array_free(struct array *array)
{
    free(array->doubles);
    free(array->floats);
}

/* Summands are of size 1: a sum that happens to come near 0 is no more exact than another. */
static void assert_agrees(const struct array *array, const char *what)
{
    for (size_t n = 0; n < array->count; n++) {
        double error = fabs((double)array->floats[n] - array->doubles[n]);
        if (!(error <= tolerance * fmax(1, fabs(array->doubles[n]))))
            fail_msg("%s: %.9g, not %.9g", what, (double)array->floats[n], array->doubles[n]);
    }
    if (!naive_guard_intact(array->floats, array->count))
        fail_msg("%s: writes behind the end of its output", what);
}

typedef void matmul_function(float *out, const float *a, const float *b, int rows, int columns, int inner,
                             enum op_write write);

enum { GAP = 3 };

static void all_columns_transposed(float *out, const float *a, const float *b, int rows, int columns, int inner,
                                   enum op_write write)
{
    matmul_transposed_a(out, a, rows, b, rows, columns, inner, write);
}

static void some_columns_transposed(float *out, const float *a, const float *b, int rows, int columns, int inner,
                                    enum op_write write)
{
    matmul_transposed_a(out, a, rows + GAP, b, rows, columns, inner, write);
}

static void check_matmul(matmul_function *multiply, const char *name, size_t rows, size_t columns, size_t inner,
                         const size_t strides[4], enum op_write write, uint64_t *seed)
{
    char what[128];
    snprintf(what, sizeof what, "%s %zu x %zu x %zu, write %d", name, rows, columns, inner, (int)write);
    struct array a = make_array((rows + GAP) * inner, seed), b = make_array(inner * columns, seed);
    struct array out = make_output(rows * columns, write, seed);
    naive_product(out.doubles, a.doubles, b.doubles, strides, rows, columns, inner);
    multiply(out.floats, a.floats, b.floats, (int)rows, (int)columns, (int)inner, write);
    assert_agrees(&out, what);
    array_free(&a);
    array_free(&b);
    array_free(&out);
}

static void gemms(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (size_t n = 0; n < NUM_SIZES * NUM_SIZES * NUM_SIZES; n++) {
        size_t rows = sizes[n % NUM_SIZES], columns = sizes[n / NUM_SIZES % NUM_SIZES];
        size_t inner = sizes[n / NUM_SIZES / NUM_SIZES];
        for (int add = 0; add < 2; add++) {
            enum op_write write = add ? OP_ADD : OP_REPLACE;
            check_matmul(matmul, "matmul", rows, columns, inner, (size_t[]){inner, 1, columns, 1}, write, &seed);
            check_matmul(matmul_transposed_b, "matmul_transposed_b", rows, columns, inner,
                         (size_t[]){inner, 1, 1, inner}, write, &seed);
            check_matmul(all_columns_transposed, "matmul_transposed_a", rows, columns, inner,
                         (size_t[]){1, rows, columns, 1}, write, &seed);
            check_matmul(some_columns_transposed, "matmul_transposed_a of some columns", rows, columns, inner,
                         (size_t[]){1, rows + GAP, columns, 1}, write, &seed);
        }
    }
}

static void check_dense(size_t rows, size_t inputs, size_t outputs, uint64_t *seed)
{
    struct array x = make_array(rows * inputs, seed), kernel = make_array(inputs * outputs, seed);
    struct array bias = make_array(outputs, seed), out = make_output(rows * outputs, OP_REPLACE, seed);
    naive_dense(out.doubles, x.doubles, kernel.doubles, bias.doubles, rows, inputs, outputs);
    dense(out.floats, x.floats, kernel.floats, bias.floats, (int)rows, (int)inputs, (int)outputs);
    assert_agrees(&out, "dense");
    array_free(&x);
    array_free(&kernel);
    array_free(&bias);
    array_free(&out);
}

static void check_dense_backward(size_t rows, size_t inputs, size_t outputs, enum op_write write, enum op_write write_x,
                                 uint64_t *seed)
{
    struct array x = make_array(rows * inputs, seed), kernel = make_array(inputs * outputs, seed);
    struct array d_out = make_array(rows * outputs, seed), d_x = make_output(rows * inputs, write_x, seed);
    struct array d_kernel = make_output(inputs * outputs, write, seed), d_bias = make_output(outputs, write, seed);
    naive_dense_backward(d_x.doubles, d_kernel.doubles, d_bias.doubles, d_out.doubles, x.doubles, kernel.doubles, rows,
                         inputs, outputs);
    dense_backward(d_kernel.floats, d_bias.floats, d_x.floats, d_out.floats, x.floats, kernel.floats, (int)rows,
                   (int)inputs, (int)outputs, write, write_x);
    assert_agrees(&d_x, "dense_backward's d_x");
    assert_agrees(&d_kernel, "dense_backward's d_kernel");
    assert_agrees(&d_bias, "dense_backward's d_bias");
    dense_backward(d_kernel.floats, d_bias.floats, NULL, d_out.floats, x.floats, kernel.floats, (int)rows, (int)inputs,
                   (int)outputs, OP_REPLACE, OP_REPLACE);
    memset(d_kernel.doubles, 0, d_kernel.count * sizeof(double));
    memset(d_bias.doubles, 0, d_bias.count * sizeof(double));
    naive_dense_backward(NULL, d_kernel.doubles, d_bias.doubles, d_out.doubles, x.doubles, kernel.doubles, rows, inputs,
                         outputs);
    assert_agrees(&d_kernel, "dense_backward's d_kernel without d_x");
    assert_agrees(&d_bias, "dense_backward's d_bias without d_x");
    struct array *all[] = {&x, &kernel, &d_out, &d_x, &d_kernel, &d_bias};
    for (size_t n = 0; n < sizeof all / sizeof *all; n++)
        array_free(all[n]);
}

static void dense_layers(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (size_t n = 0; n < NUM_SIZES * NUM_SIZES * NUM_SIZES; n++) {
        size_t rows = sizes[n % NUM_SIZES], inputs = sizes[n / NUM_SIZES % NUM_SIZES];
        size_t outputs = sizes[n / NUM_SIZES / NUM_SIZES];
        check_dense(rows, inputs, outputs, &seed);
        check_dense_backward(rows, inputs, outputs, OP_REPLACE, OP_ADD, &seed);
        check_dense_backward(rows, inputs, outputs, OP_ADD, OP_REPLACE, &seed);
    }
}

static void check_rows(size_t rows, size_t columns, enum op_write write, uint64_t *seed)
{
    struct array a = make_array(rows * columns, seed), bias = make_array(columns, seed);
    struct array sum = make_output(columns, write, seed);
    for (size_t n = 0; n < rows * columns; n++)
        sum.doubles[n % columns] += a.doubles[n];
    sum_rows(sum.floats, a.floats, (int)rows, (int)columns, write);
    assert_agrees(&sum, "sum_rows");
    for (size_t n = 0; n < rows * columns; n++)
        a.doubles[n] += bias.doubles[n % columns];
    add_bias(a.floats, bias.floats, (int)rows, (int)columns);
    assert_agrees(&a, "add_bias");
    array_free(&a);
    array_free(&bias);
    array_free(&sum);
}

static void rows_and_biases(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (size_t n = 0; n < NUM_SIZES * NUM_SIZES; n++) {
        check_rows(sizes[n % NUM_SIZES], sizes[n / NUM_SIZES], OP_REPLACE, &seed);
        check_rows(sizes[n % NUM_SIZES], sizes[n / NUM_SIZES], OP_ADD, &seed);
    }
}

static void back_through_tanh(void **state)
{
    (void)state;
    uint64_t seed = 4;
    for (size_t n = 0; n < NUM_SIZES; n++) {
        struct array a = make_array(sizes[n], &seed), t = make_array(sizes[n], &seed);
        struct array out = make_output(sizes[n], OP_REPLACE, &seed);
        for (size_t k = 0; k < sizes[n]; k++)
            a.doubles[k] = out.doubles[k] = a.doubles[k] * (1 - t.doubles[k] * t.doubles[k]);
        tanh_backward(out.floats, a.floats, t.floats, sizes[n]);
        assert_agrees(&out, "tanh_backward");
        tanh_backward(a.floats, a.floats, t.floats, sizes[n]);
        assert_agrees(&a, "tanh_backward in place");
        array_free(&a);
        array_free(&t);
        array_free(&out);
    }
}

static void norms(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (size_t count = 0; count < 70; count++) {
        struct array a = make_array(count, &seed);
        double sum = 0;
        for (size_t n = 0; n < count; n++)
            sum += a.doubles[n] * a.doubles[n];
        assert_true(fabs(global_norm(a.floats, count) - sqrt(sum)) <= 1e-12 * sqrt(sum));
        for (size_t n = 0; n < count; n++) {
            float before = a.floats[n];
            a.floats[n] = NAN;
            assert_true(isnan(global_norm(a.floats, count)));
            a.floats[n] = -INFINITY;
            assert_true(isinf(global_norm(a.floats, count)));
            a.floats[n] = 3e38f;
            assert_true(fabs(global_norm(a.floats, count) / 3e38 - 1) < 1e-6);
            a.floats[n] = before;
        }
        array_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gemms),           cmocka_unit_test(dense_layers),
        cmocka_unit_test(rows_and_biases), cmocka_unit_test(back_through_tanh),
        cmocka_unit_test(norms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
