#include "base/clock.h"
#include "tests/support/unit.h"

#include <math.h>
#include <string.h>

static void test_clocks(void **state)
{
    (void)state;
    char date[32];
    int parts[6];
    double before = clock_seconds();
    assert_true(clock_seconds() >= before);
    date_now(date);
    assert_true(date_seconds() > 1.7e9);
    assert_int_equal(strlen(date), 20);
    assert_int_equal(
        sscanf(date, "%4d-%2d-%2dT%2d:%2d:%2dZ", parts, parts + 1, parts + 2, parts + 3, parts + 4, parts + 5), 6);
    char later[32];
    date_after(3.2e9, later);
    assert_int_equal(strlen(later), 20);
    assert_true(strcmp(later, date) > 0 && later[0] == '2' && later[1] == '1');
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_clocks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
