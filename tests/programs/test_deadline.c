/* When a training stops for its time, from flags and environment as they may come. */
#include "programs/train/deadline.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <math.h>

/* A program that was started five seconds ago. */
static struct deadline_limits limits_of(const char *flag, const char *slurm_end, double max_seconds)
{
    return (struct deadline_limits){
        .flag = flag,
        .slurm_end = slurm_end,
        .max_seconds = max_seconds,
        .started = 95,
        .unix_now = 1700000000,
        .clock_now = 100,
    };
}

static struct deadline make(const char *flag, const char *slurm_end, double max_seconds)
{
    struct deadline_limits limits = limits_of(flag, slurm_end, max_seconds);
    struct deadline deadline;
    struct error error;
    assert_ok(deadline_make(&deadline, &limits, &error), error);
    return deadline;
}

static void assert_deadline(struct deadline deadline, enum deadline_source source, double end)
{
    assert_int_equal(deadline.source, source);
    assert_true(deadline.end == end);
}

static void the_earliest_counts(void **state)
{
    (void)state;
    assert_deadline(make("auto", NULL, 0), DEADLINE_NONE, INFINITY);
    assert_deadline(make("auto", "", 0), DEADLINE_NONE, INFINITY);
    assert_deadline(make("auto", NULL, 60), DEADLINE_MAX_SECONDS, 155);
    assert_deadline(make("auto", "1700000300", 0), DEADLINE_SLURM, 390);
    assert_deadline(make("auto", "1700000300", 60), DEADLINE_MAX_SECONDS, 155);
    assert_deadline(make("auto", "1700000030", 60), DEADLINE_SLURM, 120);
    assert_deadline(make("none", "1700000300", 0), DEADLINE_NONE, INFINITY);
    assert_deadline(make("none", "1700000030", 60), DEADLINE_MAX_SECONDS, 155);
    assert_deadline(make("1700000020", NULL, 0), DEADLINE_FLAG, 110);
    assert_deadline(make("1700000020", "1700000005", 60), DEADLINE_FLAG, 110);
    assert_deadline(make("1700000200", "1700000005", 60), DEADLINE_MAX_SECONDS, 155);
}

static void reasons_name_the_source(void **state)
{
    (void)state;
    struct deadline slurm = make("auto", "1700000300", 0), flag = make("1700000020", NULL, 0);
    struct deadline relative = make("auto", NULL, 1);
    assert_string_equal(deadline_reason(&slurm), "SLURM_JOB_END_TIME");
    assert_string_equal(deadline_reason(&flag), "--deadline");
    assert_string_equal(deadline_reason(&relative), "--max_seconds");
}

static void a_strange_end_of_the_job_is_warned_of(void **state)
{
    (void)state;
    const char *const strange[] = {"soon", "-1",   "0",   "1699999999", "1700000000",          "1700000300.5",
                                   " 1",   "0x7f", "1e9", "inf",        "9999999999999999999", "1700000300 "};
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        struct capture capture = capture_start(2);
        struct deadline deadline = make("auto", strange[i], 0);
        char *said = capture_end(&capture);
        assert_contains(said, "SLURM_JOB_END_TIME=");
        assert_contains(said, "ignored");
        free(said);
        assert_deadline(deadline, DEADLINE_NONE, INFINITY);
    }
    struct capture capture = capture_start(2);
    make("none", "soon", 0);
    make("1700000020", "soon", 0);
    char *said = capture_end(&capture);
    assert_string_equal(said, "");
    free(said);
}

static void a_wrong_flag_is_refused(void **state)
{
    (void)state;
    struct error error;
    struct deadline deadline;
    const char *const wrong[] = {"", "never", "-5", "12:00", "1700000300s", "99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct deadline_limits limits = limits_of(wrong[i], NULL, 0);
        assert_fails(deadline_check_flag(wrong[i], &error), error, "--deadline=");
        assert_fails(deadline_make(&deadline, &limits, &error), error, "auto, none, or seconds since 1970");
    }
    struct deadline_limits over = limits_of("1700000000", NULL, 0);
    assert_ok(deadline_check_flag(over.flag, &error), error);
    assert_fails(deadline_make(&deadline, &over, &error), error, "--deadline=1700000000 is in the past");
}

/* A step of 4 s, 2 s of evaluations and two writes of 1 s, half as long again: 12 s. */
static void it_is_near_when_no_step_fits_any_more(void **state)
{
    (void)state;
    const struct deadline_costs costs = {.step = 4, .evaluations = 2, .write = 1}, nothing = {0};
    struct deadline relative = make("auto", NULL, 60), slurm = make("auto", "1700000300", 0);
    assert_false(deadline_is_near(&relative, &costs, 142.9));
    assert_true(deadline_is_near(&relative, &costs, 143.1));
    assert_false(deadline_is_near(&slurm, &costs, 377.9));
    assert_true(deadline_is_near(&slurm, &costs, 378.1));
    assert_false(deadline_is_near(&slurm, &nothing, 389.9));
    assert_true(deadline_is_near(&slurm, &nothing, 390));
    assert_true(deadline_is_near(&slurm, &nothing, 1000));
    assert_true(deadline_seconds_left(&slurm, 380) == 10);
}

static void without_one_there_is_always_time(void **state)
{
    (void)state;
    const struct deadline_costs costs = {.step = 1e6, .write = 1e6}, unknown = {.write = NAN};
    struct deadline none = make("auto", NULL, 0), relative = make("auto", NULL, 60);
    assert_false(deadline_is_near(&none, &costs, 1e9));
    assert_true(isinf(deadline_seconds_left(&none, 1e9)));
    assert_true(deadline_is_near(&relative, &unknown, 100));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_earliest_counts),
        cmocka_unit_test(reasons_name_the_source),
        cmocka_unit_test(a_strange_end_of_the_job_is_warned_of),
        cmocka_unit_test(a_wrong_flag_is_refused),
        cmocka_unit_test(it_is_near_when_no_step_fits_any_more),
        cmocka_unit_test(without_one_there_is_always_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
