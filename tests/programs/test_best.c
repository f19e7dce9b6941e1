/* The best validation of a run, and when --patience ends it. */
#include "base/io/files.h"
#include "model/vae/parameters.h"
#include "programs/train/best.h"
#include "run/run_folder.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <math.h>
#include <stdlib.h>

static void the_lowest_is_kept_and_others_counted(void **state)
{
    static const struct {
        double loss;
        bool is_best;
        uint64_t since;
    } cases[] = {
        {(double)NAN,      false, 1},
        {90,               true,  0},
        {90,               false, 1},
        {(double)INFINITY, false, 2},
        {89.5,             true,  0},
        {91,               false, 1},
    };
    struct checkpoint checkpoint = {.step = 0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        checkpoint.step = 10 * (i + 1);
        assert_int_equal(best_note(&checkpoint, cases[i].loss), cases[i].is_best);
        assert_int_equal(checkpoint.best.evaluations_since, cases[i].since);
    }
    assert_int_equal(checkpoint.best.step, 50);
    assert_true(fabs(checkpoint.best.val_loss - 89.5) <= 0);
}

static void patience_counts_evaluations(void **state)
{
    struct checkpoint checkpoint = {
        .best = {.is_known = true, .evaluations_since = 2}
    };
    (void)state;
    assert_false(best_is_stale(&checkpoint, 0));
    assert_false(best_is_stale(&checkpoint, 3));
    assert_true(best_is_stale(&checkpoint, 2));
    assert_true(best_is_stale(&checkpoint, 1));
}

/* RUN/train/best.h5 of a small model. */
static void put_best(const char *folder, uint64_t step, double val_loss)
{
    struct error error;
    struct checkpoint checkpoint = {
        .step = step, .best = {.is_known = true, .step = step, .val_loss = val_loss}
    };
    struct tensor_table table;
    char *path = path_join(folder, RUN_BEST_NAME);
    assert_ok(hparams_make(&checkpoint.hparams, config_find("groovae_4bar", NULL),
                           "enc_rnn_size=4,dec_rnn_size=4,z_size=2", &error),
              error);
    assert_ok(parameters_describe(&table, &checkpoint.hparams, &error), error);
    const struct tensor_group weights = {CHECKPOINT_WEIGHTS, calloc(table.num_floats, sizeof(float))};
    const struct checkpoint_content content = {&table, &weights, 1, CHECKPOINT_FLOAT32, NULL};
    assert_ok(checkpoint_save(path, &checkpoint, &content, &error), error);
    free(weights.values);
    free(path);
}

static void a_better_file_of_the_past_is_adopted(void **state)
{
    struct error error;
    struct checkpoint checkpoint = {
        .step = 20, .best = {.is_known = true, .step = 10, .val_loss = 90}
    };
    assert_ok(best_adopt(&checkpoint, *state, &error), error);
    assert_int_equal(checkpoint.best.step, 10);
    put_best(*state, 20, 95);
    assert_ok(best_adopt(&checkpoint, *state, &error), error);
    assert_int_equal(checkpoint.best.step, 10);
    put_best(*state, 30, 80); /* a step that will be repeated */
    assert_ok(best_adopt(&checkpoint, *state, &error), error);
    assert_int_equal(checkpoint.best.step, 10);
    put_best(*state, 20, 85);
    assert_ok(best_adopt(&checkpoint, *state, &error), error);
    assert_int_equal(checkpoint.best.step, 20);
    assert_true(fabs(checkpoint.best.val_loss - 85) <= 0);
    char *path = path_join(*state, RUN_BEST_NAME);
    assert_ok(file_write(path, path, "x", 1, &error), error);
    assert_ok(best_adopt(&checkpoint, *state, &error), error);
    assert_int_equal(checkpoint.best.step, 20);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_is_kept_and_others_counted),
        cmocka_unit_test(patience_counts_evaluations),
        cmocka_unit_test_setup_teardown(a_better_file_of_the_past_is_adopted, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
