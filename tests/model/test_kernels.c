/* The vector kernels, each version that this processor runs, against double precision: accuracy over the floats, tails
 * of every vector width, outputs that are inputs, NaN. */
#include "tests/model/naive_ops.h"

#include "model/kernels/kernels.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double tolerance = 2e-6;

/* Units in the last place of float between `value` and the exact result. */
static double ulps(float value, double exact)
{
    int exponent;
    frexp(exact, &exponent);
    double unit = ldexp(1, (exponent < FLT_MIN_EXP ? FLT_MIN_EXP : exponent) - FLT_MANT_DIG);
    return fabs((double)value - exact) / unit;
}

typedef void unary_function(float *out, const float *x, size_t count);

/* Goes through the bit patterns of float in strides: every exponent, both signs, with a few thousand fractions each.
 * Where the exact result is below `floor`, only that the computed one is as good as 0 matters. */
static void check_accuracy(const struct kernels *kernels, const char *name, unary_function *function,
                           double (*exact)(double), double floor)
{
    enum { BLOCK = 1024 };
    const uint64_t stride = 2053;
    float x[BLOCK], out[BLOCK];
    for (uint64_t start = 0; start <= UINT32_MAX; start += BLOCK * stride) {
        for (size_t n = 0; n < BLOCK; n++) {
            uint32_t bits = (uint32_t)(start + n * stride);
            memcpy(&x[n], &bits, sizeof bits);
        }
        function(out, x, BLOCK);
        for (size_t n = 0; n < BLOCK; n++) {
            double expected = exact((double)x[n]);
            if (isnan(x[n]) ? isnan(out[n]) : ulps(out[n], expected) <= 3)
                continue;
            if (fabs(expected) < floor && fabsf(out[n]) < 2 * floor)
                continue;
            fail_msg("%s %s(%.9g) = %.9g, not %.9g", kernels->name, name, (double)x[n], (double)out[n], expected);
        }
    }
}

static void sigmoid_and_tanh_are_accurate(void **state)
{
    (void)state;
    size_t count;
    const struct kernels *const *versions = kernels_runnable(&count);
    for (size_t n = 0; n < count; n++) {
        check_accuracy(versions[n], "tanh", versions[n]->tanh, tanh, 0);
        check_accuracy(versions[n], "sigmoid", versions[n]->sigmoid, naive_sigmoid, 2e-38);
    }
}

static void check_unary_tails(unary_function *function, double (*exact)(double), uint64_t *seed)
{
    for (size_t count = 0; count < 70; count++) {
        double *x = naive_doubles(count);
        naive_fill(x, count, 4, seed);
        float *in = naive_to_floats(x, count), *out = naive_to_floats(x, count);
        for (size_t n = 0; n < count; n++)
            x[n] = exact(x[n]);
        function(out, in, count);
        assert_true(naive_float_error(out, x, count) <= tolerance);
        assert_true(naive_guard_intact(out, count));
        function(in, in, count);
        assert_memory_equal(in, out, count * sizeof *out);
        free(x);
        free(in);
        free(out);
    }
}

static void unary_kernels_end_where_they_should(void **state)
{
    (void)state;
    uint64_t seed = 1;
    size_t count;
    const struct kernels *const *versions = kernels_runnable(&count);
    for (size_t n = 0; n < count; n++) {
        check_unary_tails(versions[n]->tanh, tanh, &seed);
        check_unary_tails(versions[n]->sigmoid, naive_sigmoid, &seed);
    }
}

static void check_dropout(const struct kernels *kernels, size_t count, uint64_t *seed)
{
    double *x = naive_doubles(count), *expected = naive_doubles(count);
    uint8_t *mask = calloc(count + 1, 1);
    assert_non_null(mask);
    naive_fill(x, count, 1, seed);
    naive_fill_mask(mask, count, 0.5, seed);
    for (size_t n = 0; n < count; n++)
        expected[n] = mask[n] ? x[n] * 2 : 0;
    float *in = naive_to_floats(x, count), *out = naive_to_floats(x, count);
    for (size_t n = 0; n < count; n += 3)
        if (!mask[n])
            in[n] = INFINITY;
    kernels->dropout(out, in, mask, 2.0f, count);
    assert_true(naive_float_error(out, expected, count) <= 0);
    assert_true(naive_guard_intact(out, count));
    kernels->dropout(in, in, mask, 2.0f, count);
    assert_memory_equal(in, out, count * sizeof *out);
    free(x);
    free(expected);
    free(mask);
    free(in);
    free(out);
}

/* What is dropped is 0 even where it was infinite. */
static void dropout_keeps_what_the_mask_says(void **state)
{
    (void)state;
    uint64_t seed = 2;
    size_t num_versions;
    const struct kernels *const *versions = kernels_runnable(&num_versions);
    for (size_t n = 0; n < num_versions; n++)
        for (size_t count = 0; count < 140; count++)
            check_dropout(versions[n], count, &seed);
}

static void check_adam(const struct kernels *kernels, size_t count, uint64_t *seed)
{
    const double learning_rate = 1e-3, scale = 0.25;
    double *values = naive_doubles(count), *m = naive_doubles(count), *v = naive_doubles(count);
    double *gradient = naive_doubles(count);
    naive_fill(values, count, 1, seed);
    float *values_f = naive_to_floats(values, count), *m_f = naive_to_floats(m, count),
          *v_f = naive_to_floats(v, count);
    for (unsigned step = 1; step <= 4; step++) {
        naive_fill(gradient, count, 1, seed);
        for (size_t n = 0; n < count; n += 5)
            gradient[n] = 0;
        float *gradient_f = naive_to_floats(gradient, count);
        for (size_t n = 0; n < count; n++)
            gradient[n] *= scale;
        naive_adam(values, m, v, gradient, count, learning_rate, step);
        double root = sqrt(1 - pow(0.999, step));
        kernels->adam(values_f, m_f, v_f, gradient_f, (float)scale,
                      (float)(learning_rate * root / (1 - pow(0.9, step))), (float)(1e-8 * root), count);
        free(gradient_f);
    }
    assert_true(naive_float_error(values_f, values, count) <= tolerance);
    assert_true(naive_float_error(m_f, m, count) <= tolerance);
    /* 1 - 0.999 is 1.3e-5 smaller when 0.999 has been rounded to float. */
    assert_true(naive_float_error(v_f, v, count) <= 2e-5);
    assert_true(naive_guard_intact(values_f, count) && naive_guard_intact(m_f, count) &&
                naive_guard_intact(v_f, count));
    double *all[] = {values, m, v, gradient};
    float *all_f[] = {values_f, m_f, v_f};
    for (int n = 0; n < 4; n++)
        free(all[n]);
    for (int n = 0; n < 3; n++)
        free(all_f[n]);
}

static void adam_is_adam(void **state)
{
    (void)state;
    uint64_t seed = 3;
    size_t num_versions;
    const struct kernels *const *versions = kernels_runnable(&num_versions);
    for (size_t n = 0; n < num_versions; n++)
        for (size_t count = 0; count < 40; count++)
            check_adam(versions[n], count, &seed);
}

/* Both passes by themselves: the sums of squares that the first gives, and how far the second moves at any rate. */
static void check_lamb(const struct kernels *kernels, size_t count, uint64_t *seed)
{
    const double rate = 0.01, weight_decay = 0.25, scale = 0.25, correction = 1.5, epsilon = 1e-3;
    const struct lamb_step step = {(float)scale, (float)correction, (float)epsilon, (float)weight_decay};
    double *values = naive_doubles(count), *m = naive_doubles(count), *v = naive_doubles(count);
    double *gradient = naive_doubles(count), squares[2], expected[2] = {0};
    naive_fill(values, count, 1, seed);
    naive_fill(gradient, count, 1, seed);
    for (size_t n = 0; n < count; n += 5)
        gradient[n] = 0;
    float *values_f = naive_to_floats(values, count), *m_f = naive_to_floats(m, count),
          *v_f = naive_to_floats(v, count), *gradient_f = naive_to_floats(gradient, count);
    for (size_t n = 0; n < count; n++) {
        m[n] = 0.1 * scale * gradient[n];
        v[n] = 0.001 * scale * gradient[n] * scale * gradient[n];
        double direction = correction * m[n] / (sqrt(v[n]) + epsilon) + weight_decay * values[n];
        expected[0] += values[n] * values[n];
        expected[1] += direction * direction;
        values[n] -= rate * direction;
    }
    kernels->lamb_moments(squares, m_f, v_f, values_f, gradient_f, &step, count);
    for (int n = 0; n < 2; n++)
        assert_true(fabs(squares[n] - expected[n]) <= 2e-5 * expected[n]);
    kernels->lamb_move(values_f, m_f, v_f, &step, (float)rate, count);
    assert_true(naive_float_error(values_f, values, count) <= tolerance);
    assert_true(naive_float_error(m_f, m, count) <= tolerance);
    assert_true(naive_float_error(v_f, v, count) <= 2e-5);
    float *all_f[] = {values_f, m_f, v_f, gradient_f};
    double *all[] = {values, m, v, gradient};
    for (int n = 0; n < 4; n++) {
        assert_true(naive_guard_intact(all_f[n], count));
        free(all_f[n]);
        free(all[n]);
    }
}

static void lamb_ends_where_it_should(void **state)
{
    (void)state;
    uint64_t seed = 4;
    size_t num_versions;
    const struct kernels *const *versions = kernels_runnable(&num_versions);
    for (size_t n = 0; n < num_versions; n++)
        for (size_t count = 0; count < 200; count++)
            check_lamb(versions[n], count, &seed);
}

/* All arrays of one step of a cell. `gemm` is [x, h] W without the bias. */
struct cell {
    size_t batch, units;
    double *gemm, *bias, *c_before, *dh, *dh_above, *dc;
};

static struct cell make_cell(size_t batch, size_t units, uint64_t *seed)
{
    struct cell cell = {.batch = batch, .units = units};
    struct {
        double **array;
        size_t count;
        double scale;
    } arrays[] = {
        {&cell.gemm,     batch * 4 * units, 3},
        {&cell.bias,     4 * units,         1},
        {&cell.c_before, batch * units,     2},
        {&cell.dh,       batch * units,     1},
        {&cell.dh_above, batch * units,     1},
        {&cell.dc,       batch * units,     1},
    };
    for (size_t n = 0; n < sizeof arrays / sizeof *arrays; n++) {
        *arrays[n].array = naive_doubles(arrays[n].count);
        naive_fill(*arrays[n].array, arrays[n].count, arrays[n].scale, seed);
    }
    return cell;
}

static void cell_free(struct cell *cell)
{
    double *all[] = {cell->gemm, cell->bias, cell->c_before, cell->dh, cell->dh_above, cell->dc};
    for (size_t n = 0; n < sizeof all / sizeof *all; n++)
        free(all[n]);
}

/* Forward and backward of the cell, row by row. dc of `cell` becomes the gradient of c_before. */
static void naive_step(double *gates, double *c, double *h, double *dgates, struct cell *cell, bool above)
{
    size_t units = cell->units;
    double *dh = naive_copy(cell->dh, cell->batch * units);
    for (size_t n = 0; n < cell->batch * units && above; n++)
        dh[n] += cell->dh_above[n];
    for (size_t row = 0; row < cell->batch; row++) {
        size_t first = row * units;
        for (size_t j = 0; j < 4 * units; j++)
            gates[4 * first + j] = cell->gemm[4 * first + j] + cell->bias[j];
        naive_cell_forward(&c[first], &h[first], &gates[4 * first], &cell->c_before[first], units);
        naive_cell_backward(&dgates[4 * first], &cell->dc[first], &dh[first], &gates[4 * first], &c[first],
                            &cell->c_before[first], units);
    }
    free(dh);
}

static void assert_cell_array(float *values, const double *expected, size_t count, const char *kernels,
                              const char *what)
{
    double error = naive_float_error(values, expected, count);
    if (!(error <= tolerance))
        fail_msg("%s, %s of %zu: relative error %.3g", kernels, what, count, error);
    assert_true(naive_guard_intact(values, count));
    free(values);
}

/* Replaces x [rows, columns] by the same with its rows `stride` numbers apart. */
static void widen(double **x, size_t rows, size_t columns, size_t stride)
{
    double *wide = naive_widen(*x, rows, columns, stride);
    free(*x);
    *x = wide;
}

static void check_cell(const struct kernels *kernels, size_t batch, size_t units, bool above, uint64_t *seed)
{
    struct cell cell = make_cell(batch, units, seed);
    size_t count = batch * units, stride = 4 * units + (above ? 5 : 0), wide = batch * stride;
    double *gemm = naive_widen(cell.gemm, batch, 4 * units, stride);
    float *gates_f = naive_to_floats(gemm, wide), *bias = naive_to_floats(cell.bias, 4 * units);
    float *c_before = naive_to_floats(cell.c_before, count), *c_f = naive_to_floats(cell.dh, count);
    float *h_f = naive_to_floats(cell.dh, count), *dh = naive_to_floats(cell.dh, count);
    float *dh_above = naive_to_floats(cell.dh_above, count), *dc = naive_to_floats(cell.dc, count);
    double *gates = naive_doubles(4 * count), *dgates = naive_doubles(4 * count);
    double *c = naive_doubles(count), *h = naive_doubles(count);
    naive_step(gates, c, h, dgates, &cell, above);
    widen(&gates, batch, 4 * units, stride);
    widen(&dgates, batch, 4 * units, stride);

    kernels->lstm_forward(gates_f, stride, c_f, h_f, c_before, bias, (int)batch, (int)units);
    assert_true(naive_float_error(gates_f, gates, wide) <= tolerance);
    kernels->lstm_backward(gates_f, stride, dc, c_f, c_before, dh, above ? dh_above : NULL, (int)batch, (int)units);
    assert_cell_array(c_f, c, count, kernels->name, "c");
    assert_cell_array(h_f, h, count, kernels->name, "h");
    assert_cell_array(gates_f, dgates, wide, kernels->name, "the gates' gradients");
    assert_cell_array(dc, cell.dc, count, kernels->name, "dc");
    cell_free(&cell);
    free(gemm);
    float *floats[] = {bias, c_before, dh, dh_above};
    double *doubles[] = {gates, dgates, c, h};
    for (int n = 0; n < 4; n++) {
        free(floats[n]);
        free(doubles[n]);
    }
}

static void lstm_cells_agree_with_the_twin(void **state)
{
    (void)state;
    uint64_t seed = 4;
    size_t num_versions;
    const struct kernels *const *versions = kernels_runnable(&num_versions);
    for (size_t n = 0; n < num_versions; n++)
        for (size_t batch = 1; batch < 4; batch++)
            for (size_t units = 1; units < 36; units += units < 18 ? 1 : 5)
                check_cell(versions[n], batch, units, batch % 2 == 1, &seed);
}

/* Every upper half of a float with lower halves below, at and above the middle: all bf16 numbers with all that can be
 * rounded to them, among them zeros, subnormal numbers, those too large for bf16, infinities and NaN. */
static void check_bf16_conversion(const struct kernels *kernels)
{
    static const uint32_t lower_halves[] = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};
    enum { HALVES = sizeof lower_halves / sizeof *lower_halves };
    for (uint32_t upper = 0; upper <= UINT16_MAX; upper++) {
        float x[HALVES], back[HALVES];
        uint16_t rounded[HALVES];
        for (size_t n = 0; n < HALVES; n++) {
            uint32_t bits = upper << 16 | lower_halves[n];
            memcpy(&x[n], &bits, sizeof bits);
        }
        kernels->to_bf16(rounded, x, HALVES);
        kernels->from_bf16(back, rounded, HALVES);
        for (size_t n = 0; n < HALVES; n++) {
            float expected = (float)naive_round_bf16((double)x[n]);
            bool same = back[n] == expected && signbit(back[n]) == signbit(expected);
            if (!(isnan(x[n]) ? isnan(back[n]) && signbit(back[n]) == signbit(x[n]) : same))
                fail_msg("%s: %a is %a in bf16, not %a", kernels->name, (double)x[n], (double)back[n],
                         (double)expected);
        }
        assert_int_equal(rounded[0], isnan(x[0]) ? upper | 0x40 : upper);
    }
}

static void bf16_is_the_nearest(void **state)
{
    (void)state;
    size_t count;
    const struct kernels *const *versions = kernels_runnable(&count);
    for (size_t n = 0; n < count; n++)
        check_bf16_conversion(versions[n]);
}

static void bf16_conversion_ends_where_it_should(void **state)
{
    (void)state;
    enum { MOST = 70 };
    uint64_t seed = 9;
    size_t num_versions;
    const struct kernels *const *versions = kernels_runnable(&num_versions);
    double *values = naive_doubles(MOST);
    naive_fill(values, MOST, 1, &seed);
    for (size_t n = 0; n < num_versions; n++) {
        for (size_t count = 0; count < MOST; count++) {
            float *x = naive_to_floats(values, MOST), *back = naive_to_floats(values, count);
            uint16_t rounded[MOST + 1];
            memset(rounded, 0x55, sizeof rounded);
            versions[n]->to_bf16(rounded, x, count);
            versions[n]->from_bf16(back, rounded, count);
            assert_int_equal(rounded[count], 0x5555);
            assert_true(naive_guard_intact(back, count));
            for (size_t k = 0; k < count; k++)
                assert_true((double)back[k] == naive_round_bf16(values[k]));
            free(x);
            free(back);
        }
    }
    free(values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sigmoid_and_tanh_are_accurate),
        cmocka_unit_test(unary_kernels_end_where_they_should),
        cmocka_unit_test(dropout_keeps_what_the_mask_says),
        cmocka_unit_test(adam_is_adam),
        cmocka_unit_test(lamb_ends_where_it_should),
        cmocka_unit_test(lstm_cells_agree_with_the_twin),
        cmocka_unit_test(bf16_is_the_nearest),
        cmocka_unit_test(bf16_conversion_ends_where_it_should),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
