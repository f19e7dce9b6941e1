/* Which checkpoint of a run is used: damage is skipped, a failure of the system is not. */
#include "run/run_folder.h"

#include "base/log.h"
#include "base/text.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <errno.h>

enum { NEWEST = 3 };

/* Fails for checkpoints above `valid`, with that number. */
struct pretended {
    uint64_t valid;
    int number;
    bool deletes; /* the one that it fails for */
    int offered;
};

static bool use(void *context, const char *path, struct error *error)
{
    struct pretended *pretended = context;
    uint64_t step = strtoull(path + strlen(path) - strlen("00000001.h5"), NULL, 10);
    pretended->offered++;
    if (step <= pretended->valid)
        return true;
    if (pretended->deletes)
        unlink(path);
    if (pretended->number != 0)
        return error_set_errno(error, pretended->number, "%s: can't open", path);
    return error_set(error, "%s: is damaged", path);
}

static int make_run(void **state)
{
    struct error error;
    char *run = scratch_make(), *train = run_train_folder(run);
    assert_ok(folder_make(train, &error), error);
    for (int step = 1; step <= NEWEST; step++) {
        char *path = format_text("%s/checkpoint-%08d.h5", train, step);
        assert_ok(file_write(path, path, "", 0, &error), error);
        free(path);
    }
    free(train);
    *state = run;
    return 0;
}

static void assert_used(const char *run, struct pretended *pretended, uint64_t step)
{
    struct error error;
    char *path, *ending = format_text("checkpoint-%08d.h5", (int)step);
    struct run_checkpoint_user user = {use, pretended};
    assert_ok(run_use_newest_checkpoint(&user, &path, run, &error), error);
    assert_non_null(path);
    assert_string_equal(path + strlen(path) - strlen(ending), ending);
    free(ending);
    free(path);
}

static void the_newest(void **state)
{
    assert_used(*state, &(struct pretended){.valid = NEWEST}, NEWEST);
}

static void damage_is_passed_over(void **state)
{
    struct error error;
    char *path;
    struct pretended damaged = {.valid = 1}, none = {.valid = 0};
    struct run_checkpoint_user user = {use, &none};
    assert_used(*state, &damaged, 1);
    assert_int_equal(damaged.offered, NEWEST);
    assert_fails(run_use_newest_checkpoint(&user, &path, *state, &error), error,
                 "none of the 3 checkpoints is valid; delete them");
    assert_null(path);
}

/* The newest may be valid, so what was trained after the one before it is not given up. */
static void a_failure_of_the_system_is_no_damage(void **state)
{
    static const int numbers[] = {EACCES, EIO, ENOMEM, EMFILE, EPERM, ENFILE};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct error error;
        char *path;
        struct pretended pretended = {.valid = NEWEST - 1, .number = numbers[i]};
        struct run_checkpoint_user user = {use, &pretended};
        assert_fails(run_use_newest_checkpoint(&user, &path, *state, &error), error, strerror(numbers[i]));
        assert_contains(error.message, "checkpoint-00000003.h5");
        assert_contains(error.message, "no older one is used in its place");
        assert_null(path);
        assert_int_equal(pretended.offered, 1);
    }
}

/* As a training beside us deletes old ones. */
static void one_that_was_deleted_meanwhile(void **state)
{
    assert_used(*state, &(struct pretended){.valid = NEWEST - 1, .number = ENOENT, .deletes = true}, NEWEST - 1);
}

static void one_that_stays_stale(void **state)
{
    struct error error;
    char *path;
    struct pretended pretended = {.valid = NEWEST - 1, .number = ESTALE};
    struct run_checkpoint_user user = {use, &pretended};
    assert_fails(run_use_newest_checkpoint(&user, &path, *state, &error), error, strerror(ESTALE));
    assert_null(path);
    assert_true(pretended.offered > 1);
}

/* Fails for best.h5 alone. */
static bool use_but_best(void *context, const char *path, struct error *error)
{
    struct pretended *pretended = context;
    if (strcmp(path_name(path), RUN_BEST_NAME) != 0)
        return true;
    pretended->offered++;
    if (pretended->deletes)
        unlink(path);
    return pretended->number != 0 ? error_set_errno(error, pretended->number, "%s: can't open", path)
                                  : error_set(error, "%s: is damaged", path);
}

/* With a RUN/train/best.h5. */
static bool use_best(struct pretended *pretended, char **path, const char *run, struct error *error)
{
    struct error ignored;
    struct run_checkpoint_user user = {use_but_best, pretended};
    char *best = format_text("%s/train/" RUN_BEST_NAME, run);
    assert_ok(file_write(best, best, "", 0, &ignored), ignored);
    bool ok = run_use_best_checkpoint(&user, path, run, error);
    free(best);
    return ok;
}

static void the_best_like_others(void **state)
{
    static const int numbers[] = {EACCES, EIO, ENOMEM, EMFILE, ESTALE};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct error error;
        char *path;
        struct pretended pretended = {.number = numbers[i]};
        assert_fails(use_best(&pretended, &path, *state, &error), error, strerror(numbers[i]));
        assert_contains(error.message, "best.h5: can't open");
        assert_contains(error.message, "no other checkpoint is used in its place");
        assert_null(path);
        assert_int_equal(pretended.offered > 1, numbers[i] == ESTALE);
    }
    struct pretended damaged = {.number = 0}, gone = {.number = ENOENT, .deletes = true};
    struct pretended *const passed_over[] = {&damaged, &gone};
    for (size_t i = 0; i < 2; i++) {
        struct error error;
        char *path;
        assert_ok(use_best(passed_over[i], &path, *state, &error), error);
        assert_string_equal(path_name(path), "checkpoint-00000003.h5");
        free(path);
    }
}

static void no_checkpoint_is_no_error(void **state)
{
    struct error error;
    char *path, *nowhere = path_join(*state, "nowhere");
    struct pretended pretended = {.valid = NEWEST};
    struct run_checkpoint_user user = {use, &pretended};
    assert_ok(run_use_newest_checkpoint(&user, &path, nowhere, &error), error);
    assert_null(path);
    free(nowhere);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_newest, make_run, scratch_tear_down),
        cmocka_unit_test_setup_teardown(damage_is_passed_over, make_run, scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_failure_of_the_system_is_no_damage, make_run, scratch_tear_down),
        cmocka_unit_test_setup_teardown(one_that_was_deleted_meanwhile, make_run, scratch_tear_down),
        cmocka_unit_test_setup_teardown(one_that_stays_stale, make_run, scratch_tear_down),
        cmocka_unit_test_setup_teardown(the_best_like_others, make_run, scratch_tear_down),
        cmocka_unit_test_setup_teardown(no_checkpoint_is_no_error, make_run, scratch_tear_down),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
