/* The rank that the others wait for is named, by times that the test makes up. */
#include "base/log.h"
#include "dist/comm.h"
#include "programs/train/slow_rank.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORK, WAITING, MORE_WORK, NUM_PHASES };
static const char *const names[] = {"work", "waiting", "more work"};
static struct comm *comm;

/* Adds to what this rank has spent its time with: `slow` ranks have worked longer by `longer` in MORE_WORK. */
static void pass(struct stats *stats, double seconds, int slow_rank, double longer)
{
    bool is_slow = comm_rank(comm) == slow_rank;
    stats->seconds[WORK] += seconds / 2;
    stats->seconds[MORE_WORK] += is_slow ? longer : 0;
    stats->seconds[WAITING] += seconds / 2 - (is_slow ? longer : 0);
}

/* What rank 0 prints at a look; other ranks print nothing. */
static void check_look(struct slow_rank *slow, const struct stats *stats, double now, bool looks, const char *expected)
{
    struct capture capture = capture_start(STDERR_FILENO);
    assert_int_equal(slow_rank_look(slow, stats, 7, false, comm, now), comm_rank(comm) == 0 && looks);
    char *text = capture_end(&capture);
    if (comm_rank(comm) == 0 && expected && comm_size(comm) > 1)
        assert_non_null(strstr(text, expected));
    else
        assert_string_equal(text, "");
    free(text);
}

static void test_named(void **state)
{
    struct slow_rank slow;
    struct stats stats;
    struct error error;
    char expected[256];
    int last = comm_size(comm) - 1;
    (void)state;
    stats_start(&stats, names, NUM_PHASES);
    assert_true(slow_rank_start(&slow, &stats, WAITING, 5, comm, 1000, &error));

    /* Not before half a minute has passed, and not for less than a tenth. */
    pass(&stats, 20, last, 10);
    check_look(&slow, &stats, 1020, false, NULL);
    pass(&stats, 100, last, 1);
    check_look(&slow, &stats, 1120, true, NULL);

    pass(&stats, 40, last, 8);
    snprintf(expected, sizeof expected,
             "rank %d (%s) is slow: the others waited for it for 20 %% of the time, mostly in more work", last,
             comm_host(comm));
    check_look(&slow, &stats, 1160, true, expected);

    /* The same rank is no news for ten minutes, another is. */
    pass(&stats, 40, last, 8);
    check_look(&slow, &stats, 1200, true, NULL);
    pass(&stats, 40, 0, 20);
    check_look(&slow, &stats, 1240, true, "rank 0 (");
    pass(&stats, 600, 0, 100);
    check_look(&slow, &stats, 1840, true, "rank 0 (");

    /* The end is always looked at; what is kept is all since the start. */
    assert_int_equal(slow_rank_look(&slow, &stats, 9, true, comm, 1841), comm_rank(comm) == 0);
    if (comm_rank(comm) == 0) {
        assert_int_equal(slow.now.from_step, 5);
        assert_int_equal(slow.now.step, 9);
        assert_int_equal(slow.now.num_ranks, comm_size(comm));
        assert_memory_equal(slow.now.ranks[0].seconds, stats.seconds, sizeof(double) * NUM_PHASES);
        assert_string_equal(slow.now.ranks[comm_size(comm) - 1].host, comm_host(comm));
    }
    slow_rank_free(&slow);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_named)};
    comm = comm_start(&argc, &argv);
    log_set_rank(comm_rank(comm), comm_size(comm), comm_host(comm));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    comm_finish(comm);
    return failed;
}
