/* rank_times.json: what is written is read again, what is no such file is refused, and the slowest rank is found. */
#include "run/rank_times.h"
#include "run/run_folder.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <math.h>

enum { NUM_RANKS = 4 };

static struct rank_time ranks[NUM_RANKS] = {
    {"a", {5, 5, 1}  },
    {"b", {5, 4, 2}  },
    {"c", {5, 0, 6.5}},
    {"c", {5, 4, 2}  }
};
static const struct rank_times some = {
    .from_step = 3,
    .step = 40,
    .num_phases = 3,
    .phases = {"data", "waiting", "work"},
    .waiting = 1,
    .num_ranks = NUM_RANKS,
    .ranks = ranks
};

static void what_is_written_is_read(void **state)
{
    struct rank_times times;
    struct error error;
    assert_ok(rank_times_read(&times, *state, &error), error);
    assert_int_equal(times.num_ranks, 0);
    for (int i = 0; i < 2; i++)
        assert_ok(rank_times_write(*state, &some, &error), error);
    assert_int_equal(scratch_count(*state), 1);
    assert_ok(rank_times_read(&times, *state, &error), error);
    assert_int_equal(times.from_step, 3);
    assert_int_equal(times.step, 40);
    assert_int_equal(times.num_phases, 3);
    assert_int_equal(times.waiting, 1);
    assert_string_equal(times.phases[2], "work");
    assert_int_equal(times.num_ranks, NUM_RANKS);
    assert_memory_equal(times.ranks, ranks, sizeof ranks);
    rank_times_free(&times);
}

static void the_slowest_is_found(void **state)
{
    struct slowest_rank slowest;
    double scratch[NUM_RANKS];
    (void)state;
    rank_times_find_slowest(&slowest, &some, scratch);
    assert_int_equal(slowest.rank, 2);
    assert_int_equal(slowest.phase, 2);
    assert_true(fabs(slowest.longer - 4.5) < 1e-12);
    assert_true(fabs(slowest.share - 4.5 / 11.5) < 1e-12);
    struct rank_times alone = some;
    alone.num_ranks = 1;
    rank_times_find_slowest(&slowest, &alone, scratch);
    assert_int_equal(slowest.rank, 0);
    assert_true(fabs(slowest.longer) < 1e-12);
}

static void what_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{\"phases\":[],\"waiting\":\"w\",\"ranks\":[]}",
        "{\"phases\":[\"w\"],\"waiting\":\"w\",\"ranks\":[]}",
        "{\"phases\":[\"w\"],\"waiting\":\"v\",\"ranks\":[{\"host\":\"a\",\"seconds\":[1]}]}",
        "{\"phases\":[\"w\"],\"waiting\":\"w\",\"ranks\":[{\"host\":\"a\",\"seconds\":[1,2]}]}",
        "{\"phases\":[\"w\"],\"waiting\":\"w\",\"ranks\":[{\"host\":\"a\",\"seconds\":[-1]}]}",
        "{\"phases\":[\"w\"],\"waiting\":\"w\",\"ranks\":[{\"host\":\"a\",\"seconds\":[\"1\"]}]}",
        "{\"phases\":[\"w\"],\"waiting\":\"w\",\"ranks\":[{\"host\":\"a\",\"seconds\":[1e300]}]}",
        "{\"phases\":[\"w\"],\"waiting\":\"w\",\"ranks\":[7]}",
    };
    char *path = path_join(*state, RUN_RANKS_NAME);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct rank_times times;
        struct error error;
        assert_ok(file_write(path, path, texts[i], strlen(texts[i]), &error), error);
        assert_fails(rank_times_read(&times, *state, &error), error, RUN_RANKS_NAME);
        assert_int_equal(times.num_ranks, 0);
        assert_null(times.ranks);
    }
    free(path);
}

static void odd_names_are_harmless(void **state)
{
    static const char text[] = "{\"phases\":[\"w\\u001b[2J\",\"w\"],\"waiting\":\"w\",\"ranks\":[{\"seconds\":[1,2]}]}";
    struct rank_times times;
    struct error error;
    char *path = path_join(*state, RUN_RANKS_NAME);
    assert_ok(file_write(path, path, text, strlen(text), &error), error);
    assert_ok(rank_times_read(&times, *state, &error), error);
    assert_string_equal(times.phases[0], "w?[2J");
    assert_string_equal(times.ranks[0].host, "");
    rank_times_free(&times);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read, scratch_set_up, scratch_tear_down),
        cmocka_unit_test(the_slowest_is_found),
        cmocka_unit_test_setup_teardown(what_is_refused, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(odd_names_are_harmless, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
