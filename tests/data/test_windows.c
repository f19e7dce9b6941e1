/* Windows without a hit are skipped, and what that leaves of the others: their order, their numbers. */
#include "data/dataset/windows.h"

#include "data/dataset/order.h"
#include "tests/data/data_set_fixture.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

struct fixture {
    char *folder;
    struct dataset *dataset;
    struct windows windows;
};

static void silence(struct grid *grid, uint32_t first_bar, uint32_t end_bar)
{
    size_t cell = (size_t)first_bar * GRID_BAR_STEPS * NUM_DRUMS;
    size_t count = (size_t)(end_bar - first_bar) * GRID_BAR_STEPS * NUM_DRUMS;
    memset(grid->hits + cell, 0, count);
    memset(grid->velocity + cell, 0, count);
    memset(grid->offset + cell, 0, count * sizeof *grid->offset);
}

/* Train: 10 bars of which the third to the seventh are silent, and 4 whole ones. Validation: 2 silent bars. */
static void set_up(struct fixture *fixture)
{
    struct shard_writer shard = {0};
    struct error error;
    struct grid a = fixture_grid(0, 10), b = fixture_grid(1, 4), c = fixture_grid(2, 2);
    fixture->folder = scratch_make();
    silence(&a, 2, 7);
    silence(&c, 0, 2);
    fixture_append(&shard, "a.mid", SPLIT_TRAIN, &a);
    fixture_append(&shard, "b.mid", SPLIT_TRAIN, &b);
    fixture_append(&shard, "c.mid", SPLIT_VALIDATION, &c);
    fixture_write(fixture->folder, &shard, 1);
    fixture->dataset = dataset_open(fixture->folder, &error);
    assert_non_null(fixture->dataset);
    grid_free(&a);
    grid_free(&b);
    grid_free(&c);
    shard_writer_free(&shard);
}

static void tear_down(struct fixture *fixture)
{
    windows_free(&fixture->windows);
    dataset_close(fixture->dataset);
    scratch_remove(fixture->folder);
}

static void test_silent_ones_are_skipped(void **state)
{
    /* Two bars from every bar of a.mid: 9, of which those from bars 3 to 6 are silent. 3 of b.mid. */
    static const uint32_t left[] = {0, 1, 6, 7, 8, 9, 10, 11};
    struct fixture fixture;
    struct windows all;
    struct error error;
    (void)state;
    set_up(&fixture);
    assert_ok(windows_make(&all, fixture.dataset, "train", 2, 1, &error), error);
    assert_int_equal(all.count, 12);
    assert_int_equal(all.num_silent, 0);
    assert_ok(windows_make(&fixture.windows, fixture.dataset, "train", 2, 1, &error), error);
    assert_ok(windows_skip_silent(&fixture.windows, &error), error);
    assert_int_equal(fixture.windows.count, 8);
    assert_int_equal(fixture.windows.num_silent, 4);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(all.number[left[i]], left[i]);
        assert_int_equal(fixture.windows.number[i], left[i]);
        assert_int_equal(fixture.windows.first_step[i], all.first_step[left[i]]);
        assert_int_equal(fixture.windows.performance[i], all.performance[left[i]]);
    }
    assert_int_equal(windows_consecutive(&fixture.windows, 0, 99), 2);
    assert_int_equal(windows_consecutive(&fixture.windows, 1, 99), 1);
    assert_int_equal(windows_consecutive(&fixture.windows, 2, 99), 6);
    assert_int_equal(windows_consecutive(&fixture.windows, 2, 4), 4);
    windows_free(&all);
    tear_down(&fixture);
}

/* An epoch visits them in the order in which it would visit all. */
static void test_order(void **state)
{
    struct fixture fixture;
    struct error error;
    uint32_t all[12], order[12];
    (void)state;
    set_up(&fixture);
    assert_ok(windows_make(&fixture.windows, fixture.dataset, "train", 2, 1, &error), error);
    for (uint32_t epoch = 0; epoch < 3; epoch++) {
        order_permutation(all, 12, 7, epoch);
        windows_order(order, &fixture.windows, 7, epoch);
        assert_memory_equal(order, all, sizeof all);
    }
    assert_ok(windows_skip_silent(&fixture.windows, &error), error);
    for (uint32_t epoch = 0; epoch < 3; epoch++) {
        size_t next = 0;
        order_permutation(all, 12, 7, epoch);
        windows_order(order, &fixture.windows, 7, epoch);
        for (size_t i = 0; i < 12; i++)
            if (all[i] < 2 || all[i] > 5)
                assert_int_equal(fixture.windows.number[order[next++]], all[i]);
        assert_int_equal(next, 8);
    }
    tear_down(&fixture);
}

static void test_none_is_left(void **state)
{
    struct fixture fixture;
    struct error error;
    (void)state;
    set_up(&fixture);
    assert_ok(windows_make(&fixture.windows, fixture.dataset, "validation", 1, 1, &error), error);
    assert_fails(windows_skip_silent(&fixture.windows, &error), error,
                 "'validation' holds no window of 1 bars with a hit (2 without)");
    assert_int_equal(fixture.windows.count, 0);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silent_ones_are_skipped),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_none_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
