#include "base/array.h"
#include "tests/support/unit.h"

#include <stdint.h>
#include <stdlib.h>

static void test_grows(void **state)
{
    size_t capacity = 0, moves = 0;
    int *numbers = NULL;
    (void)state;
    for (size_t count = 0; count < 100000; count++) {
        size_t before = capacity;
        numbers = array_grow(numbers, &capacity, count, 1, sizeof *numbers);
        assert_non_null(numbers);
        assert_true(capacity > count);
        moves += capacity != before;
        numbers[count] = (int)count;
    }
    for (int i = 0; i < 100000; i++)
        assert_int_equal(numbers[i], i);
    assert_true(moves < 30); /* or appending would take quadratic time */
    free(numbers);
}

static void test_grows_by_many(void **state)
{
    size_t capacity = 0;
    (void)state;
    char *bytes = array_grow(NULL, &capacity, 0, 0, 1);
    assert_non_null(bytes);
    bytes = array_grow(bytes, &capacity, 0, 5000, 1);
    assert_true(capacity >= 5000);
    memset(bytes, 1, 5000);
    free(bytes);
}

static void test_refuses_what_overflows(void **state)
{
    size_t capacity = 4;
    (void)state;
    int *numbers = malloc(4 * sizeof *numbers);
    assert_null(array_grow(numbers, &capacity, 4, SIZE_MAX, sizeof *numbers));
    assert_null(array_grow(numbers, &capacity, 4, SIZE_MAX / sizeof *numbers, sizeof *numbers));
    assert_int_equal(capacity, 4);
    free(numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows),
        cmocka_unit_test(test_grows_by_many),
        cmocka_unit_test(test_refuses_what_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
