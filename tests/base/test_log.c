#include "base/io/files.h"
#include "base/log.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <errno.h>

/* All functions once. */
static void say_everything(void)
{
    log_job_error("E");
    log_error("e%d", 1);
    log_job_warning("W");
    log_warning("w");
    log_info("i");
    log_debug("d");
    log_debug_here("h");
    log_progress("p");
    log_record("r");
}

static void be(enum log_level level, int rank, int num_ranks)
{
    log_set_program("drumline-train");
    log_set_level(level);
    log_set_rank(rank, num_ranks, "node7");
}

static void assert_says(enum log_level level, int rank, int num_ranks, const char *expected)
{
    be(level, rank, num_ranks);
    struct capture capture = capture_start(STDERR_FILENO);
    say_everything();
    char *text = capture_end(&capture);
    assert_string_equal(text, expected);
    free(text);
}

static void test_levels(void **state)
{
    (void)state;
    assert_says(LOG_LEVEL_ERROR, 0, 1, "drumline-train: error: E\ndrumline-train: error: e1\n");
    assert_says(LOG_LEVEL_WARNING, 0, 1,
                "drumline-train: error: E\ndrumline-train: error: e1\n"
                "drumline-train: warning: W\ndrumline-train: warning: w\n");
    assert_says(LOG_LEVEL_INFO, 0, 1,
                "drumline-train: error: E\ndrumline-train: error: e1\n"
                "drumline-train: warning: W\ndrumline-train: warning: w\ni\n");
    assert_says(LOG_LEVEL_DEBUG, 0, 1,
                "drumline-train: error: E\ndrumline-train: error: e1\n"
                "drumline-train: warning: W\ndrumline-train: warning: w\ni\nd\nh\n");
    assert_int_equal(log_get_level(), LOG_LEVEL_DEBUG);
}

/* What one rank says names it; what the job says comes from rank 0 and names none. */
static void test_ranks(void **state)
{
    (void)state;
    assert_says(LOG_LEVEL_INFO, 3, 4,
                "drumline-train: rank 3 (node7): error: e1\ndrumline-train: rank 3 (node7): warning: w\n");
    assert_says(LOG_LEVEL_DEBUG, 3, 4,
                "drumline-train: rank 3 (node7): error: e1\ndrumline-train: rank 3 (node7): warning: w\n"
                "rank 3 (node7): h\n");
    assert_says(LOG_LEVEL_INFO, 0, 4,
                "drumline-train: error: E\ndrumline-train: rank 0 (node7): error: e1\n"
                "drumline-train: warning: W\ndrumline-train: rank 0 (node7): warning: w\ni\n");
    log_set_rank(0, 1, "");
}

/* The file's text with each line's time, which must be one, taken off. */
static char *read_log(const char *path)
{
    struct error error;
    uint8_t *bytes;
    size_t size;
    int year, month, day, hour, minute, second, thousandth, length = 0;
    assert_ok(file_read(&bytes, &size, path, 1 << 20, &error), error);
    char *text = calloc(size + 1, 1);
    assert_non_null(text);
    for (const char *line = (char *)bytes; *line; line += strcspn(line, "\n") + 1) {
        assert_int_equal(sscanf(line, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &year, &month, &day, &hour, &minute, &second,
                                &thousandth, &length),
                         7);
        assert_int_equal(length, 24);
        strncat(text, line + length, strcspn(line + length, "\n") + 1);
    }
    free(bytes);
    return text;
}

static void test_file(void **state)
{
    struct error error;
    char *folder = scratch_make(), *path = path_join(folder, "rank.log"), *missing = path_join(folder, "no/rank.log");
    (void)state;
    be(LOG_LEVEL_ERROR, 3, 4);
    assert_ok(log_open_file(path, &error), error);
    struct capture capture = capture_start(STDERR_FILENO);
    say_everything();
    log_info("two\nlines\n");
    char *printed = capture_end(&capture), *written = read_log(path);
    static const char expected[] = " error   E\n error   e1\n warning W\n warning w\n info    i\n debug   d\n"
                                   " debug   h\n info    r\n info    two\n info    lines\n";
    assert_string_equal(printed, "drumline-train: rank 3 (node7): error: e1\n");
    assert_string_equal(written, expected);
    free(printed);
    free(written);

    assert_ok(log_open_file(path, &error), error); /* another start appends */
    log_record("again");
    written = read_log(path);
    assert_int_equal(strlen(written), strlen(expected) + strlen(" info    again\n"));
    free(written);
    assert_fails(log_open_file(missing, &error), error, missing);
    log_record("nowhere");
    be(LOG_LEVEL_INFO, 0, 1);
    scratch_remove(folder);
    free(path);
    free(missing);
}

/* The program continues, with one warning. */
static void test_full_disk(void **state)
{
    struct error error;
    (void)state;
    be(LOG_LEVEL_INFO, 0, 1);
    if (access("/dev/full", W_OK) != 0)
        skip();
    assert_ok(log_open_file("/dev/full", &error), error);
    struct capture capture = capture_start(STDERR_FILENO);
    log_info("first");
    log_info("second");
    char *printed = capture_end(&capture);
    assert_string_equal(printed, "first\ndrumline-train: warning: /dev/full: can't write (No space left on device): "
                                 "this log ends here, the program continues\nsecond\n");
    free(printed);
}

static char *say(const char *text)
{
    log_set_level(LOG_LEVEL_INFO);
    log_set_rank(0, 1, "");
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
    said = say("a\xc2\x9b"
               "2J \x9b"
               "2J");
    assert_string_equal(said, "a??2J ?2J\n");
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
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_control_characters),
        cmocka_unit_test(test_long_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
