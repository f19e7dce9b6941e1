/* The lines of metrics.jsonl: valid JSON, whole or not at all. */
#include "run/metrics.h"
#include "run/run_folder.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <jansson.h>

#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static char *read_metrics(const char *folder)
{
    struct error error;
    uint8_t *bytes;
    size_t size;
    char *path = path_join(folder, RUN_METRICS_NAME);
    assert_ok(file_read(&bytes, &size, path, 1 << 20, &error), error);
    free(path);
    return (char *)bytes;
}

/* The object on line `number`, from 0; NULL behind the last. */
static json_t *line_of(const char *text, int number)
{
    for (; number > 0 && *text; number--)
        text += strcspn(text, "\n") + 1;
    return *text ? json_loadb(text, strcspn(text, "\n"), 0, NULL) : NULL;
}

/* Metric i has the value i + 0.5, but for a count. */
static struct metrics_line make_line(const char *split)
{
    static struct metric_set set;
    struct metrics_line line;
    metric_set_make(&set, representation_find("groove", NULL));
    metrics_line_start(&line, &set, 4294967295u, split);
    for (int i = 0; i < set.count; i++)
        line.values.values[i] = i + 0.5;
    metric_put(&line.values, &set, METRIC_LOSS, 1.0 / 3);
    metric_put(&line.values, &set, METRIC_WAIT_SHARE, 0.25);
    metric_put(&line.values, &set, METRIC_SKIPPED_STEPS, 11);
    metric_put(&line.values, &set, METRIC_STEP_TIME, 12);
    return line;
}

static void assert_number(const json_t *object, const char *key, double expected)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value) || !(fabs(json_number_value(value) / expected - 1) < 1e-8))
        fail_msg("%s is %g, not %g", key, json_number_value(value), expected);
}

static void lines_are_appended(void **state)
{
    struct error error;
    char *folder = path_join(*state, "run/train");
    struct metrics_line line = make_line(NULL);
    struct metrics_event event = {.event = "start", .num_steps = 9, .num_ranks = 3};
    setenv("SLURM_JOB_ID", "42", 1);
    setenv("SLURM_RESTART_COUNT", "", 1);
    assert_ok(metrics_append_event(folder, &event, &error), error);
    assert_ok(metrics_append(folder, &line, &error), error);
    line = make_line("validation");
    assert_ok(metrics_append(folder, &line, &error), error);
    event.reason = "SIG\"TERM\n";
    event.message = "run\xff: no room";
    assert_ok(metrics_append_event(folder, &event, &error), error);
    char *text = read_metrics(folder);
    json_t *start = line_of(text, 0), *step = line_of(text, 1), *evaluation = line_of(text, 2), *end = line_of(text, 3);
    assert_true(start && step && evaluation && end && !line_of(text, 4));
    assert_string_equal(json_string_value(json_object_get(start, "event")), "start");
    assert_null(json_object_get(start, "reason"));
    assert_number(start, "pid", (double)getpid());
    assert_string_equal(json_string_value(json_object_get(start, "slurm_job")), "42");
    assert_null(json_object_get(start, "slurm_restarts"));
    assert_null(json_object_get(start, "message"));
    assert_null(json_object_get(end, "host"));
    assert_string_equal(json_string_value(json_object_get(end, "message")), "run?: no room");
    assert_number(start, "num_ranks", 3);
    assert_number(start, "num_steps", 9);
    assert_number(step, "step", 4294967295.0);
    assert_number(step, "loss", 1.0 / 3);
    assert_number(step, "wait_share", 0.25);
    assert_number(step, "skipped_steps", 11);
    assert_number(step, "step_time", 12);
    assert_int_equal(json_object_size(step), 17);
    assert_int_equal(json_object_size(evaluation), 10);
    assert_string_equal(json_string_value(json_object_get(evaluation, "split")), "validation");
    assert_number(evaluation, "val_loss", 1.0 / 3);
    assert_non_null(json_object_get(evaluation, "val_hits_f1"));
    assert_non_null(json_object_get(evaluation, "beta"));
    assert_string_equal(json_string_value(json_object_get(end, "reason")), "SIG\"TERM\n");
    json_decref(start);
    json_decref(step);
    json_decref(evaluation);
    json_decref(end);
    free(text);
    free(folder);
}

/* JSON knows no such numbers. */
static void numbers_that_are_not_finite_are_skipped(void **state)
{
    struct error error;
    struct metrics_line line = make_line(NULL);
    metric_put(&line.values, line.set, METRIC_LOSS, (double)NAN);
    metric_put(&line.values, line.set, METRIC_GRAD_NORM, (double)INFINITY);
    assert_ok(metrics_append(*state, &line, &error), error);
    char *text = read_metrics(*state);
    json_t *object = line_of(text, 0);
    assert_non_null(object);
    assert_null(json_object_get(object, "loss"));
    assert_null(json_object_get(object, "grad_norm"));
    assert_number(object, "hits_loss", 1.5);
    json_decref(object);
    free(text);
}

/* In a child: 0 where a line for which there are `room` bytes left was refused with its reason. */
static int append_with_room(const char *folder, size_t used, size_t room)
{
    struct error error = {.message = ""};
    struct metrics_line line = make_line(NULL);
    const struct rlimit limit = {used + room, used + room};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    if (metrics_append(folder, &line, &error))
        return 2;
    return strstr(error.message, RUN_METRICS_NAME ": can't write: ") ? 0 : 3;
}

static void half_a_line_is_taken_back(void **state)
{
    struct error error;
    struct metrics_line line = make_line(NULL);
    assert_ok(metrics_append(*state, &line, &error), error);
    char *before = read_metrics(*state);
    for (size_t room = 0; room < 100; room += 50) {
        int status;
        pid_t child = fork();
        if (child == 0)
            _exit(append_with_room(*state, strlen(before), room));
        assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        char *after = read_metrics(*state);
        assert_string_equal(after, before);
        free(after);
    }
    free(before);
}

/* In a child that appends to a file of `used` bytes with room for half a line; a line of another's comes just behind. */
static void cut_a_line(const char *folder, size_t used)
{
    struct error error;
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct metrics_line line = make_line("validation");
        const struct rlimit limit = {used + 50, used + 50};
        signal(SIGXFSZ, SIG_IGN);
        _exit(setrlimit(RLIMIT_FSIZE, &limit) == 0 && !metrics_append(folder, &line, &error) ? 0 : 1);
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_int_equal(status, 0);
}

/* Where several write, what one was cut short in stays: to take it back could take another's line with it. */
static void of_several_writers_none_takes_back(void **state)
{
    struct error error;
    struct metrics_line line = make_line("validation");
    assert_ok(metrics_append(*state, &line, &error), error);
    char *before = read_metrics(*state);
    cut_a_line(*state, strlen(before));
    char *cut = read_metrics(*state);
    assert_int_equal(strlen(cut), strlen(before) + 50);
    assert_ok(metrics_append(*state, &line, &error), error);
    assert_ok(metrics_append(*state, &line, &error), error);
    char *after = read_metrics(*state);
    assert_memory_equal(after, cut, strlen(cut));
    assert_int_equal(after[strlen(cut)], '\n');
    for (int i = 0; i < 4; i++) {
        json_t *object = line_of(after, i);
        assert_true((object == NULL) == (i == 1));
        json_decref(object);
    }
    assert_int_equal(after[strlen(after) - 1], '\n');
    free(before);
    free(cut);
    free(after);
}

/* Two jobs at once, lines of some length: each is whole. */
static void lines_of_several_writers_do_not_mix(void **state)
{
    enum { WRITERS = 4, LINES = 200 };
    struct error error;
    pid_t children[WRITERS];
    int status, count = 0;
    for (int i = 0; i < WRITERS; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            struct metrics_line line = make_line("validation");
            bool ok = true;
            for (int n = 0; n < LINES && ok; n++) {
                line.step = (uint64_t)i;
                ok = metrics_append(*state, &line, &error);
            }
            _exit(ok ? 0 : 1);
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_true(children[i] > 0 && waitpid(children[i], &status, 0) == children[i]);
        assert_int_equal(status, 0);
    }
    char *text = read_metrics(*state);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1, count++) {
        json_t *object = line_of(line, 0);
        assert_non_null(object);
        json_decref(object);
    }
    assert_int_equal(count, WRITERS * LINES);
    free(text);
}

/* Were it opened as a file is, this test would wait for a reader. */
static void a_fifo_is_refused(void **state)
{
    struct error error;
    struct metrics_line line = make_line("validation");
    struct metrics_event event = {.event = "start"};
    char *path = path_join(*state, RUN_METRICS_NAME);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_fails(metrics_append_event(*state, &event, &error), error,
                 "metrics.jsonl: can't write: is not a regular file");
    assert_fails(metrics_append(*state, &line, &error), error, "is not a regular file");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_fails(metrics_append(*state, &line, &error), error, "metrics.jsonl: can't write: is not a regular file");
    rmdir(path);
    free(path);
}

static void a_folder_that_can_not_be_made(void **state)
{
    struct error error;
    struct metrics_line line = make_line(NULL);
    char *file = path_join(*state, "file"), *below = path_join(file, "train");
    assert_ok(file_write(file, file, "", 0, &error), error);
    assert_fails(metrics_append(below, &line, &error), error, file);
    free(below);
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_are_appended, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(numbers_that_are_not_finite_are_skipped, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(half_a_line_is_taken_back, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(of_several_writers_none_takes_back, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(lines_of_several_writers_do_not_mix, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_fifo_is_refused, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_can_not_be_made, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
