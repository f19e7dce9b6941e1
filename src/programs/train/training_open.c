/* What a training needs before its first step: the run's folder, checkpoint, data set, model. */
#include "base/clock.h"
#include "programs/train/training.h"

#include "base/io/atomic_file.h"
#include "base/io/files.h"
#include "base/log.h"
#include "base/text.h"
#include "data/dataset/order.h"
#include "programs/common/transform.h"
#include "programs/train/agreement.h"
#include "programs/train/best.h"
#include "programs/train/pruning.h"
#include "programs/train/surroundings.h"
#include "run/hparams_file.h"
#include "run/metrics.h"
#include "run/model_files.h"
#include "run/run_checkpoint.h"
#include "run/run_folder.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const phase_names[NUM_PHASES] = {STEP_PHASE_NAMES, "checkpoint", "evaluation"};

/* Rank 0's. */
static bool open_deadline(struct training *training, double started, struct error *error)
{
    struct deadline_limits limits = {
        .flag = training->options->deadline,
        .slurm_end = getenv("SLURM_JOB_END_TIME"),
        .max_seconds = training->options->max_seconds,
        .started = started,
        .unix_now = date_seconds(),
        .clock_now = clock_seconds(),
    };
    return deadline_make(&training->deadline, &limits, error);
}

/* Rank 0 makes the folder, takes the lock and finds the newest checkpoint. */
static bool open_folder(struct training *training, double started, char **newest, struct error *error)
{
    *newest = NULL;
    training->folder = run_train_folder(training->options->run_dir);
    training->eval_folder = run_eval_folder(training->options->run_dir);
    if (comm_rank(training->comm) != 0)
        return true;
    training->made_folder = !folder_exists(training->options->run_dir);
    if (!open_deadline(training, started, error) || !folder_make(training->folder, error) ||
        !run_lock_take(&training->lock, training->folder, error))
        return false;
    atomic_file_sweep(training->folder);
    watchdog_phase(training->watchdog, WATCH_CHECKPOINT_READING, 0);
    if (!run_newest_checkpoint(&training->state, newest, training->options->run_dir, error))
        return false;
    if (*newest && !best_adopt(&training->state, training->folder, error))
        return false;
    training->is_pruned =
        *newest && training->options->prune && pruning_was_pruned(training->folder, training->state.step);
    return !*newest || run_set_damaged_aside(training->folder, training->state.step, error);
}

/* All ranks get rank 0's finding: its description and path, NULL where the run is new; and whether it was pruned. */
static void share_checkpoint(struct training *training, char **newest)
{
    agreement_share_text(training->comm, newest);
    if (*newest)
        comm_broadcast(training->comm, &training->state, sizeof training->state, 0);
    comm_broadcast(training->comm, &training->is_pruned, sizeof training->is_pruned, 0);
}

/* Rank 0's, by this rank's clock: hosts count their seconds from different beginnings. */
static void share_deadline(struct training *training)
{
    struct deadline *deadline = &training->deadline;
    double left = deadline_seconds_left(deadline, clock_seconds());
    comm_broadcast(training->comm, &left, sizeof left, 0);
    comm_broadcast(training->comm, &deadline->source, sizeof deadline->source, 0);
    if (comm_rank(training->comm) != 0)
        deadline->end = clock_seconds() + left;
}

static void log_changes(const struct hparams *before, const struct hparams *now, bool resumed)
{
    for (size_t i = 0; i < hparams_table.count; i++) {
        char old[SETTING_TEXT_MAX], new[SETTING_TEXT_MAX];
        const struct setting *row = &hparams_table.rows[i];
        if (strcmp(setting_format(row, before, old), setting_format(row, now, new)) != 0)
            log_info(resumed ? "from here on %s is %s, no longer %s" : "%s is %s here, %s there", row->name, new, old);
    }
}

/* The hparams of a resumed run are the checkpoint's with --hparams on top; whatever --hparams changes is logged. */
static bool resume_state(struct training *training, const struct config *config, struct error *error)
{
    const struct train_options *options = training->options;
    struct checkpoint *state = &training->state;
    struct hparams before = state->hparams;
    if (strcmp(state->config, config->name) != 0)
        return error_set(error, "%s holds a run of config %s, not %s; give another --run_dir", training->folder,
                         state->config, config->name);
    if (options->seed >= 0 && (uint64_t)options->seed != state->seed)
        return error_set(error, "--seed=%" PRId64 ", but this run's seed is %" PRIu64 "; omit --seed to resume",
                         options->seed, state->seed);
    if (options->hparams && !settings_parse_list(&hparams_table, &state->hparams, options->hparams, error))
        return error_prefix(error, "--hparams");
    bool new_hop = state->hparams.hop_bars != before.hop_bars;
    if (!hparams_check(&state->hparams, error) || (new_hop && !hparams_check_new(&state->hparams, error)))
        return error_prefix(error, "--hparams");
    if (!hparams_same_model(&before, &state->hparams, error))
        return error_prefix(error, "%s holds a run of another model (the checkpoint's value comes first)",
                            training->folder);
    log_changes(&before, &state->hparams, true);
    return true;
}

/* Rank 0's: where the initial weights are. A model by its name brings its hparams: they are what it was trained with, and fit its
 * tensors. */
static bool find_initial(struct training *training, const struct config *config, struct error *error)
{
    const char *wanted = training->options->init_checkpoint;
    bool is_there;
    struct checkpoint other;
    struct error reason = {0};
    if (!path_look(&is_there, wanted, error))
        return false;
    if (is_there || !config_find(wanted, NULL)) {
        training->initial = format_text("%s", wanted);
        return true;
    }
    training->initial = model_files_find(wanted, NULL, training->options->program, &reason);
    if (!training->initial)
        return error_set(error,
                         "--init_checkpoint=%s: no such file or run, and no %s.h5 in the folders of %s or with the "
                         "shipped models",
                         wanted, wanted, MODEL_FILES_VARIABLE);
    if (!checkpoint_read(&other, training->initial, error))
        return false;
    training->has_initial_hparams = strcmp(other.config, config->name) == 0;
    training->initial_hparams = other.hparams;
    return true;
}

/* Collective. */
static bool open_initial(struct training *training, const struct config *config, struct error *error)
{
    struct comm *comm = training->comm;
    if (!training->options->init_checkpoint)
        return true;
    if (!comm_all_ok(comm, comm_rank(comm) != 0 || find_initial(training, config, error), error))
        return false;
    comm_broadcast(comm, &training->has_initial_hparams, sizeof training->has_initial_hparams, 0);
    comm_broadcast(comm, &training->initial_hparams, sizeof training->initial_hparams, 0);
    return true;
}

/* The initial model's hparams with --hparams on top. Precision is the machine's matter, so it stays the config's. */
static bool adopt_hparams(struct training *training, const struct config *config, struct error *error)
{
    const char *changes = training->options->hparams;
    struct hparams *hparams = &training->state.hparams, usual;
    if (!hparams_make(&usual, config, NULL, error))
        return false;
    *hparams = training->initial_hparams;
    hparams->precision = usual.precision;
    if (changes && !settings_parse_list(&hparams_table, hparams, changes, error))
        return error_prefix(error, "--hparams");
    if (!hparams_check(hparams, error) || !hparams_check_new(hparams, error))
        return error_prefix(error, "--hparams");
    return true;
}

static bool new_state(struct training *training, const struct config *config, struct error *error)
{
    struct checkpoint *state = &training->state;
    memset(state, 0, sizeof *state);
    snprintf(state->config, sizeof state->config, "%s", config->name);
    state->seed = training->options->seed < 0 ? 0 : (uint64_t)training->options->seed;
    return training->has_initial_hparams ? adopt_hparams(training, config, error)
                                         : hparams_make(&state->hparams, config, training->options->hparams, error);
}

/* A run of the first version resumes as it started: without evaluations, unless requested. */
static void choose_eval_steps(struct training *training, bool resumed)
{
    enum { DEFAULT_EVAL_STEPS = 500 };
    const struct train_options *options = training->options;
    struct checkpoint *state = &training->state;
    const struct dataset *dataset = training->shared_dataset.dataset;
    if (options->eval_steps >= 0)
        state->eval_steps = (uint64_t)options->eval_steps;
    else if (!resumed)
        state->eval_steps =
            evaluation_is_possible(dataset, options->eval_split, &state->hparams) ? DEFAULT_EVAL_STEPS : 0;
}

/* What the data set that all ranks have must be, and hold. */
static bool check_dataset(struct training *training, bool resumed, struct error *error)
{
    const struct train_options *options = training->options;
    struct checkpoint *state = &training->state;
    const struct hparams *hparams = &state->hparams;
    const struct dataset *dataset = training->shared_dataset.dataset;
    const char *hash = dataset_content_sha256(dataset);
    if (resumed && strcmp(hash, state->content_sha256) != 0)
        return error_set(error,
                         "%s is not the data set of this run (content %.12s..., the run's %.12s...); to go on with "
                         "other data start a new run with --init_checkpoint",
                         options->examples_path, hash, state->content_sha256);
    snprintf(state->content_sha256, sizeof state->content_sha256, "%s", hash);
    char *table = drum_map_text(&dataset->index.drum_map);
    snprintf(state->drum_map, sizeof state->drum_map, "%s", dataset->index.drum_map.name);
    snprintf(state->drum_map_table, sizeof state->drum_map_table, "%s", table);
    free(table);
    if (!transform_of(&training->transform, hparams, error))
        return false;
    if (!batch_check_dataset(&training->transform, dataset, error) ||
        !windows_make(&training->windows, dataset, "train", (int)hparams->bars, (int)hparams->hop_bars, error) ||
        (hparams->skip_silent && !windows_skip_silent(&training->windows, error)))
        return error_prefix(error, "%s", options->examples_path);
    if (training->windows.count < (size_t)hparams->batch_size)
        return error_set(error,
                         "%s: the train split holds %zu window%s of %" PRId64 " bars, fewer than one batch of %" PRId64
                         "; the largest batch that fits is --hparams=batch_size=%zu",
                         options->examples_path, training->windows.count, PLURAL(training->windows.count),
                         hparams->bars, hparams->batch_size, training->windows.count);
    if (hparams->batch_size < training->num_ranks)
        return error_set(error, "batch_size=%" PRId64 " is less than one window for each of %d ranks",
                         hparams->batch_size, training->num_ranks);
    choose_eval_steps(training, resumed);
    if (options->patience > 0 && state->eval_steps == 0)
        return error_set(error, "--patience needs evaluations: give --eval_steps");
    if (options->prune && state->eval_steps == 0)
        return error_set(error, "--prune needs evaluations: give --eval_steps");
    training->evaluates = state->eval_steps > 0;
    if (training->evaluates && !evaluation_make(&training->evaluation, dataset, options->eval_split, hparams, error))
        return error_prefix(error, "%s", options->examples_path);
    return true;
}

/* Another run's weights for a new run. */
static bool init_from_checkpoint(struct training *training, struct error *error)
{
    struct checkpoint other;
    char *path;
    if (!run_initialize_model(training->model, &other, &path, training->initial, error))
        return false;
    log_info("initial weights from %s (%s at step %" PRIu64 "), optimizer state and step from 0", path, other.config,
             other.step);
    log_changes(&other.hparams, &training->state.hparams, false);
    free(path);
    return true;
}

static bool open_model(struct training *training, struct error *error)
{
    const struct train_options *options = training->options;
    struct checkpoint *state = &training->state;
    order_part((size_t)state->hparams.batch_size, comm_rank(training->comm), comm_size(training->comm),
               &training->first, &training->count);
    int micro_batch = train_step_micro_batch(&state->hparams, options->micro_batch_size, comm_size(training->comm));
    training->order = malloc((training->windows.count + training->windows.num_silent) * sizeof *training->order);
    training->model = model_make(&state->hparams, micro_batch, error);
    if (!training->model)
        return false;
    if (!training->order)
        return error_set(error, "out of memory for the order of %zu windows", training->windows.count);
    if (!train_step_prepare(training->model, training->count, error))
        return false;
    if (!optimizer_make(&training->optimizer, &training->model->table, error))
        return false;
    training->groups[0] = (struct tensor_group){CHECKPOINT_WEIGHTS, training->model->values};
    optimizer_groups(training->groups + 1, &training->optimizer);
    training->num_groups = 1 + OPTIMIZER_NUM_GROUPS;
    if (state->hparams.ema_decay > 0) {
        if (!average_make(&training->average, &training->model->table, error))
            return false;
        training->groups[training->num_groups++] =
            (struct tensor_group){CHECKPOINT_AVERAGED_WEIGHTS, training->average.values};
    }
    if (options->log_tensors && comm_rank(training->comm) == 0) {
        training->values_before = calloc(training->model->table.num_floats, sizeof *training->values_before);
        if (!training->values_before)
            return error_set(error, "out of memory for --log_tensors");
    }
    training->optimizer.updates = state->updates;
    training->optimizer.skipped = state->skipped;
    return true;
}

/* The model's first parameters and the optimizer's moments: rank 0 reads a checkpoint for all. Collective. */
static bool open_values(struct training *training, const char *newest, struct error *error)
{
    struct comm *comm = training->comm;
    const struct tensor_table *table = &training->model->table;
    const bool reads = newest || training->options->init_checkpoint;
    if (!reads)
        model_initialize(training->model, training->state.seed);
    const size_t num_groups = newest ? training->num_groups : reads ? 1 : 0;
    bool ok = true;
    if (comm_rank(comm) == 0 && reads)
        ok = newest ? run_read_state(newest, table, training->groups, num_groups, error)
                    : init_from_checkpoint(training, error);
    if (!comm_all_ok(comm, ok, error))
        return false;
    for (size_t i = 0; i < num_groups; i++)
        comm_broadcast(comm, training->groups[i].values, table->num_floats * sizeof(float), 0);
    if (!newest && training->state.hparams.ema_decay > 0)
        average_start(&training->average, training->model->values);
    return true;
}

/* Rank 0's, once its model is there. */
static bool open_writer(struct training *training, struct error *error)
{
    struct checkpoint_place place = {
        .folder = training->folder,
        .lock = &training->lock,
        .table = &training->model->table,
        .groups = training->groups,
        .num_groups = training->num_groups,
        .best_group = training->state.hparams.ema_decay > 0 ? training->num_groups - 1 : 0,
        .to_keep = (size_t)training->options->checkpoints_to_keep,
        .keep_one_in_hours = training->options->keep_checkpoint_every_n_hours,
    };
    training->writer = checkpoint_writer_make(&place, error);
    return training->writer != NULL;
}

/* Collective. */
static bool open_reducer(struct training *training, struct error *error)
{
    training->reducer =
        gradient_reducer_make(training->comm, training->model->gradients, training->model->table.num_floats,
                              (size_t)training->options->bucket_kib << 10, error);
    return training->reducer != NULL;
}

/* Whoever tries a few steps may wonder why there is no val_loss. */
static void log_no_evaluation(const struct training *training)
{
    const struct checkpoint *state = &training->state;
    uint64_t num_steps = (uint64_t)training->options->num_steps;
    if (training->evaluates && training->options->eval_steps < 0 && !state->best.is_known && state->step < num_steps &&
        num_steps < state->eval_steps)
        log_info("no evaluation: the first is due at step %" PRIu64 ", after num_steps (--eval_steps)",
                 state->eval_steps);
}

static void log_start(const struct training *training, const struct surroundings *surroundings,
                      const struct config *config, const char *newest)
{
    const struct checkpoint *state = &training->state;
    const struct hparams *hparams = &state->hparams;
    surroundings_log(surroundings, hparams, config);
    log_info(
        "%s: %zu parameters, %zu training windows of %" PRId64 " bars, batch of %" PRId64 " on %d rank%s, %s kernels",
        state->config, training->model->table.num_values, training->windows.count, hparams->bars, hparams->batch_size,
        comm_size(training->comm), PLURAL(comm_size(training->comm)), training->model->kernels->name);
    if (training->windows.num_silent > 0)
        log_info("%zu training windows without a hit skipped", training->windows.num_silent);
    log_no_evaluation(training);
    log_record("this rank has windows %zu to %zu of each batch, %d at a time; model %.1f MiB, data set %.12s...",
               training->first, training->first + training->count - 1, training->model->max_batch,
               (double)model_memory(hparams, training->model->max_batch) / (1 << 20), state->content_sha256);
    if (newest)
        log_info("resuming from %s at step %" PRIu64 "%s", newest, state->step,
                 training->options->init_checkpoint ? "; --init_checkpoint is not used" : "");
    if (training->deadline.source != DEADLINE_NONE) {
        char date[32];
        double left = fmax(0, deadline_seconds_left(&training->deadline, clock_seconds()));
        date_after(left, date);
        log_info("stops before %s (%s)", date, deadline_reason(&training->deadline));
    }
}

/* Collective. */
static bool open_dataset(struct training *training, bool resumed, struct error *error)
{
    struct comm *comm = training->comm;
    const char *path = training->options->examples_path;
    watchdog_phase(training->watchdog, WATCH_DATA_SET, training->state.step);
    return shared_dataset_open(&training->shared_dataset, path, comm, error) &&
           comm_all_ok(comm, check_dataset(training, resumed, error), error) &&
           agreement_same_dataset(comm, training->shared_dataset.dataset, path, error);
}

/* Collective. */
static bool open_training(struct training *training, const char *newest, struct error *error)
{
    struct comm *comm = training->comm;
    watchdog_phase(training->watchdog, WATCH_MODEL, training->state.step);
    return comm_all_ok(comm, open_model(training, error), error) && open_values(training, newest, error) &&
           comm_all_ok(comm, comm_rank(comm) != 0 || open_writer(training, error), error) &&
           open_reducer(training, error);
}

/* A start that fails leaves no folder that was not there; one with files in it stays. */
static void close_failed(struct training *training)
{
    char *folder = training->made_folder ? run_train_folder(training->options->run_dir) : NULL;
    const char *run_dir = training->options->run_dir;
    char *hparams = path_join(run_dir, RUN_HPARAMS_NAME);
    training_close(training);
    if (folder && rmdir(folder) == 0) {
        unlink(hparams);
        rmdir(run_dir);
    }
    free(hparams);
    free(folder);
}

bool training_open(struct training *training, const struct train_options *options, const struct config *config,
                   double started, struct comm *comm, struct error *error)
{
    char *newest = NULL;
    memset(training, 0, sizeof *training);
    training->options = options;
    training->comm = comm;
    training->num_ranks = comm_size(comm);
    training->said_comparable = -1;
    training->saved = clock_seconds();
    stats_start(&training->stats, phase_names, NUM_PHASES);
    if (!watchdog_start(&training->watchdog, comm, options->stall_seconds, error) ||
        !comm_all_ok(comm, open_folder(training, started, &newest, error), error))
        goto failed;
    watchdog_guard(training->watchdog, &training->lock, training->folder, (uint64_t)options->num_steps);
    share_checkpoint(training, &newest);
    share_deadline(training);
    if (!newest && !open_initial(training, config, error))
        goto failed;
    bool ok = newest ? resume_state(training, config, error) : new_state(training, config, error);
    if (!comm_all_ok(comm, ok, error) || !open_dataset(training, newest != NULL, error) ||
        !open_training(training, newest, error))
        goto failed;
    training->state.num_ranks = comm_size(comm);
    struct surroundings surroundings;
    surroundings_find(&surroundings, comm, options->examples_path);
    log_start(training, &surroundings, config, newest);
    struct metrics_event event = {
        .event = newest ? "resume" : "start",
        .step = training->state.step,
        .num_steps = (uint64_t)options->num_steps,
        .num_ranks = comm_size(comm),
        .skipped_windows = training->windows.num_silent,
    };
    bool recorded =
        comm_rank(comm) != 0 || (run_lock_held(&training->lock, error) &&
                                 hparams_file_write(options->run_dir, &training->state, &surroundings.about, error) &&
                                 metrics_append_event(training->folder, &event, error));
    if (recorded && comm_rank(comm) == 0 && options->tensorboard) {
        training->tensorboard = tensorboard_open(training->folder, training->eval_folder, training->state.step,
                                                 &training->state.hparams, error);
        recorded = training->tensorboard != NULL;
    }
    if (!comm_all_ok(comm, recorded, error))
        goto failed;
    free(newest);
    return true;

failed:
    free(newest);
    close_failed(training);
    return false;
}

static void log_check(const struct training *training, const char *newest, bool has_dataset)
{
    const struct checkpoint *state = &training->state;
    struct folder_lock_view view = {.state = FOLDER_LOCK_FREE};
    if (comm_rank(training->comm) == 0)
        run_lock_look(&view, training->folder);
    if (view.state == FOLDER_LOCK_HELD)
        log_job_warning("%s is in use by process %ld on %s: a job that starts before it ends is refused",
                        training->folder, view.pid, view.host);
    if (newest)
        log_info("resumes from %s at step %" PRIu64, newest, state->step);
    if (has_dataset)
        log_info("%s can be trained: %zu training windows, batch of %" PRId64, state->config, training->windows.count,
                 state->hparams.batch_size);
    else if (training->options->examples_path)
        log_info("%s: config and hparams are valid; %s is not there yet, so the batch size was not checked",
                 state->config, training->options->examples_path);
    else
        log_info("%s: config and hparams are valid", state->config);
}

bool training_check(const struct train_options *options, const struct config *config, struct comm *comm,
                    struct error *error)
{
    struct training training = {
        .options = options,
        .comm = comm,
        .num_ranks = options->num_ranks > 0 ? (int)options->num_ranks : comm_size(comm),
        .folder = run_train_folder(options->run_dir),
    };
    char *newest = NULL;
    bool has_dataset = options->examples_path && folder_exists(options->examples_path), ok = true;
    if (comm_rank(comm) == 0 && folder_exists(training.folder))
        ok = run_newest_checkpoint(&training.state, &newest, options->run_dir, error);
    ok = comm_all_ok(comm, ok, error);
    if (ok)
        share_checkpoint(&training, &newest);
    comm_broadcast(comm, &has_dataset, sizeof has_dataset, 0);
    ok = ok && (newest || open_initial(&training, config, error));
    ok = ok && comm_all_ok(comm, newest ? resume_state(&training, config, error) : new_state(&training, config, error),
                           error);
    ok = ok &&
         comm_all_ok(comm, !training.initial || run_check_initial(&training.state.hparams, training.initial, error),
                     error);
    ok = ok && (!has_dataset || open_dataset(&training, newest != NULL, error));
    if (ok)
        log_check(&training, newest, has_dataset);
    free(newest);
    training_close(&training);
    return ok;
}

void training_close(struct training *training)
{
    checkpoint_writer_free(training->writer);
    gradient_reducer_free(training->reducer);
    optimizer_free(&training->optimizer);
    average_free(&training->average);
    model_free(training->model);
    free(training->order);
    evaluation_free(&training->evaluation);
    windows_free(&training->windows);
    shared_dataset_close(&training->shared_dataset);
    free(training->values_before);
    trace_free(training->trace);
    tensorboard_close(training->tensorboard);
    slow_rank_free(&training->slow_rank);
    watchdog_stop(training->watchdog);
    run_lock_release(&training->lock);
    free(training->folder);
    free(training->eval_folder);
    free(training->initial);
    memset(training, 0, sizeof *training);
}
