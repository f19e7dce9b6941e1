#include "data/dataset/order.h"
#include "tests/support/unit.h"

#include <stdlib.h>

enum { COUNT = 1000 };

static int compare_numbers(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static void test_is_a_permutation(void **state)
{
    uint32_t order[COUNT];
    (void)state;
    order_permutation(order, COUNT, 7, 3);
    qsort(order, COUNT, sizeof order[0], compare_numbers);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(order[i], i);
    order_permutation(order, 1, 7, 3);
    assert_int_equal(order[0], 0);
    order_permutation(order, 0, 7, 3);
}

static void test_follows_from_seed_and_epoch(void **state)
{
    uint32_t first[COUNT], again[COUNT], epoch[COUNT], seed[COUNT];
    (void)state;
    order_permutation(first, COUNT, 7, 3);
    order_permutation(again, COUNT, 7, 3);
    order_permutation(epoch, COUNT, 7, 4);
    order_permutation(seed, COUNT, 8, 3);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, epoch, sizeof first);
    assert_memory_not_equal(first, seed, sizeof first);
}

/* Each number is first about equally often: chi-squared with 9 degrees of freedom, far out in its tail at 40. */
static void test_is_even(void **state)
{
    enum { SMALL = 10, TIMES = 20000 };
    double counts[SMALL] = {0}, chi_squared = 0;
    (void)state;
    for (uint32_t epoch = 0; epoch < TIMES; epoch++) {
        uint32_t order[SMALL];
        order_permutation(order, SMALL, 1, epoch);
        counts[order[0]]++;
    }
    for (int i = 0; i < SMALL; i++)
        chi_squared += (counts[i] - TIMES / SMALL) * (counts[i] - TIMES / SMALL) / (TIMES / SMALL);
    assert_true(chi_squared < 40);
}

static void test_parts(void **state)
{
    (void)state;
    for (size_t batch = 0; batch < 40; batch++)
        for (int ranks = 1; ranks < 12; ranks++) {
            size_t next = 0, least = batch, most = 0;
            for (int rank = 0; rank < ranks; rank++) {
                size_t first, count;
                order_part(batch, rank, ranks, &first, &count);
                assert_int_equal(first, next);
                next = first + count;
                least = count < least ? count : least;
                most = count > most ? count : most;
            }
            assert_int_equal(next, batch);
            assert_true(most - least <= 1);
            assert_int_equal(order_largest_part(batch, ranks), most);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_a_permutation),
        cmocka_unit_test(test_follows_from_seed_and_epoch),
        cmocka_unit_test(test_is_even),
        cmocka_unit_test(test_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
