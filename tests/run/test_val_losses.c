/* The val_loss curve of a run, from files as they are, half written or spoilt; and the runs of a folder. */
#include "base/io/files.h"
#include "run/sweep_folder.h"
#include "run/val_losses.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

static void put_metrics(const char *run_dir, const char *text, size_t size)
{
    struct error error;
    char *folder = path_join(run_dir, "eval"), *path = path_join(folder, "metrics.jsonl");
    assert_ok(folder_make(folder, &error), error);
    assert_ok(file_write(path, path, text, size, &error), error);
    free(path);
    free(folder);
}

static void put_text(const char *run_dir, const char *text)
{
    put_metrics(run_dir, text, strlen(text));
}

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-12))
        fail_msg("%.17g, not %.17g", value, expected);
}

static void whole_lines_of_validation_count(void **state)
{
    struct error error;
    struct val_losses losses;
    assert_ok(val_losses_read(&losses, *state, &error), error);
    assert_int_equal(val_losses_last_step(&losses), -1);
    val_losses_free(&losses);
    put_text(*state, "{\"step\":20,\"split\":\"validation\",\"val_loss\":8}\n"
                     "{\"step\":10,\"split\":\"validation\",\"val_loss\":12.5}\n"
                     "{\"step\":15,\"split\":\"test\",\"test_loss\":1}\n"
                     "{\"step\":16,\"loss\":7}\n"
                     "{\"step\":30,\"split\":\"validation\",\"val_loss\":6}\n"
                     "{\"step\":20,\"split\":\"validation\",\"val_loss\":9}\n" /* made again */
                     "{\"step\":40,\"split\":\"validation\"}\n"                /* not finite, so not written */
                     "{\"step\":50,\"split\":\"validation\",\"val_loss\":4}"); /* half written */
    assert_ok(val_losses_read(&losses, *state, &error), error);
    assert_int_equal(losses.count, 4);
    static const int64_t steps[] = {10, 20, 30, 40};
    assert_memory_equal(losses.steps, steps, sizeof steps);
    assert_near(losses.losses[1], 9);
    assert_int_equal(val_losses_last_step(&losses), 40);
    assert_near(val_losses_mean(&losses, 10), 12.5);
    assert_near(val_losses_mean(&losses, 29), 10.75);
    assert_near(val_losses_mean(&losses, 40), 27.5 / 3);
    assert_true(isinf(val_losses_mean(&losses, 9)));
    val_losses_free(&losses);
}

#define V(step, loss) "{\"step\":" step ",\"split\":\"validation\",\"val_loss\":" loss "}\n"

static void spoilt_lines_are_skipped(void **state)
{
    static const char text[] = "\n\0\n[1,2]\nnull\n{\n" V("\"5\"", "1") V("null", "1") V("3", "1e999") V("-5", "3")
        V("99999999999999999999", "1") V("1e300", "\"low\"")
            V("6", "5") "\xff\xfe" V("7", "1") "{\"step\":1,\"step\":2,\"split\":\"validation\",\"val_loss\":1}\n{"
                                               "\"step\":4,\"split\":7,\"val_loss\":1}\n";
    struct error error;
    struct val_losses losses;
    put_metrics(*state, text, sizeof text - 1);
    assert_ok(val_losses_read(&losses, *state, &error), error);
    assert_int_equal(losses.count, 3); /* steps below 0 and beyond any training are bounded */
    assert_int_equal(losses.steps[0], 0);
    assert_int_equal(losses.steps[1], 6);
    assert_int_equal(losses.steps[2], UINT32_MAX);
    assert_near(val_losses_mean(&losses, UINT32_MAX), 4);
    val_losses_free(&losses);
}

static void what_is_no_file_is_refused(void **state)
{
    struct error error;
    struct val_losses losses;
    char *folder = path_join(*state, "eval"), *path = path_join(folder, "metrics.jsonl");
    assert_ok(folder_make(path, &error), error);
    assert_fails(val_losses_read(&losses, *state, &error), error, "is a folder");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_fails(val_losses_read(&losses, *state, &error), error, "is not a regular file");
    free(path);
    free(folder);
}

static void runs_of_a_folder(void **state)
{
    static const char *const paths[] = {"b/train", "a/eval", ".hidden/train", "notes"};
    static const struct {
        const char *run, *folder;
    } parents[] = {
        {"runs/sweep/001",   "runs/sweep/"},
        {"runs/sweep/001//", "runs/sweep/"},
        {"001",              "."          },
        {"/001",             "/"          },
        {".",                "./.."       },
        {"runs/..",          "runs/../.." },
    };
    struct error error;
    size_t count;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char *path = path_join(*state, paths[i]);
        assert_ok(folder_make(path, &error), error);
        free(path);
    }
    char **names = sweep_folder_list(*state, &count, &error);
    assert_non_null(names);
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "a");
    assert_string_equal(names[1], "b");
    sweep_folder_free(names, count);
    assert_null(sweep_folder_list("/nowhere", &count, &error));
    for (size_t i = 0; i < sizeof parents / sizeof *parents; i++) {
        char *folder = sweep_folder_of(parents[i].run);
        assert_string_equal(folder, parents[i].folder);
        free(folder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole_lines_of_validation_count, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(spoilt_lines_are_skipped, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_refused, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(runs_of_a_folder, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
