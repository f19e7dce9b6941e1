#include "base/log.h"
#include "scratch.h"
#include "unit.h"

#include <errno.h>

/* All functions once, at the given level and as the given rank. Owned by the caller. */
static char *say_everything(enum log_level level, int rank, int num_ranks)
{
    log_set_program("drumline-train");
    log_set_level(level);
    log_set_rank(rank, num_ranks);
    struct capture capture = capture_start(STDERR_FILENO);
    log_error("e%d", 1);
    log_warning("w");
    log_info("i");
    log_debug("d");
    log_debug_here("h");
    log_progress("p");
    return capture_end(&capture);
}

static void assert_says(enum log_level level, int rank, int num_ranks, const char *expected)
{
    char *text = say_everything(level, rank, num_ranks);
    assert_string_equal(text, expected);
    free(text);
}

static void test_levels(void **state)
{
    (void)state;
    assert_says(LOG_LEVEL_ERROR, 0, 1, "drumline-train: error: e1\n");
    assert_says(LOG_LEVEL_WARNING, 0, 1, "drumline-train: error: e1\ndrumline-train: warning: w\n");
    assert_says(LOG_LEVEL_INFO, 0, 1, "drumline-train: error: e1\ndrumline-train: warning: w\ni\n");
    assert_says(LOG_LEVEL_DEBUG, 0, 1, "drumline-train: error: e1\ndrumline-train: warning: w\ni\nd\nh\n");
    assert_int_equal(log_get_level(), LOG_LEVEL_DEBUG);
}

static void test_ranks(void **state)
{
    (void)state;
    assert_says(LOG_LEVEL_INFO, 3, 4, "drumline-train: [rank 3] error: e1\ndrumline-train: [rank 3] warning: w\n");
    assert_says(LOG_LEVEL_DEBUG, 3, 4,
                "drumline-train: [rank 3] error: e1\ndrumline-train: [rank 3] warning: w\n[rank 3] h\n");
    assert_says(LOG_LEVEL_INFO, 0, 4, "drumline-train: [rank 0] error: e1\ndrumline-train: [rank 0] warning: w\ni\n");
}

static char *say(const char *text)
{
    log_set_level(LOG_LEVEL_INFO);
    log_set_rank(0, 1);
    struct capture capture = capture_start(STDERR_FILENO);
    errno = EXDEV;
    log_info("%s", text);
    int error_number = errno;
    char *said = capture_end(&capture);
    assert_int_equal(error_number, EXDEV);
    return said;
}

/* The name of a file must not clear the screen. Lines and tables stay. */
static void test_control_characters(void **state)
{
    (void)state;
    char *said = say("a\033[2J\rb\tc\nd\x7f \xc3\xa9");
    assert_string_equal(said, "a?[2J?b\tc\nd? \xc3\xa9\n");
    free(said);
}

static void test_long_message(void **state)
{
    (void)state;
    static char text[100000];
    memset(text, 'x', sizeof text - 1);
    char *said = say(text);
    size_t length = strlen(said);
    assert_true(length > 4096 && length < sizeof text);
    assert_string_equal(said + length - 5, "x...\n");
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_control_characters),
        cmocka_unit_test(test_long_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
