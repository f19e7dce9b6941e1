#include "base/error.h"
#include "tests/support/unit.h"

#include <errno.h>

static void test_set(void **state)
{
    (void)state;
    struct error error;
    assert_false(error_set(&error, "%s: %d", "a.mid", 3));
    assert_string_equal(error.message, "a.mid: 3");
}

static void test_set_from_itself(void **state)
{
    (void)state;
    struct error error;
    error_set(&error, "inner");
    error_set(&error, "outer (%s)", error.message);
    assert_string_equal(error.message, "outer (inner)");
}

static void test_errno(void **state)
{
    (void)state;
    struct error error;
    assert_false(error_set_errno(&error, ENOENT, "%s: can't open", "x"));
    assert_string_equal(error.message, "x: can't open: No such file or directory");
}

static void test_prefix(void **state)
{
    (void)state;
    struct error error;
    error_set(&error, "reason");
    assert_false(error_prefix(&error, "rank %d", 3));
    assert_string_equal(error.message, "rank 3: reason");
}

/* Whatever is too long is cut, with three dots at the end. */
static void test_too_long(void **state)
{
    (void)state;
    static char text[3 * ERROR_MESSAGE_SIZE];
    struct error error;
    for (size_t length = ERROR_MESSAGE_SIZE - 8; length < ERROR_MESSAGE_SIZE + 8; length++) {
        memset(text, 'x', length);
        text[length] = '\0';
        const bool fits = length < ERROR_MESSAGE_SIZE;
        error_set(&error, "%s", text);
        assert_int_equal(strlen(error.message), fits ? length : ERROR_MESSAGE_SIZE - 1);
        assert_int_equal(strcmp(error.message + strlen(error.message) - 3, "...") == 0, !fits);
        error_prefix(&error, "p");
        assert_memory_equal(error.message, "p: xxx", 6);
        const bool still_fits = length + 3 < ERROR_MESSAGE_SIZE;
        assert_int_equal(strcmp(error.message + strlen(error.message) - 3, "...") == 0, !still_fits);
        error_set_errno(&error, EIO, "%s", text);
        assert_true(strlen(error.message) < ERROR_MESSAGE_SIZE);
    }
    memset(text, 'y', sizeof text - 1);
    error_set(&error, "short");
    error_prefix(&error, "%s", text);
    assert_int_equal(strlen(error.message), ERROR_MESSAGE_SIZE - 1);
    assert_string_equal(error.message + ERROR_MESSAGE_SIZE - 4, "...");
}

static void test_append(void **state)
{
    struct error error;
    (void)state;
    error_set_errno(&error, EIO, "file");
    assert_false(error_append(&error, "; try again"));
    assert_string_equal(error.message, "file: Input/output error; try again");
    assert_int_equal(error.number, EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set),    cmocka_unit_test(test_set_from_itself), cmocka_unit_test(test_errno),
        cmocka_unit_test(test_prefix), cmocka_unit_test(test_too_long),        cmocka_unit_test(test_append),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
