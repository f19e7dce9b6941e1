#include "programs/bench/training.h"

#include "base/clock.h"
#include "data/dataset/order.h"
#include "model/optimizer/schedule.h"
#include "programs/bench/metrics.h"
#include "programs/bench/rounds.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const char *const phase_names[STEP_NUM_PHASES] = {STEP_PHASE_NAMES};

/* Everything but the reducer. */
static bool open_here(struct bench_training *training, int64_t micro_batch, struct error *error)
{
    const struct hparams *hparams = &training->hparams;
    int num_ranks = comm_size(training->comm);
    if (hparams->batch_size < num_ranks)
        return error_set(error, "batch_size=%lld is less than one window for each of %d ranks",
                         (long long)hparams->batch_size, num_ranks);
    training->samples = malloc((size_t)training->most_steps * (1 + STEP_NUM_PHASES) * sizeof *training->samples);
    if (!training->samples)
        return error_set(error, "no memory for the times of %d steps", training->most_steps);
    if (!bench_windows_make(&training->windows, hparams, error))
        return false;
    training->model = model_make(hparams, train_step_micro_batch(hparams, micro_batch, num_ranks), error);
    if (!training->model || !optimizer_make(&training->optimizer, &training->model->table, error))
        return false;
    model_initialize(training->model, 0);
    return true;
}

bool bench_training_open(struct bench_training *training, const struct hparams *hparams,
                         const struct bench_options *options, struct comm *comm, struct error *error)
{
    memset(training, 0, sizeof *training);
    training->comm = comm;
    training->hparams = *hparams;
    training->most_steps = (int)options->steps;
    stats_start(&training->stats, phase_names, STEP_NUM_PHASES);
    if (!comm_all_ok(comm, open_here(training, options->micro_batch_size, error), error))
        goto failed;
    training->reducer = gradient_reducer_make(comm, training->model->gradients, training->model->table.num_floats,
                                              (size_t)options->bucket_kib << 10, error);
    if (!training->reducer)
        goto failed;
    return true;

failed:
    bench_training_close(training);
    return false;
}

void bench_training_close(struct bench_training *training)
{
    gradient_reducer_free(training->reducer);
    optimizer_free(&training->optimizer);
    model_free(training->model);
    bench_windows_free(&training->windows);
    free(training->samples);
    memset(training, 0, sizeof *training);
}

static void fill(void *context, const struct model_step *part)
{
    struct bench_training *training = context;
    training->reports.count = 0;
    training->reports.windows = part->batch;
    bench_windows_fill(&training->windows, training->model, part);
}

static void watch(void *context, size_t end)
{
    struct bench_reports *reports = &((struct bench_training *)context)->reports;
    if (reports->count == TENSORS_MAX_ROWS)
        return;
    reports->ends[reports->count] = end;
    reports->before_end[reports->count++] = clock_seconds();
}

/* From the clock's times to those before the end. */
static void finish_reports(struct bench_reports *reports)
{
    double end = reports->count > 0 ? reports->before_end[reports->count - 1] : 0;
    for (int i = 0; i < reports->count; i++)
        reports->before_end[i] = end - reports->before_end[i];
}

/* drumline-train's step on comm's ranks, with their reducer: gradients, the allreduce of metrics, the update. */
static void make_step(struct bench_training *training, const struct hparams *hparams, struct comm *comm,
                      struct gradient_reducer *reducer)
{
    double sums[METRIC_MAX_SUMS] = {0};
    struct train_step step = {
        .model = training->model,
        .reducer = reducer,
        .stats = &training->stats,
        .hparams = hparams,
        .fill = fill,
        .context = training,
        .watch = watch,
    };
    order_part((size_t)hparams->batch_size, comm_rank(comm), comm_size(comm), &step.first, &step.count);
    training->number++;
    train_step_gradients(&step, training->number, sums);
    comm_sum_doubles(comm, sums, (size_t)training->model->metrics.num_sums);
    stats_phase(&training->stats, STEP_OPTIMIZER);
    optimizer_step(&training->optimizer, training->model->values, training->model->gradients, hparams,
                   schedule_learning_rate(hparams, training->number));
    stats_phase(&training->stats, -1);
    finish_reports(&training->reports);
}

bool bench_training_time(struct bench_training *training, int64_t batch_size, int steps, struct bench_times *times,
                         struct error *error)
{
    struct hparams hparams = training->hparams;
    size_t count = (size_t)(steps < training->most_steps ? steps : training->most_steps);
    double *step_seconds = training->samples, *phase_seconds = training->samples + count;
    int num_ranks = comm_size(training->comm);
    size_t first, part;
    hparams.batch_size = batch_size;
    order_part((size_t)batch_size, comm_rank(training->comm), num_ranks, &first, &part);
    if (!comm_all_ok(training->comm, train_step_prepare(training->model, part, error), error))
        return false;
    make_step(training, &hparams, training->comm, training->reducer);
    for (size_t i = 0; i < count; i++) {
        memset(training->stats.seconds, 0, sizeof training->stats.seconds);
        comm_barrier(training->comm);
        double started = clock_seconds();
        make_step(training, &hparams, training->comm, training->reducer);
        step_seconds[i] = clock_seconds() - started;
        for (size_t phase = 0; phase < STEP_NUM_PHASES; phase++)
            phase_seconds[phase * count + i] = training->stats.seconds[phase];
    }
    comm_max_doubles(training->comm, step_seconds, count);
    times->step = bench_median(step_seconds, count);
    memcpy(step_seconds, phase_seconds + STEP_REDUCTION * count, count * sizeof *step_seconds);
    comm_min_doubles(training->comm, step_seconds, count);
    times->exposed = bench_median(step_seconds, count);
    comm_sum_doubles(training->comm, phase_seconds, STEP_NUM_PHASES * count);
    for (size_t phase = 0; phase < STEP_NUM_PHASES; phase++)
        times->phases[phase] = bench_median(phase_seconds + phase * count, count) / num_ranks;
    return true;
}

/* A step of all ranks with the full batch, or of one with the largest part of it. */
static bool run_once(void *context, struct comm *comm, int number, double *seconds, struct error *error)
{
    struct bench_training *training = context;
    struct hparams hparams = training->hparams;
    bool is_alone = comm_size(comm) == 1;
    struct gradient_reducer *reducer = training->reducer;
    (void)number;
    if (is_alone) {
        hparams.batch_size = (int64_t)order_largest_part((size_t)hparams.batch_size, comm_size(training->comm));
        reducer =
            gradient_reducer_make(comm, training->model->gradients, training->model->table.num_floats, SIZE_MAX, error);
        if (!reducer)
            return false;
    }
    double started = clock_seconds();
    make_step(training, &hparams, comm, reducer);
    *seconds = clock_seconds() - started;
    if (is_alone)
        gradient_reducer_free(reducer);
    return true;
}

bool bench_training_speedup(struct bench_training *training, double *times, struct error *error)
{
    struct bench_rounds rounds;
    size_t batch = (size_t)training->hparams.batch_size, part = order_largest_part(batch, comm_size(training->comm));
    if (!comm_all_ok(training->comm, train_step_prepare(training->model, part, error), error) ||
        !bench_rounds_run(&rounds, run_once, training, training->most_steps, true, training->comm, error))
        return false;
    *times = rounds.ratio * (double)batch / (double)part;
    return true;
}

double bench_training_allreduce_seconds(struct bench_training *training)
{
    enum { REPEATS = 5 };
    const struct bench_reports *reports = &training->reports;
    double seconds[REPEATS];
    for (int i = 0; i < REPEATS; i++) {
        comm_barrier(training->comm);
        double started = clock_seconds();
        gradient_reducer_start(training->reducer);
        for (int report = 0; report < reports->count; report++)
            gradient_reducer_ready(training->reducer, reports->ends[report]);
        gradient_reducer_finish(training->reducer);
        seconds[i] = clock_seconds() - started;
    }
    comm_max_doubles(training->comm, seconds, REPEATS);
    return bench_median(seconds, REPEATS);
}

double bench_resident_bytes(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? 1024.0 * (double)usage.ru_maxrss : 0;
}
