/* A run's metrics as a table: repeated steps once, evaluations joined, first-version names, damaged lines. */
#include "base/io/files.h"
#include "run/metrics_history.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <math.h>

static void write_metrics(const char *run, const char *part, const char *text)
{
    struct error error;
    char *folder = path_join(run, part), *path = path_join(folder, "metrics.jsonl");
    assert_ok(folder_make(folder, &error), error);
    assert_ok(file_write(path, path, text, strlen(text), &error), error);
    free(path);
    free(folder);
}

static double value(const struct metrics_history *history, size_t row, const char *name)
{
    int column = metrics_history_find(history, name);
    assert_true(column >= 0);
    return history->values[row * history->num_columns + (size_t)column];
}

static void a_resumed_run(void **state)
{
    (void)state;
    char *run = scratch_make();
    struct metrics_history history;
    struct error error;
    write_metrics(
        run, "train",
        "{\"event\":\"start\",\"step\":0,\"num_steps\":40,\"time\":\"2026-01-31T12:00:00Z\",\"num_ranks\":2}\n"
        "{\"step\":10,\"total_loss\":9.5,\"global_norm\":2,\"<b>\":1,\"a,b\":2,\"\":3}\n"
        "{\"step\":20,\"total_loss\":8.5,\"global_norm\":3}\n"
        "this is no JSON\n"
        "{\"step\":30,\"total_loss\":7.5}\n"
        "{\"event\":\"resume\",\"step\":15,\"num_steps\":40,\"time\":\"2026-01-31T13:00:00Z\",\"num_ranks\":1}\n"
        "{\"step\":20,\"loss\":8.25,\"grad_norm\":4}\n"
        "{\"step\":25,\"loss\":8,\"grad_norm\":1}\n"
        "{\"step\":99,\"loss\":1");
    write_metrics(run, "eval",
                  "{\"step\":20,\"total_loss\":10.5,\"hits_f1\":0.25}\n"
                  "{\"step\":40,\"split\":\"validation\",\"val_loss\":9,\"val_hits_f1\":0.5}\n");
    assert_ok(metrics_history_read(&history, run, &error), error);
    assert_int_equal(history.num_rows, 4);
    const int64_t steps[] = {10, 20, 25, 40};
    assert_memory_equal(history.steps, steps, sizeof steps);
    assert_true(value(&history, 0, "loss") == 9.5 && value(&history, 1, "loss") == 8.25);
    assert_true(value(&history, 0, "grad_norm") == 2 && value(&history, 2, "grad_norm") == 1);
    assert_true(isnan(value(&history, 0, "val_loss")) && value(&history, 1, "val_loss") == 10.5);
    assert_true(value(&history, 3, "val_loss") == 9 && value(&history, 3, "val_hits_f1") == 0.5);
    assert_true(isnan(value(&history, 3, "loss")));
    assert_int_equal(metrics_history_find(&history, "total_loss"), -1);
    assert_int_equal(metrics_history_find(&history, "<b>"), -1);
    assert_int_equal(history.num_columns, 4);
    assert_int_equal(json_array_size(history.sessions), 2);
    metrics_history_free(&history);
    scratch_remove(run);
}

static void no_metrics(void **state)
{
    (void)state;
    char *run = scratch_make();
    struct metrics_history history;
    struct error error;
    assert_ok(metrics_history_read(&history, run, &error), error);
    assert_int_equal(history.num_rows, 0);
    assert_int_equal(history.num_columns, 0);
    metrics_history_free(&history);
    scratch_remove(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_resumed_run), cmocka_unit_test(no_metrics)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
