#include "base/host.h"
#include "tests/support/unit.h"

#include <unistd.h>

/* What the system says; a test's own in the place of the C library's. */
static const char *given;
static int result;

int gethostname(char *name, size_t size)
{
    strncpy(name, given, size);
    return result;
}

static void expect(const char *name, const char *expected)
{
    char host[HOST_NAME_SIZE];
    given = name;
    host_name(host);
    assert_string_equal(host, expected);
}

static void test_names(void **state)
{
    (void)state;
    expect("node-7.cluster", "node-7.cluster");
    expect("a b/c", "a_b_c");
    expect("n\xc3\xb6\x7f\n", "n____");
    expect("", "localhost");
    result = -1;
    expect("node", "localhost");
    result = 0;
}

/* POSIX allows a name that was cut to have no NUL. */
static void test_longest(void **state)
{
    char longest[2 * HOST_NAME_SIZE], host[HOST_NAME_SIZE];
    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    given = longest;
    host_name(host);
    assert_int_equal(strlen(host), HOST_NAME_SIZE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
