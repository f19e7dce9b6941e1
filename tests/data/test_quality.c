#include "data/quality/comparison.h"
#include "data/quality/copying.h"
#include "data/quality/distributions.h"

#include "tests/data/data_set_fixture.h"
#include "tests/support/scratch.h"

#include <math.h>

#define assert_near(value, expected)                                                                                   \
    do {                                                                                                               \
        double value_ = (value), expected_ = (expected);                                                               \
        if (!(fabs(value_ - expected_) <= 1e-7))                                                                       \
            fail_msg("%s: %.9g, not %.9g", #value, value_, expected_);                                                 \
    } while (0)

enum { KICK = 0, SNARE = 1, BAR_CELLS = GRID_BAR_STEPS * NUM_DRUMS };

static struct grid bars_of(uint32_t bars)
{
    struct grid grid;
    struct error error;
    assert_ok(grid_make(&grid, bars * GRID_BAR_STEPS, &error), error);
    return grid;
}

static void hit(struct grid *grid, size_t step, size_t drum, uint8_t velocity, float offset)
{
    size_t cell = step * NUM_DRUMS + drum;
    grid->hits[cell] = 1;
    grid->velocity[cell] = velocity;
    grid->offset[cell] = offset;
}

static struct grid_cells cells_of(const struct grid *grid)
{
    return (struct grid_cells){grid->hits, grid->velocity, grid->offset};
}

static void compare(struct comparison *comparison, const struct grid *target, const struct grid *made, double qpm)
{
    struct grid_cells a = cells_of(target), b = cells_of(made);
    comparison_add(comparison, &a, &b, target->num_steps, qpm);
}

static void test_bins(void **state)
{
    (void)state;
    assert_int_equal(offset_bin(-1.0f), 0);
    assert_int_equal(offset_bin(0.0f), 16);
    assert_int_equal(offset_bin(0.0304f), 17);
    assert_int_equal(offset_bin(1.0f), 32);
    assert_int_equal(velocity_bin(1), 0);
    assert_int_equal(velocity_bin(64), 16);
    assert_int_equal(velocity_bin(127), 31);
}

/* Two kicks and a snare of the target; made: one of the kicks, later and softer, the snare, and another kick. At 125 a minute a
 * sixteenth lasts 120 ms. */
static void test_comparison(void **state)
{
    struct comparison comparison = {0};
    struct grid target = bars_of(1), made = bars_of(1);
    (void)state;
    hit(&target, 0, KICK, 100, 0.5f);
    hit(&target, 8, KICK, 90, 0.0f);
    hit(&target, 4, SNARE, 80, -0.25f);
    hit(&made, 0, KICK, 80, 0.25f);
    hit(&made, 9, KICK, 127, 0.0f);
    hit(&made, 4, SNARE, 84, -0.5f);
    compare(&comparison, &target, &made, 125);
    assert_near(quality_of(&comparison, QUALITY_PRECISION, ALL_DRUMS), 2.0 / 3);
    assert_near(quality_of(&comparison, QUALITY_RECALL, ALL_DRUMS), 2.0 / 3);
    assert_near(quality_of(&comparison, QUALITY_F1, ALL_DRUMS), 2.0 / 3);
    assert_near(quality_of(&comparison, QUALITY_F1, 1 << KICK), 0.5);
    assert_near(quality_of(&comparison, QUALITY_CELL_ACCURACY, ALL_DRUMS), 142.0 / 144);
    assert_near(quality_of(&comparison, QUALITY_SILENCE_ACCURACY, ALL_DRUMS), 141.0 / 144);
    assert_near(quality_of(&comparison, QUALITY_VELOCITY_MAE, ALL_DRUMS), 12);
    assert_near(quality_of(&comparison, QUALITY_TIMING_CELLS, ALL_DRUMS), 2);
    assert_near(quality_of(&comparison, QUALITY_TIMING_MAE_MS, ALL_DRUMS), 0.25 / 2 * 120);
    assert_near(quality_of(&comparison, QUALITY_QUANTIZED_MAE_MS, ALL_DRUMS), (0.5 + 0.25) / 2 / 2 * 120);
    assert_near(quality_of(&comparison, QUALITY_TIMING_MAE_RATIO, ALL_DRUMS), 0.5 / 0.75);
    assert_near(quality_of(&comparison, QUALITY_TIMING_MSE, ALL_DRUMS), 0.125 * 0.125);
    assert_near(quality_of(&comparison, QUALITY_QUANTIZED_MSE, 1 << SNARE), 0.125 * 0.125);
    assert_near(quality_of(&comparison, QUALITY_TIMING_MSE_RATIO, ALL_DRUMS), 0.125 / 0.3125);
    assert_true(isnan(quality_of(&comparison, QUALITY_VELOCITY_MAE, 1 << 5)));
    grid_free(&target);
    grid_free(&made);
}

/* One hit of each drum, so bins of 2 and 1 with add-one smoothing: where the bins differ the divergence is
 * 2/(n+1) ln 2 + 1/(n+1) ln(1/2). Drums weigh as many hits as they have in the target: two kicks, one snare. */
static void test_divergence_from_the_target(void **state)
{
    struct comparison comparison = {0};
    struct grid target = bars_of(1), made = bars_of(1);
    (void)state;
    hit(&target, 0, KICK, 100, 0.5f);
    hit(&target, 1, KICK, 100, 0.5f);
    hit(&target, 0, SNARE, 100, 0.5f);
    hit(&made, 2, KICK, 100, 0.5f);
    hit(&made, 3, KICK, 100, 0.5f);
    hit(&made, 0, SNARE, 100, -0.5f);
    compare(&comparison, &target, &made, 120);
    assert_near(quality_of(&comparison, QUALITY_TIMING_KL, 1 << SNARE), log(2) / (OFFSET_BINS + 1));
    assert_near(quality_of(&comparison, QUALITY_TIMING_KL, ALL_DRUMS), log(2) / (OFFSET_BINS + 1) / 3);
    assert_near(quality_of(&comparison, QUALITY_VELOCITY_KL, ALL_DRUMS), 0);
    assert_true(isnan(quality_of(&comparison, QUALITY_TIMING_KL, 1 << 5)));
    grid_free(&target);
    grid_free(&made);
}

static void test_parts_add_up(void **state)
{
    struct comparison whole = {0}, parts[2] = {0};
    (void)state;
    for (uint32_t i = 0; i < 6; i++) {
        struct grid target = fixture_grid(i, 2), made = fixture_grid(i + 20, 2);
        compare(&whole, &target, &made, 90 + (double)i);
        compare(&parts[i % 2], &target, &made, 90 + (double)i);
        grid_free(&target);
        grid_free(&made);
    }
    comparison_merge(&parts[1], &parts[0]);
    assert_memory_equal(&parts[1], &whole, sizeof whole);
}

static void test_tempos_of_any_kind(void **state)
{
    struct comparison comparison = {0};
    struct grid target = bars_of(1), made = bars_of(1);
    (void)state;
    hit(&target, 0, KICK, 100, 1.0f);
    hit(&made, 0, KICK, 100, -1.0f);
    compare(&comparison, &target, &made, 1e-30);
    assert_near(quality_of(&comparison, QUALITY_TIMING_MAE_MS, ALL_DRUMS), 1e9);
    assert_near(quality_of(&comparison, QUALITY_TIMING_MSE, ALL_DRUMS), 1);
    grid_free(&target);
    grid_free(&made);
}

static void test_distributions(void **state)
{
    struct distributions a = {0}, b = {0}, none = {0};
    struct grid grid = bars_of(2);
    (void)state;
    for (size_t drum = 0; drum < 4; drum++)
        hit(&grid, 16 + drum, drum, 127, 0.0f);
    hit(&grid, 0, KICK, 1, -1.0f);
    struct grid_cells cells = cells_of(&grid);
    distributions_add(&a, &cells, 2);
    assert_int_equal(a.windows, 1);
    assert_int_equal(a.many_drums, 1);
    assert_int_equal(a.silent, 0);
    assert_int_equal(a.counts[DISTRIBUTION_DRUMS][4], 1);
    assert_int_equal(a.counts[DISTRIBUTION_HITS][1], 1);
    assert_int_equal(a.counts[DISTRIBUTION_HITS][4], 1);
    assert_int_equal(a.counts[DISTRIBUTION_CLASSES][KICK], 2);
    assert_int_equal(a.counts[DISTRIBUTION_STEPS][0], 2);
    assert_int_equal(a.counts[DISTRIBUTION_STEPS][3], 1);
    assert_int_equal(a.counts[DISTRIBUTION_VELOCITIES][0], 1);
    assert_int_equal(a.counts[DISTRIBUTION_OFFSETS][16], 4);
    memset(grid.hits, 0, 2 * BAR_CELLS);
    distributions_add(&b, &cells, 2);
    assert_int_equal(b.silent, 1);
    for (int kind = 0; kind < NUM_DISTRIBUTIONS; kind++)
        assert_near(distributions_divergence(&a, &a, (enum distribution)kind), 0);
    assert_near(distributions_divergence(&a, &b, DISTRIBUTION_DRUMS), 1);
    assert_true(isnan(distributions_divergence(&a, &none, DISTRIBUTION_DRUMS)));
    /* (1/2, 1/2) and (1, 0): 1/2 (1/2 log2(2/3) + 1/2 log2(2) + log2(4/3)) */
    a.counts[DISTRIBUTION_DRUMS][4] = a.counts[DISTRIBUTION_DRUMS][5] = 3;
    b.counts[DISTRIBUTION_DRUMS][0] = 0;
    b.counts[DISTRIBUTION_DRUMS][4] = 9;
    assert_near(distributions_divergence(&a, &b, DISTRIBUTION_DRUMS), (log2(2.0 / 3) / 2 + 0.5 + log2(4.0 / 3)) / 2);
    grid_free(&grid);
}

/* A train split of p0, p2 and p3, of 1, 3 and 4 bars. */
static void test_floor(void **state)
{
    struct windows windows;
    struct error error;
    double floor[NUM_DISTRIBUTIONS], same[NUM_DISTRIBUTIONS];
    char *folder = scratch_make();
    (void)state;
    fixture_data_set(folder, 2);
    struct dataset *dataset = dataset_open(folder, &error);
    assert_non_null(dataset);
    assert_ok(windows_make(&windows, dataset, "train", 1, 1, &error), error);
    assert_ok(distributions_floor(floor, &windows, 4, &error), error);
    assert_ok(distributions_floor(same, &windows, 4, &error), error);
    assert_memory_equal(floor, same, sizeof floor);
    for (int kind = 0; kind < NUM_DISTRIBUTIONS; kind++)
        assert_true(floor[kind] >= 0 && floor[kind] < 1);
    assert_true(floor[DISTRIBUTION_VELOCITIES] > 0);
    assert_ok(distributions_floor(floor, &windows, windows.count, &error), error);
    assert_true(isnan(floor[DISTRIBUTION_DRUMS]));
    windows_free(&windows);
    dataset_close(dataset);
    scratch_remove(folder);
}

/* Against a search cell by cell. */
static int nearest_naively(const struct windows *windows, const uint8_t *hits)
{
    int best = windows->bars * BAR_CELLS;
    for (size_t i = 0; i < windows->count; i++) {
        const uint8_t *other = windows->dataset->hits + (size_t)windows->first_step[i] * NUM_DRUMS;
        int distance = 0;
        for (int cell = 0; cell < windows->bars * BAR_CELLS; cell++)
            distance += hits[cell] != other[cell];
        best = distance < best ? distance : best;
    }
    return best;
}

static void test_copying(void **state)
{
    struct windows windows;
    struct patterns patterns;
    struct error error;
    uint64_t bits[2 * PATTERN_WORDS];
    char *folder = scratch_make();
    (void)state;
    fixture_data_set(folder, 2);
    struct dataset *dataset = dataset_open(folder, &error);
    assert_non_null(dataset);
    assert_ok(windows_make(&windows, dataset, "train", 2, 1, &error), error);
    assert_ok(patterns_make(&patterns, &windows, &error), error);
    assert_int_equal(patterns.count, windows.count);
    for (uint32_t i = 0; i < 12; i++) {
        struct grid grid = fixture_grid(i, 4);
        for (size_t bar = 0; bar < 3; bar++) {
            const uint8_t *hits = grid.hits + bar * BAR_CELLS;
            pattern_of(bits, hits, 2);
            assert_int_equal(patterns_nearest(&patterns, bits, 2 * BAR_CELLS), nearest_naively(&windows, hits));
        }
        grid_free(&grid);
    }
    /* the last window of p3, with 3 and with 4 cells changed */
    uint8_t hits[2 * BAR_CELLS];
    memcpy(hits, dataset->hits + (size_t)windows.first_step[windows.count - 1] * NUM_DRUMS, sizeof hits);
    for (size_t i = 0; i < 3; i++)
        hits[i * 70] = !hits[i * 70];
    assert_true(patterns_have(&patterns, hits));
    hits[2 * BAR_CELLS - 1] = !hits[2 * BAR_CELLS - 1];
    assert_false(patterns_have(&patterns, hits));
    patterns_free(&patterns);
    windows_free(&windows);
    dataset_close(dataset);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bins),
        cmocka_unit_test(test_comparison),
        cmocka_unit_test(test_divergence_from_the_target),
        cmocka_unit_test(test_parts_add_up),
        cmocka_unit_test(test_tempos_of_any_kind),
        cmocka_unit_test(test_distributions),
        cmocka_unit_test(test_floor),
        cmocka_unit_test(test_copying),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
