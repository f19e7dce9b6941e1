/* A training's lines of progress, by a clock that the test sets. */
#include "base/log.h"
#include "programs/train/progress.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <stdlib.h>
#include <unistd.h>

/* What is printed when `done` of 4 windows of `step` have been worked on at `now`. */
static void check_at(struct train_progress *progress, uint64_t step, uint64_t done, double now, const char *expected)
{
    struct capture capture = capture_start(STDERR_FILENO);
    train_progress_at(progress, step, done, 4, now);
    char *text = capture_end(&capture);
    assert_string_equal(text, expected);
    free(text);
}

static void test_lines(void **state)
{
    struct train_progress progress;
    (void)state;
    log_set_level(LOG_LEVEL_INFO);
    /* The first step, which takes long. */
    train_progress_start(&progress, 0, 10, 10.0, 100.0);
    check_at(&progress, 1, 0, 109.9, "");
    check_at(&progress, 1, 2, 110.0, "step 1/10 under way, 50 % of its windows  left 0:03:10\n");
    check_at(&progress, 1, 3, 119.0, "");

    /* Another line says it. */
    train_progress_said(&progress, 119.0);
    check_at(&progress, 3, 0, 128.0, "");
    check_at(&progress, 3, 0, 140.0, "step 3/10 under way, 0 % of its windows  left 0:02:40\n");

    /* Resumed, before anything is known. */
    train_progress_start(&progress, 7, 10, 10.0, 0.0);
    check_at(&progress, 8, 0, 11.0, "step 8/10 under way, 0 % of its windows  left ?\n");
}

static void test_off(void **state)
{
    struct train_progress progress;
    (void)state;
    train_progress_start(&progress, 0, 10, 0.0, 0.0);
    check_at(&progress, 1, 2, 1e6, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
