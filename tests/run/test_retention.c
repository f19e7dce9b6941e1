/* Which checkpoints stay, among times alone and in a folder. */
#include "model/checkpoint.h"
#include "run/retention.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <fcntl.h>
#include <time.h>

enum { MANY = 200 };

static void the_newest_stay(void **state)
{
    (void)state;
    const double times[] = {50, 40, 30, 20, 10};
    bool remove[5];
    retention_choose(remove, times, 5, 2, 0);
    assert_true(!remove[0] && !remove[1] && remove[2] && remove[3] && remove[4]);
    retention_choose(remove, times, 5, 9, 0);
    for (int i = 0; i < 5; i++)
        assert_false(remove[i]);
    retention_choose(remove, times, 0, 1, 1);
}

static void one_for_every_few_hours_stays(void **state)
{
    (void)state;
    const double hour = 3600, times[] = {9 * hour, 8.9 * hour, 4.2 * hour, 4 * hour, 2.5 * hour, 2 * hour, 1 * hour};
    bool remove[7];
    retention_choose(remove, times, 7, 1, 2);
    const bool expected[] = {false, false, true, false, true, true, false};
    assert_memory_equal(remove, expected, sizeof expected);
}

/* A run that writes every ten minutes and prunes each time: what stays of the past is one an hour, from the first on. */
static void pruning_again_and_again(void **state)
{
    (void)state;
    double times[MANY];
    size_t count = 0;
    for (int made = 0; made < MANY; made++) {
        bool remove[MANY];
        memmove(times + 1, times, count * sizeof *times);
        times[0] = 600.0 * made;
        count++;
        retention_choose(remove, times, count, 3, 1);
        size_t kept = 0;
        for (size_t i = 0; i < count; i++)
            if (!remove[i])
                times[kept++] = times[i];
        count = kept;
    }
    for (size_t i = 0; i < 3; i++)
        assert_true(times[i] >= 600.0 * (double)(MANY - 1 - (int)i));
    for (size_t i = 3; i < count; i++)
        assert_true(times[i] >= 3600.0 * (double)(count - 1 - i) && times[i] <= 3600.0 * (double)(count - 1 - i));
    assert_int_equal(count, 3 + 33);
}

/* A file of that name, `age` seconds old. */
static void make_file(const char *folder, const char *name, long age)
{
    char *path = path_join(folder, name);
    FILE *file = fopen(path, "w");
    assert_true(file != NULL && fclose(file) == 0);
    const struct timespec past = {.tv_sec = time(NULL) - age}, times[] = {past, past};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    free(path);
}

static void make_checkpoint(const char *folder, uint64_t step, long age)
{
    char *name = checkpoint_name(step);
    make_file(folder, name, age);
    free(name);
}

static void assert_checkpoints(const char *folder, const uint64_t *steps, size_t count)
{
    struct checkpoint_list list;
    struct error error;
    assert_ok(checkpoint_list_make(&list, folder, &error), error);
    assert_int_equal(list.count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(list.steps[i], steps[i]);
    checkpoint_list_free(&list);
}

static void a_folder_is_pruned(void **state)
{
    const char *folder = *state;
    struct error error;
    for (uint64_t step = 1; step <= 6; step++)
        make_checkpoint(folder, step, 3000 * (6 - (long)step));
    make_file(folder, "metrics.jsonl", 100000);
    make_file(folder, "best.h5", 100000);
    make_file(folder, "checkpoint-00000007.h5.damaged", 100000);
    assert_ok(retention_apply(folder, 2, 1, &error), error);
    const uint64_t kept[] = {6, 5, 3, 1};
    assert_checkpoints(folder, kept, 4);
    assert_ok(retention_apply(folder, 2, 1, &error), error);
    assert_checkpoints(folder, kept, 4);
    assert_ok(retention_apply(folder, 1, 0, &error), error);
    assert_checkpoints(folder, kept, 1);
    assert_int_equal(scratch_count(folder), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_stay),
        cmocka_unit_test(one_for_every_few_hours_stays),
        cmocka_unit_test(pruning_again_and_again),
        cmocka_unit_test_setup_teardown(a_folder_is_pruned, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
