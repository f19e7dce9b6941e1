/* The median stopping rule against curves made by hand, and against the files of runs that are no help. */
#include "base/io/files.h"
#include "base/text.h"
#include "programs/train/pruning.h"
#include "run/hparams_file.h"
#include "run/metrics.h"
#include "run/run_folder.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

static int64_t steps[] = {10, 20, 30, 40};

/* A run evaluated at the first `count` of them. */
static struct val_losses curve(double *losses, size_t count)
{
    return (struct val_losses){.steps = steps, .losses = losses, .count = count};
}

/* Running averages up to step 20: 9, 7, 8, 10; up to 40: 8, 6, infinity. */
static double first[] = {10, 8, 7, 7}, second[] = {8, 6, 5, 5};
static double third[] = {9, 7, 1, 1}, fourth[] = {(double)NAN, 10, 9, 9};
static double none[] = {(double)NAN, (double)NAN, (double)NAN, (double)NAN};

static void assert_verdict(double best, int64_t step, const struct val_losses *others, size_t count,
                           const struct pruning_limits *limits, int64_t compared, double median, bool is_behind)
{
    struct error error;
    struct pruning_verdict verdict;
    assert_ok(pruning_judge(&verdict, step, best, others, count, limits, &error), error);
    assert_int_equal(verdict.step, compared);
    bool same = isinf(median) ? isinf(verdict.median) : fabs(verdict.median - median) <= 1e-12;
    if (compared >= 0 && !same)
        fail_msg("the median is %g, not %g", verdict.median, median);
    assert_int_equal(verdict.is_behind, is_behind);
}

static void the_rule(void **state)
{
    const struct pruning_limits limits = {.warmup_steps = 0, .min_runs = 3},
                                later = {.warmup_steps = 21, .min_runs = 3}, two = {.warmup_steps = 0, .min_runs = 2},
                                one = {.warmup_steps = 0, .min_runs = 1};
    struct val_losses others[] = {curve(first, 2), curve(second, 4), curve(third, 2), curve(fourth, 2), curve(none, 4)};
    struct val_losses turned[] = {others[3], others[2], others[1], others[0]};
    (void)state;
    /* The median of an odd number and of an even one, in any order; worse means strictly worse. */
    assert_verdict(8.1, 20, others, 3, &limits, 20, 8, true);
    assert_verdict(8.0, 20, others, 3, &limits, 20, 8, false);
    assert_verdict(8.6, 20, others, 4, &limits, 20, 8.5, true);
    assert_verdict(8.6, 20, turned, 4, &limits, 20, 8.5, true);
    assert_verdict(8.4, 20, turned, 4, &limits, 20, 8.5, false);
    /* What metrics.jsonl has rounded is no difference. */
    assert_verdict(8 + 1e-9, 20, others, 3, &limits, 20, 8, false);
    /* Too few others, or none. */
    assert_verdict(99, 20, others, 2, &limits, -1, 0, false);
    assert_verdict(99, 20, others, 0, &limits, -1, 0, false);
    assert_verdict(99, 20, others, 0, &one, -1, 0, false);
    /* Not by steps of the warm-up, which a run that is ahead leaves later. */
    assert_verdict(99, 20, others, 3, &later, -1, 0, false);
    assert_verdict(99, 40, others, 3, &later, -1, 0, false);
    /* Ahead of the others: compared where three of them have been. */
    assert_verdict(8.1, 40, others, 3, &limits, 20, 8, true);
    assert_verdict(7.9, 40, others, 3, &limits, 20, 8, false);
    /* Of those that are ahead, only what they were at the same step counts. */
    assert_verdict(7.1, 20, others + 1, 1, &one, 20, 7, true);
    assert_verdict(6.5, 40, others + 1, 1, &one, 40, 6, true);
    assert_verdict(6.5, 20, others + 1, 1, &one, 20, 7, false);
    /* Runs without a finite val_loss are the worst; half of them prune nobody. */
    assert_verdict(99, 40, others + 1, 4, &two, 40, (double)INFINITY, false);
    assert_verdict((double)INFINITY, 20, others, 5, &limits, 20, 9, true);
}

/* A run of the sweep with these lines of evaluations. */
static char *put_run(const char *sweep, const char *name, const struct checkpoint *like, const char *lines)
{
    struct error error;
    char *run = path_join(sweep, name), *eval = path_join(run, "eval"), *train = path_join(run, "train");
    char *metrics = path_join(eval, "metrics.jsonl");
    const struct run_surroundings surroundings = {"", "", "", "", "", "", 1};
    assert_ok(folder_make(eval, &error), error);
    assert_ok(folder_make(train, &error), error);
    if (like)
        assert_ok(hparams_file_write(run, like, &surroundings, &error), error);
    assert_ok(file_write(metrics, metrics, lines, strlen(lines), &error), error);
    free(metrics);
    free(train);
    free(eval);
    return run;
}

static void make_state(struct checkpoint *state, const char *changes)
{
    struct error error;
    memset(state, 0, sizeof *state);
    assert_ok(hparams_make(&state->hparams, config_find("groovae_4bar", NULL), changes, &error), error);
    snprintf(state->content_sha256, sizeof state->content_sha256, "%064d", 7);
    state->step = 20;
    state->eval_steps = 4;
    state->best = (struct checkpoint_best){.is_known = true, .step = 20, .val_loss = 9};
}

#define LINE(step, loss) "{\"step\":" #step ",\"split\":\"validation\",\"val_loss\":" #loss "}\n"

static void runs_that_compare(void **state)
{
    struct checkpoint own, other;
    struct pruning_verdict verdict;
    struct train_options options = {.prune = true, .prune_warmup_steps = -1, .prune_min_runs = 2};
    make_state(&own, "learning_rate=0.01");
    options.run_dir = put_run(*state, "own", &own, LINE(20, 1));
    make_state(&other, "learning_rate=0.02,z_size=8");
    free(put_run(*state, "one", &other, LINE(20, 8)));
    pruning_look(&verdict, &own, &options);
    assert_int_equal(verdict.step, -1);
    free(put_run(*state, "two", &other, LINE(20, 6) "{\"step\":30,\"val_l"));
    pruning_look(&verdict, &own, &options);
    assert_true(verdict.is_behind);
    assert_int_equal(verdict.num_runs, 2);
    assert_true(fabs(verdict.median - 7) <= 1e-12);
    /* Before the fifth evaluation, not. */
    own.step = 19;
    pruning_look(&verdict, &own, &options);
    assert_false(verdict.is_behind);
    assert_false(verdict.has_looked);
    own.step = 20;
    options.prune_warmup_steps = 21;
    pruning_look(&verdict, &own, &options);
    assert_false(verdict.is_behind);
    options.prune_warmup_steps = 0;
    /* Others don't count: of another loss or data set, without or with a broken hparams.json. */
    static const char *const changes[] = {"max_beta=0.1", "free_bits=0", "bars=2", "tapify=true"};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        make_state(&other, changes[i]);
        free(put_run(*state, changes[i], &other, LINE(20, 100)));
    }
    make_state(&other, NULL);
    other.content_sha256[0] = 'x';
    free(put_run(*state, "data", &other, LINE(20, 100)));
    free(put_run(*state, "without", NULL, LINE(20, 100)));
    struct error error;
    char *broken = put_run(*state, "broken", NULL, LINE(20, 100)), *path = path_join(broken, RUN_HPARAMS_NAME);
    assert_ok(file_write(path, path, "{\"hparams\":[", 12, &error), error);
    free(path);
    free(broken);
    pruning_look(&verdict, &own, &options);
    assert_true(verdict.is_behind);
    assert_int_equal(verdict.num_runs, 2);
    assert_int_equal(verdict.num_comparable, 2);
    assert_int_equal(verdict.num_beside, 9);
    free(options.run_dir);
}

/* Neighbours that can't be read, or whose files would block a reader, are passed over. */
static void neighbours_that_are_no_files(void **state)
{
    struct error error;
    struct checkpoint own;
    struct pruning_verdict verdict;
    struct train_options options = {.prune = true, .prune_min_runs = 2};
    make_state(&own, NULL);
    options.run_dir = put_run(*state, "own", &own, LINE(20, 9));
    free(put_run(*state, "one", &own, "\xff\n{{{\n" LINE(20, 6)));
    free(put_run(*state, "two", &own, LINE(20, 7)));
    char *fifo = put_run(*state, "fifo", &own, ""), *folder = put_run(*state, "folder", NULL, LINE(20, 1));
    char *fifo_path = path_join(fifo, "eval/metrics.jsonl"), *folder_path = path_join(folder, RUN_HPARAMS_NAME);
    assert_int_equal(unlink(fifo_path), 0);
    assert_int_equal(mkfifo(fifo_path, 0600), 0);
    assert_ok(folder_make(folder_path, &error), error);
    char *loop = path_join(*state, "loop");
    assert_int_equal(symlink("loop", loop), 0);
    pruning_look(&verdict, &own, &options);
    assert_true(verdict.is_behind);
    assert_int_equal(verdict.num_runs, 2);
    /* This run by another name is this run. */
    char *again = path_join(*state, "again");
    assert_int_equal(symlink("own", again), 0);
    pruning_look(&verdict, &own, &options);
    assert_int_equal(verdict.num_runs, 2);
    /* No such folder any more: not behind, a warning. */
    free(options.run_dir);
    options.run_dir = path_join(*state, "gone/run");
    pruning_look(&verdict, &own, &options);
    assert_false(verdict.is_behind);
    free(options.run_dir);
    free(again);
    free(loop);
    free(fifo_path);
    free(folder_path);
    free(fifo);
    free(folder);
}

static void a_pruned_run_is_known(void **state)
{
    struct error error;
    struct metrics_event event = {.event = "start", .num_steps = 50, .num_ranks = 1};
    assert_false(pruning_was_pruned(*state, 0));
    assert_ok(metrics_append_event(*state, &event, &error), error);
    event =
        (struct metrics_event){.event = "end", .step = 20, .num_steps = 50, .num_ranks = 1, .reason = METRICS_PRUNED};
    assert_ok(metrics_append_event(*state, &event, &error), error);
    assert_true(pruning_was_pruned(*state, 20));
    assert_false(pruning_was_pruned(*state, 10)); /* its last checkpoint is gone */
    event = (struct metrics_event){.event = "resume", .step = 20, .num_steps = 50, .num_ranks = 1};
    assert_ok(metrics_append_event(*state, &event, &error), error);
    assert_false(pruning_was_pruned(*state, 20)); /* continued without --prune */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rule),
        cmocka_unit_test_setup_teardown(runs_that_compare, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(neighbours_that_are_no_files, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_pruned_run_is_known, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
