/* 16-bit floats: every one of them there and back, ties, what is too large, and subnormal numbers. */
#include "base/half.h"
#include "tests/support/unit.h"

#include <math.h>

static void every_finite_half_comes_back(void **state)
{
    (void)state;
    for (uint32_t half = 0; half <= UINT16_MAX; half++) {
        uint16_t back;
        float value = half_to_float((uint16_t)half);
        if (isfinite(value)) {
            assert_true(half_from_float(&back, value));
            assert_int_equal(back, half);
        } else {
            assert_int_equal(half >> 10 & 0x1f, 0x1f);
            assert_false(half_from_float(&back, value));
        }
    }
}

/* Between two neighbours the nearer one is taken, and in the middle the even one. */
static void values_between_round_to_the_nearest(void **state)
{
    (void)state;
    for (uint16_t half = 0; half < 0x7bff; half++) {
        uint16_t got;
        float low = half_to_float(half), high = half_to_float((uint16_t)(half + 1)), middle = (low + high) / 2;
        assert_true(half_from_float(&got, middle));
        assert_int_equal(got, half + (half & 1));
        assert_true(half_from_float(&got, nextafterf(middle, 0.0f)));
        assert_int_equal(got, half);
        assert_true(half_from_float(&got, -nextafterf(middle, INFINITY)));
        assert_int_equal(got, 0x8000 | (half + 1));
    }
}

static void what_is_too_large_is_refused(void **state)
{
    (void)state;
    uint16_t half;
    assert_true(half_from_float(&half, nextafterf(65520.0f, 0.0f)));
    assert_int_equal(half, 0x7bff);
    assert_false(half_from_float(&half, 65520.0f));
    assert_false(half_from_float(&half, -1e30f));
    assert_false(half_from_float(&half, INFINITY));
    assert_false(half_from_float(&half, NAN));
    assert_true(half_from_float(&half, 1e-30f));
    assert_int_equal(half, 0);
    assert_true(isnan(half_to_float(0x7e00)));
    assert_true(half_to_float(0xfc00) == -INFINITY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_finite_half_comes_back),
        cmocka_unit_test(values_between_round_to_the_nearest),
        cmocka_unit_test(what_is_too_large_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
