#include "programs/train/pruning.h"

#include "base/array.h"
#include "base/io/files.h"
#include "base/log.h"
#include "run/hparams_file.h"
#include "run/json_members.h"
#include "run/metrics.h"
#include "run/metrics_reader.h"
#include "run/run_folder.h"
#include "run/sweep_folder.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* metrics.jsonl keeps nine digits: what differs by less is equal. */
static const double rounding = 1e-8;

/* Of an even number the mean of the two in the middle. */
static double median_of(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_doubles);
    return count % 2 == 1 ? values[count / 2] : values[count / 2 - 1] / 2 + values[count / 2] / 2;
}

/* The latest step up to `step` that `min_runs` others have reached, -1 where there is none. */
static int64_t common_step(double *scratch, int64_t step, const struct val_losses *others, size_t count,
                           size_t min_runs)
{
    if (count < min_runs)
        return -1;
    for (size_t i = 0; i < count; i++)
        scratch[i] = (double)val_losses_last_step(&others[i]);
    qsort(scratch, count, sizeof *scratch, compare_doubles);
    int64_t reached = (int64_t)scratch[count - min_runs];
    return reached < step ? reached : step;
}

bool pruning_judge(struct pruning_verdict *verdict, int64_t step, double best, const struct val_losses *others,
                   size_t count, const struct pruning_limits *limits, struct error *error)
{
    *verdict = (struct pruning_verdict){.step = -1, .best = best, .median = (double)NAN};
    double *values = calloc(count + 1, sizeof *values);
    if (!values)
        return error_set_no_memory(error, "out of memory for the median of %zu runs", count);
    int64_t common = common_step(values, step, others, count, limits->min_runs);
    if (common >= 0 && common >= limits->warmup_steps) {
        for (size_t i = 0; i < count; i++)
            if (val_losses_last_step(&others[i]) >= common)
                values[verdict->num_runs++] = val_losses_mean(&others[i], common);
        verdict->step = common;
        verdict->median = median_of(values, verdict->num_runs);
        verdict->is_behind = best > verdict->median + rounding * fabs(verdict->median);
    }
    free(values);
    return true;
}

/* Whether both paths are the same folder, whatever they are called. */
static bool is_same_folder(const struct stat *own, const char *other)
{
    struct stat status;
    return stat(other, &status) == 0 && status.st_dev == own->st_dev && status.st_ino == own->st_ino;
}

/* The curves of the runs in a folder, but for this run's own, that compare with its: [*count] of `others`, which has room
 * for all. Returns the number of other runs. */
static size_t read_others(struct val_losses *others, size_t *count, char *const *names, size_t num_names,
                          const char *folder, const struct checkpoint *state, const struct stat *own)
{
    size_t num_beside = 0;
    *count = 0;
    for (size_t i = 0; i < num_names; i++) {
        struct error error;
        char *path = path_join(folder, names[i]);
        bool is_own = is_same_folder(own, path);
        num_beside += !is_own;
        if (is_own)
            log_debug("--prune: %s is this run", path);
        else if (!hparams_file_same_loss(path, state))
            log_debug("--prune: %s is not compared: another data set or loss, or not started", path);
        else if (!val_losses_read(&others[*count], path, &error))
            log_debug("--prune: %s", error.message);
        else
            (*count)++;
        free(path);
    }
    return num_beside;
}

static bool look(struct pruning_verdict *verdict, const struct checkpoint *state, const struct train_options *options,
                 struct error *error)
{
    enum { WARMUP_EVALUATIONS = 5 };
    const struct pruning_limits limits = {
        .warmup_steps = options->prune_warmup_steps >= 0 ? options->prune_warmup_steps
                                                         : WARMUP_EVALUATIONS * (int64_t)state->eval_steps,
        .min_runs = (size_t)options->prune_min_runs,
    };
    if ((int64_t)state->step < limits.warmup_steps)
        return true;
    struct stat own;
    size_t num_names, count = 0;
    if (stat(options->run_dir, &own) != 0)
        return error_set_errno(error, errno, "%s: can't access", options->run_dir);
    char *folder = sweep_folder_of(options->run_dir);
    char **names = sweep_folder_list(folder, &num_names, error);
    struct val_losses *others = names ? calloc(num_names + 1, sizeof *others) : NULL;
    bool ok = others || (names && error_set_no_memory(error, "out of memory for %zu runs", num_names));
    if (ok) {
        size_t num_beside = read_others(others, &count, names, num_names, folder, state, &own);
        ok =
            pruning_judge(verdict, (int64_t)state->step, state->best.is_known ? state->best.val_loss : (double)INFINITY,
                          others, count, &limits, error);
        verdict->has_looked = true;
        verdict->num_beside = num_beside;
        verdict->num_comparable = count;
    }
    for (size_t i = 0; others && i < count; i++)
        val_losses_free(&others[i]);
    free(others);
    sweep_folder_free(names, num_names);
    free(folder);
    return ok;
}

void pruning_look(struct pruning_verdict *verdict, const struct checkpoint *state, const struct train_options *options)
{
    struct error error;
    *verdict = (struct pruning_verdict){.step = -1};
    if (!look(verdict, state, options, &error)) {
        *verdict = (struct pruning_verdict){.step = -1};
        log_warning("--prune: %s", error.message);
    } else if (verdict->step >= 0) {
        log_debug("--prune: the lowest val_loss is %.6g; %.6g is the median of %zu other runs up to step %" PRId64,
                  verdict->best, verdict->median, verdict->num_runs, verdict->step);
    }
}

bool pruning_was_pruned(const char *train_folder, uint64_t step)
{
    struct error ignored;
    char *path = path_join(train_folder, RUN_METRICS_NAME);
    struct metrics_reader *reader = metrics_reader_make(path);
    bool was = false;
    if (reader && metrics_reader_read(reader, &ignored)) {
        const json_t *event = metrics_reader_event(reader);
        was = strcmp(member_string(event, "event"), "end") == 0 &&
              strcmp(member_string(event, "reason"), METRICS_PRUNED) == 0 &&
              member_step(event, "step") == (int64_t)step;
    }
    metrics_reader_free(reader);
    free(path);
    return was;
}
