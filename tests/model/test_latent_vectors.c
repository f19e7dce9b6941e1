/* Latent vectors that are drawn, and those on the way between two. */
#include "tests/support/unit.h"

#include "model/inference/generation.h"

#include <math.h>

static const double tolerance = 1e-5;

static void assert_near(float value, double expected)
{
    if (!(fabs((double)value - expected) <= tolerance))
        fail_msg("%.9g, not %.9g", (double)value, expected);
}

static void latents_are_normal_and_their_own(void **state)
{
    (void)state;
    enum { COUNT = 500, SIZE = 7 };
    float z[COUNT * SIZE], one[SIZE];
    double sum = 0, squares = 0;
    generation_draw_latents(z, COUNT, SIZE, 8, 100);
    for (int n = 0; n < COUNT * SIZE; n++) {
        sum += (double)z[n];
        squares += (double)z[n] * (double)z[n];
    }
    assert_true(fabs(sum / (COUNT * SIZE)) < 0.06);
    assert_true(fabs(squares / (COUNT * SIZE) - 1) < 0.1);
    generation_draw_latents(one, 1, SIZE, 8, 142);
    assert_memory_equal(one, &z[42 * SIZE], sizeof one);
    generation_draw_latents(one, 1, SIZE, 9, 142);
    assert_memory_not_equal(one, &z[42 * SIZE], sizeof one);
}

static void slerp_follows_the_arc(void **state)
{
    (void)state;
    const float a[3] = {2, 0, 0}, b[3] = {0, 0, 2};
    float out[3];
    for (int n = 0; n <= 8; n++) {
        double fraction = n / 8.0, angle = fraction * acos(0);
        generation_slerp(out, a, b, fraction, 3);
        assert_near(out[0], 2 * cos(angle));
        assert_near(out[1], 0);
        assert_near(out[2], 2 * sin(angle));
    }
    generation_slerp(out, a, b, 0, 3);
    assert_memory_equal(out, a, sizeof a);
    generation_slerp(out, a, b, 1, 3);
    assert_memory_equal(out, b, sizeof b);
}

/* Where there is no arc, or no single one, the way is the straight line. */
static void slerp_without_an_arc_is_a_line(void **state)
{
    (void)state;
    const float a[2] = {1, 2}, longer[2] = {3, 6}, opposite[2] = {-1, -2}, zero[2] = {0, 0};
    const float *ends[] = {a, longer, opposite, zero};
    float out[2];
    for (size_t n = 0; n < sizeof ends / sizeof *ends; n++) {
        generation_slerp(out, a, ends[n], 0.25, 2);
        for (int k = 0; k < 2; k++)
            assert_near(out[k], 0.75 * (double)a[k] + 0.25 * (double)ends[n][k]);
    }
    generation_slerp(out, zero, zero, 0.5, 2);
    assert_memory_equal(out, zero, sizeof zero);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latents_are_normal_and_their_own),
        cmocka_unit_test(slerp_follows_the_arc),
        cmocka_unit_test(slerp_without_an_arc_is_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
