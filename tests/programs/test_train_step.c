/* How many windows a rank works on at a time. */
#include "tests/support/unit.h"

#include "programs/train/step.h"

static void micro_batches_are_of_equal_size_and_fit(void **state)
{
    (void)state;
    const struct {
        int64_t batch_size, micro_batches, most;
        int num_ranks, expected;
    } cases[] = {
        {512,  1,  0,    2, 128 },
        {512,  1,  100,  2, 86  },
        {512,  1,  1000, 2, 256 },
        {512,  8,  0,    2, 32  },
        {512,  8,  16,   2, 16  },
        {512,  8,  32,   1, 32  },
        {512,  1,  1,    1, 1   },
        {13,   4,  0,    2, 2   },
        {13,   13, 0,    2, 1   },
        {13,   1,  0,    4, 4   },
        {4096, 1,  0,    1, 128 },
        {4096, 3,  4096, 1, 1366},
        {100,  1,  99,   1, 50  },
    };
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct hparams hparams = {.batch_size = cases[n].batch_size, .micro_batches = cases[n].micro_batches};
        assert_int_equal(train_step_micro_batch(&hparams, cases[n].most, cases[n].num_ranks), cases[n].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(micro_batches_are_of_equal_size_and_fit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
