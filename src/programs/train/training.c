/* The steps of a training. */
#include "programs/train/training.h"

#include "base/clock.h"
#include "base/io/files.h"
#include "base/log.h"
#include "base/version.h"
#include "data/dataset/order.h"
#include "dist/halt.h"
#include "model/optimizer/schedule.h"
#include "programs/train/best.h"
#include "programs/train/halting.h"
#include "programs/train/pruning.h"
#include "run/metrics.h"
#include "run/run_folder.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is summed over ranks after each step: votes, which any rank may cast, so that all act alike; and behind them the
 * model's sums (base/metric.h). */
enum vote {
    VOTE_HALT, /* the first of programs/train/halting.h's */
    VOTE_SAVE = NUM_HALTING_VOTES,
    VOTE_GIVE_UP, /* rank 0 could not write a checkpoint */
    NUM_VOTES,
    NUM_SHARED = NUM_VOTES + METRIC_MAX_SUMS
};

/* Sums of the steps since the last line of the log. */
struct interval {
    double sums[METRIC_MAX_SUMS];
    double started, exposed;
    double grad_norm; /* of the last step */
};

/* Moves on to the next epoch where this one has no whole batch left, and draws its order. */
static void prepare_order(struct training *training)
{
    struct checkpoint *state = &training->state;
    if (state->position + (uint64_t)state->hparams.batch_size > training->windows.count) {
        state->epoch++;
        state->position = 0;
    }
    if (!training->order_valid || training->order_epoch != state->epoch) {
        windows_order(training->order, &training->windows, state->seed, (uint32_t)state->epoch);
        training->order_epoch = state->epoch;
        training->order_valid = true;
    }
}

/* The windows of a micro-batch, in the epoch's order. */
static void fill(void *context, const struct model_step *part)
{
    struct training *training = context;
    struct model *model = training->model;
    watchdog_done(training->watchdog);
    train_progress_at(&training->progress, part->step, part->first_example - training->first, training->count,
                      clock_seconds());
    const uint32_t *numbers = training->order + training->state.position + part->first_example;
    batch_fill(model->input, model->target, model->controls, &training->windows, numbers, part->batch,
               &training->transform, part->seed, part->step, part->first_example);
}

static void compute_gradients(struct training *training, uint32_t number, double *sums)
{
    struct train_step step = {
        .model = training->model,
        .reducer = training->reducer,
        .stats = &training->stats,
        .hparams = &training->state.hparams,
        .seed = training->state.seed,
        .first = training->first,
        .count = training->count,
        .fill = fill,
        .context = training,
    };
    train_step_gradients(&step, number, sums);
}

/* Evaluations that are made after the step under way and after the one that may follow. */
static int evaluations_due(const struct training *training)
{
    uint64_t steps = training->state.eval_steps, step = training->state.step + 1;
    return training->evaluates ? (step % steps == 0) + ((step + 1) % steps == 0) : 0;
}

/* Before there was one, an evaluation is taken to last as long as steps on as many windows. */
static double evaluation_seconds(const struct training *training)
{
    if (!training->evaluates || training->longest_evaluation > 0)
        return training->longest_evaluation;
    double batch_size = (double)training->state.hparams.batch_size;
    return training->longest_step * ceil((double)training->evaluation.windows.count / batch_size);
}

static bool time_is_up(const struct training *training, double now)
{
    struct deadline_costs costs = {
        .step = fmax(training->longest_step, now - training->step_started),
        .evaluations = evaluations_due(training) * evaluation_seconds(training),
        .write = checkpoint_writer_longest_seconds(training->writer),
    };
    return deadline_is_near(&training->deadline, &costs, now);
}

/* This rank's votes into shared. */
static void add_votes(struct training *training, double shared[NUM_SHARED])
{
    const struct train_options *options = training->options;
    double now = clock_seconds();
    const bool is_first = comm_rank(training->comm) == 0;
    halting_vote(shared + VOTE_HALT, is_first && time_is_up(training, now));
    if (!is_first)
        return;
    shared[VOTE_SAVE] = options->save_checkpoint_secs > 0 && now - training->saved >= options->save_checkpoint_secs &&
                        !checkpoint_writer_is_busy(training->writer);
    shared[VOTE_GIVE_UP] = checkpoint_writer_has_failed(training->writer);
}

/* What is written beside the tensors. */
static void describe_state(struct training *training)
{
    struct checkpoint *state = &training->state;
    state->updates = training->optimizer.updates;
    state->skipped = training->optimizer.skipped;
    snprintf(state->program_version, sizeof state->program_version, "%s", drumline_version());
    date_now(state->date);
}

/* Rank 0 begins to write, and where the checkpoint must be safe before anything else happens, waits for it. Before that,
 * proof that the ranks still hold the same parameters. Collective. */
static bool save(struct training *training, bool must_be_safe, struct error *error)
{
    struct checkpoint *state = &training->state;
    struct model *model = training->model;
    stats_phase(&training->stats, PHASE_CHECKPOINT);
    watchdog_phase(training->watchdog, WATCH_CHECKPOINT, state->step);
    if (!comm_all_equal(training->comm, model->values, model->table.num_floats * sizeof *model->values))
        return error_set(error,
                         "step %" PRIu64 ": the ranks' parameters differ, so no checkpoint is written; is the job "
                         "made of different processors or builds?",
                         state->step);
    bool ok = true;
    if (comm_rank(training->comm) == 0) {
        describe_state(training);
        ok = checkpoint_writer_begin(training->writer, state, error) &&
             (!must_be_safe || checkpoint_writer_wait(training->writer, error));
    }
    training->saved = clock_seconds();
    return comm_all_ok(training->comm, ok, error);
}

/* What could not be written in the background. Collective. */
static bool writer_is_well(struct training *training, struct error *error)
{
    watchdog_phase(training->watchdog, WATCH_CHECKPOINT, training->state.step);
    bool ok = comm_rank(training->comm) != 0 || checkpoint_writer_wait(training->writer, error);
    return comm_all_ok(training->comm, ok, error);
}

/* Where no checkpoint was written yet, one is tried: a disk without room shows at the start, not when there is work to lose, as
 * does too little memory for the copy; and a deadline can only be kept by who knows how long a checkpoint takes. A failure shows
 * after the next step, as any does. */
static void try_first_write(struct training *training)
{
    struct error error;
    if (comm_rank(training->comm) != 0 || checkpoint_writer_longest_seconds(training->writer) > 0)
        return;
    stats_phase(&training->stats, PHASE_CHECKPOINT);
    watchdog_phase(training->watchdog, WATCH_CHECKPOINT, training->state.step);
    describe_state(training);
    checkpoint_writer_try(training->writer, &training->state, &error);
}

/* Until num_steps or the deadline, whichever comes first. */
static double seconds_left(const struct training *training, double seconds_per_step)
{
    double left = seconds_per_step * (double)((uint64_t)training->options->num_steps - training->state.step);
    return fmin(left, fmax(0, deadline_seconds_left(&training->deadline, clock_seconds())));
}

/* Rank 0 writes, unless another job has taken the run over. */
static bool write_metrics(const struct training *training, const struct metrics_line *line, struct error *error)
{
    const char *folder = line->split ? training->eval_folder : training->folder;
    watchdog_phase(training->watchdog, WATCH_METRICS, line->step);
    return comm_rank(training->comm) != 0 ||
           (run_lock_held(&training->lock, error) && metrics_append(folder, line, error) &&
            tensorboard_put_line(training->tensorboard, line, error));
}

/* Whether the step under way is one whose tensors rank 0 writes about. */
static bool measures_tensors(const struct training *training)
{
    return training->values_before && training->state.step % (uint64_t)training->options->log_steps == 0;
}

/* Which rank is slow, and the times of all in a file: whenever it is time, and at the end. Collective. */
static bool look_at_ranks(struct training *training, bool is_last, struct error *error)
{
    struct slow_rank *slow = &training->slow_rank;
    bool stores =
        slow_rank_look(slow, &training->stats, training->state.step, is_last, training->comm, clock_seconds());
    watchdog_phase(training->watchdog, WATCH_METRICS, training->state.step);
    return !stores || (run_lock_held(&training->lock, error) && rank_times_write(training->folder, &slow->now, error));
}

/* The mean of the interval's steps, to the log and to metrics.jsonl. */
static bool report(struct training *training, struct interval *interval, struct error *error)
{
    const struct checkpoint *state = &training->state;
    const struct metric_set *set = &training->model->metrics;
    double seconds = clock_seconds() - interval->started, windows = interval->sums[SUM_WINDOWS];
    double steps = windows / (double)state->hparams.batch_size;
    struct metrics_line line;
    struct metric_values *values = &line.values;
    metrics_line_start(&line, set, state->step, NULL);
    metric_compute(values, set, interval->sums, schedule_beta(&state->hparams, state->step));
    metric_put(values, set, METRIC_LEARNING_RATE, schedule_learning_rate(&state->hparams, state->step));
    metric_put(values, set, METRIC_GRAD_NORM, interval->grad_norm);
    metric_put(values, set, METRIC_WINDOWS_PER_SECOND, windows / seconds);
    metric_put(values, set, METRIC_STEP_TIME, seconds / steps);
    metric_put(values, set, METRIC_WAIT_SHARE, interval->exposed / seconds);
    metric_put(values, set, METRIC_SECONDS_LEFT, seconds_left(training, seconds / steps));
    metric_put(values, set, METRIC_EPOCH, (double)state->epoch);
    metric_put(values, set, METRIC_SKIPPED_STEPS, (double)training->optimizer.skipped);
    *interval = (struct interval){.started = clock_seconds()};
    metrics_log(&line, (uint64_t)training->options->num_steps);
    train_progress_said(&training->progress, clock_seconds());
    return look_at_ranks(training, false, error) && write_metrics(training, &line, error) &&
           (!measures_tensors(training) ||
            (tensor_norms_append(training->folder, state->step, &training->model->table, training->norms, error) &&
             tensorboard_put_norms(training->tensorboard, state->step, &training->model->table, training->norms,
                                   error)));
}

/* After a validation: rank 0 begins to write the model where it is the best so far. */
static bool keep_best(struct training *training, struct error *error)
{
    struct checkpoint *state = &training->state;
    if (!best_note(state, metric_get(&state->validation, &training->model->metrics, METRIC_LOSS)))
        return true;
    log_info("step %" PRIu64 " has the lowest val_loss so far", state->step);
    if (comm_rank(training->comm) != 0)
        return true;
    describe_state(training);
    return checkpoint_writer_begin_best(training->writer, state, error);
}

static bool evaluate(struct training *training, struct error *error)
{
    struct checkpoint *state = &training->state;
    struct metrics_line line;
    double sums[METRIC_MAX_SUMS], started = clock_seconds();
    stats_phase(&training->stats, PHASE_EVALUATION);
    watchdog_phase(training->watchdog, WATCH_EVALUATION, state->step);
    float *weights = training->model->values;
    if (state->hparams.ema_decay > 0)
        training->model->values = training->average.values;
    evaluation_run(&training->evaluation, training->model, training->comm, state->seed, training->watchdog, sums);
    training->model->values = weights;
    training->longest_evaluation = fmax(training->longest_evaluation, clock_seconds() - started);
    evaluation_line(&line, &training->evaluation, training->model, sums, state->step,
                    schedule_beta(&state->hparams, state->step));
    state->has_validation = strcmp(training->options->eval_split, "validation") == 0;
    state->validation_step = state->step;
    state->validation = line.values;
    metrics_log(&line, 0);
    train_progress_said(&training->progress, clock_seconds());
    const float *evaluated = state->hparams.ema_decay > 0 ? training->average.values : weights;
    return write_metrics(training, &line, error) &&
           tensorboard_put_model(training->tensorboard, state->step, training->model, evaluated,
                                 &training->evaluation.windows, error) &&
           (!state->has_validation || keep_best(training, error));
}

/* One update. Fills shared with what all ranks have in common. */
static void make_step(struct training *training, double shared[NUM_SHARED], struct interval *interval)
{
    struct checkpoint *state = &training->state;
    memset(shared, 0, NUM_SHARED * sizeof *shared);
    training->step_started = clock_seconds();
    if (comm_rank(training->comm) == 0)
        halt_answer(train_program.name, "after this step",
                    training->longest_step + checkpoint_writer_longest_seconds(training->writer));
    watchdog_phase(training->watchdog, WATCH_STEP, state->step + 1);
    prepare_order(training);
    compute_gradients(training, (uint32_t)(state->step + 1), shared + NUM_VOTES);
    add_votes(training, shared);
    comm_sum_doubles(training->comm, shared, NUM_VOTES + (size_t)training->model->metrics.num_sums);
    stats_phase(&training->stats, STEP_OPTIMIZER);
    state->step++;
    state->position += (uint64_t)state->hparams.batch_size;
    double rate = schedule_learning_rate(&state->hparams, state->step);
    uint64_t updates = training->optimizer.updates;
    bool measures = measures_tensors(training);
    if (measures)
        memcpy(training->values_before, training->model->values,
               training->model->table.num_floats * sizeof *training->values_before);
    interval->grad_norm = optimizer_step(&training->optimizer, training->model->values, training->model->gradients,
                                         &state->hparams, rate);
    if (measures)
        tensor_norms_measure(training->norms, &training->model->table, training->values_before, training->model->values,
                             training->model->gradients);
    if (state->hparams.ema_decay > 0 && training->optimizer.updates > updates)
        average_update(&training->average, training->model->values, state->hparams.ema_decay,
                       training->optimizer.updates);
    interval->exposed += gradient_reducer_exposed_seconds(training->reducer);
    for (int i = 0; i < training->model->metrics.num_sums; i++)
        interval->sums[i] += shared[NUM_VOTES + i];
    training->longest_step = fmax(training->longest_step, clock_seconds() - training->step_started);
    stats_phase(&training->stats, -1);
}

/* Collective. */
static bool evaluate_on_all(struct training *training, struct error *error)
{
    return comm_all_ok(training->comm, evaluate(training, error), error);
}

/* With --prune, after an evaluation that is not the last: whether the run has fallen behind others, as rank 0 finds. Collective. */
static void compare_with_others(struct training *training)
{
    struct pruning_verdict verdict = {0};
    const struct checkpoint *state = &training->state;
    if (!training->options->prune || state->step >= (uint64_t)training->options->num_steps)
        return;
    watchdog_phase(training->watchdog, WATCH_METRICS, state->step);
    if (comm_rank(training->comm) == 0)
        pruning_look(&verdict, state, training->options);
    if (verdict.has_looked && training->said_comparable != (int64_t)verdict.num_comparable)
        log_info("--prune: compares with %zu of %zu other runs beside this one: same data set, same loss",
                 verdict.num_comparable, verdict.num_beside);
    if (verdict.has_looked)
        training->said_comparable = (int64_t)verdict.num_comparable;
    training->is_pruned = verdict.is_behind;
    comm_broadcast(training->comm, &training->is_pruned, sizeof training->is_pruned, 0);
    if (verdict.is_behind)
        log_info("pruned: the lowest val_loss, %.4g, is above %.4g, the median of %zu other runs up to step %" PRId64,
                 verdict.best, verdict.median, verdict.num_runs, verdict.step);
}

/* Whether the training need not go on to num_steps. */
static bool is_over_early(const struct training *training)
{
    return training->is_pruned || best_is_stale(&training->state, training->options->patience);
}

/* The reason of an end that was not a halt. */
static const char *end_reason(const struct training *training)
{
    const struct checkpoint *state = &training->state;
    if (state->step >= (uint64_t)training->options->num_steps)
        return "num_steps";
    return best_is_stale(state, training->options->patience) ? METRICS_PATIENCE : METRICS_PRUNED;
}

static void log_early_end(const struct training *training, const char *reason)
{
    const struct checkpoint *state = &training->state;
    if (strcmp(reason, METRICS_PATIENCE) == 0)
        log_info("ended by --patience at step %" PRIu64 ": val_loss was lowest, %.2f, at step %" PRIu64, state->step,
                 state->best.val_loss, state->best.step);
    else if (strcmp(reason, METRICS_PRUNED) == 0)
        log_info("ended by --prune at step %" PRIu64 " of %" PRId64 "; without --prune the run goes on from there",
                 state->step, training->options->num_steps);
}

/* What is due after a step; `halts` where it is the last one before its time. A metrics file that can't be written ends the
 * training, but not before a checkpoint is. Who halts may be killed soon: the checkpoint then comes before the evaluation. */
static bool after_step(struct training *training, const double shared[NUM_SHARED], struct interval *interval,
                       bool halts, struct error *error)
{
    const struct train_options *options = training->options;
    uint64_t step = training->state.step;
    bool reported = true, last = halts || step == (uint64_t)options->num_steps;
    bool evaluates = training->evaluates && step % training->state.eval_steps == 0;
    if (step % (uint64_t)options->log_steps == 0 || last)
        reported = comm_all_ok(training->comm, report(training, interval, error), error);
    if (reported && evaluates && !halts)
        reported = evaluate_on_all(training, error);
    if (reported && evaluates && !halts)
        compare_with_others(training);
    last = last || is_over_early(training);
    bool by_step = options->save_checkpoint_steps > 0 && step % (uint64_t)options->save_checkpoint_steps == 0;
    bool is_due = by_step || shared[VOTE_SAVE] > 0 || last || !reported;
    struct error save_error;
    if (is_due && !save(training, last || !reported, &save_error)) {
        if (reported)
            *error = save_error;
        else if (strcmp(save_error.message, error->message) != 0)
            log_job_warning("%s", save_error.message);
        return false;
    }
    if (!is_due)
        try_first_write(training);
    if (reported && evaluates && halts)
        reported = evaluate_on_all(training, error);
    stats_phase(&training->stats, -1);
    return reported;
}

/* Why a step was skipped: ranks hold the same sums, so rank 0 can say it for all. */
static void log_skipped(const struct training *training)
{
    const struct model *model = training->model;
    const struct tensor *value = tensor_norms_first_not_finite(&model->table, model->values);
    const struct tensor *gradient = tensor_norms_first_not_finite(&model->table, model->gradients);
    uint64_t step = training->state.step;
    if (value)
        log_job_warning("step %" PRIu64 " skipped: %s holds a number that is not finite", step, value->name);
    else if (gradient)
        log_job_warning("step %" PRIu64 " skipped: the gradient of %s is not finite, the first in backward order", step,
                        gradient->name);
    else
        log_info("step %" PRIu64 " skipped: its gradient norm exceeds grad_norm_clip_to_zero", step);
}

/* Ten steps in a row that are skipped because of their norm are no accident. */
static bool still_learning(struct training *training, uint64_t *in_a_row, uint64_t skipped_before, struct error *error)
{
    enum { MOST_IN_A_ROW = 10 };
    *in_a_row = training->optimizer.skipped > skipped_before ? *in_a_row + 1 : 0;
    if (*in_a_row == 1)
        log_skipped(training);
    return *in_a_row < MOST_IN_A_ROW ||
           error_set(error,
                     "step %" PRIu64 ": diverged: %d steps in a row were skipped; lower learning_rate and start "
                     "a new run from an older checkpoint with --init_checkpoint",
                     training->state.step, MOST_IN_A_ROW);
}

/* Spans of a step: phases, which come again for each micro-batch, and allreduces. */
static bool begin_trace(struct training *training, struct error *error)
{
    const struct tensor_table *table = &training->model->table;
    size_t micro_batches = training->count / (size_t)training->model->max_batch + 1;
    size_t buckets = table->num_floats * sizeof(float) / ((size_t)training->options->bucket_kib << 10) + 2;
    size_t spans = STEP_NUM_PHASES * micro_batches + buckets + NUM_PHASES;
    training->trace = trace_make((size_t)training->options->trace_steps * spans);
    if (!comm_all_ok(training->comm, training->trace || error_set_no_memory(error, "out of memory for --trace"), error))
        return false;
    comm_barrier(training->comm);
    training->trace_zero = clock_seconds();
    training->stats.trace = training->trace;
    gradient_reducer_trace(training->reducer, training->trace);
    return true;
}

static bool end_trace(struct training *training, struct error *error)
{
    training->stats.trace = NULL;
    gradient_reducer_trace(training->reducer, NULL);
    bool ok = trace_file_write(training->options->trace, training->trace, training->trace_zero, training->comm, error);
    trace_free(training->trace);
    training->trace = NULL;
    if (ok)
        log_info("wrote %s", training->options->trace);
    return ok;
}

/* What is due of --trace before step `number` of the session, counted from 0, or after the last. Collective. */
static bool trace_steps(struct training *training, uint64_t number, bool is_over, struct error *error)
{
    enum { FIRST = 2 }; /* the steps before it warm up */
    if (!training->options->trace)
        return true;
    if (training->trace && (is_over || number == FIRST + (uint64_t)training->options->trace_steps))
        return end_trace(training, error);
    return is_over || number != FIRST || begin_trace(training, error);
}

/* After the last of `steps` steps; `reason`: of a halt, NULL where there was none. Gives the exit status. */
static int finish(struct training *training, const char *reason, uint64_t steps, struct error *error)
{
    const uint64_t num_steps = (uint64_t)training->options->num_steps;
    bool ok = writer_is_well(training, error);
    if (!ok || !comm_all_ok(training->comm, steps == 0 || look_at_ranks(training, true, error), error))
        return EXIT_FAILURE;
    watchdog_phase(training->watchdog, WATCH_END, training->state.step);
    if (!reason && strcmp(end_reason(training), METRICS_PRUNED) != 0)
        reason = training_fit_latents(training);
    struct metrics_event event = {
        .event = "end",
        .step = training->state.step,
        .num_steps = num_steps,
        .num_ranks = comm_size(training->comm),
        .reason = reason ? reason : end_reason(training),
    };
    ok = comm_rank(training->comm) != 0 ||
         (run_lock_held(&training->lock, error) && metrics_append_event(training->folder, &event, error));
    if (!comm_all_ok(training->comm, ok, error))
        return EXIT_FAILURE;
    log_early_end(training, event.reason);
    if (!reason)
        return EXIT_SUCCESS;
    log_info("halted by %s at step %" PRIu64 " of %" PRIu64 "; rerun the same command to resume", reason,
             training->state.step, num_steps);
    return EXIT_HALTED;
}

int training_run(struct training *training, struct error *error)
{
    const struct train_options *options = training->options;
    uint64_t num_steps = (uint64_t)options->num_steps, in_a_row = 0, first_step = training->state.step;
    struct interval interval = {.started = clock_seconds()};
    const char *reason = NULL;
    double loop_started = clock_seconds();
    train_progress_start(&training->progress, first_step, num_steps, options->log_secs, loop_started);
    if (!slow_rank_start(&training->slow_rank, &training->stats, STEP_REDUCTION, first_step, training->comm,
                         loop_started, error))
        return EXIT_FAILURE;
    if (training->state.step >= num_steps)
        log_info("the run is at step %" PRIu64 " already: nothing to do up to --num_steps=%" PRIu64,
                 training->state.step, num_steps);
    while (training->state.step < num_steps && !reason && !is_over_early(training)) {
        double shared[NUM_SHARED];
        uint64_t skipped_before = training->optimizer.skipped;
        if (!trace_steps(training, training->state.step - first_step, false, error))
            return EXIT_FAILURE;
        make_step(training, shared, &interval);
        reason = training->state.step < num_steps ? halting_reason(shared + VOTE_HALT, &training->deadline) : NULL;
        if (shared[VOTE_GIVE_UP] > 0 && !writer_is_well(training, error))
            return EXIT_FAILURE;
        if (!still_learning(training, &in_a_row, skipped_before, error) ||
            !after_step(training, shared, &interval, reason != NULL, error))
            return EXIT_FAILURE;
    }
    if (!trace_steps(training, training->state.step - first_step, true, error))
        return EXIT_FAILURE;
    halt_answer(NULL, "", 0);
    double seconds = clock_seconds() - loop_started;
    uint64_t steps = training->state.step - first_step;
    if (steps > 0) {
        stats_report(&training->stats, training->comm, "Seconds by phase");
        log_info("%" PRIu64 " steps in %.1f s, %.1f windows/s overall; %" PRIu64 " skipped", steps, seconds,
                 (double)steps * (double)training->state.hparams.batch_size / seconds, training->optimizer.skipped);
    }
    return finish(training, reason, steps, error);
}

void training_record_failure(const struct training *training, const struct error *reason)
{
    struct error error;
    struct metrics_event event = {
        .event = "end",
        .step = training->state.step,
        .num_steps = (uint64_t)training->options->num_steps,
        .num_ranks = comm_size(training->comm),
        .reason = METRICS_FAILED,
        .message = reason->message,
    };
    if (comm_rank(training->comm) == 0 && run_lock_held(&training->lock, &error) &&
        !metrics_append_event(training->folder, &event, &error))
        log_debug_here("%s", error.message);
}
