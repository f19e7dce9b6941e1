#include "programs/train/latents.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/io/atomic_file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/threads.h"
#include "data/dataset/order.h"
#include "data/music/attributes.h"
#include "model/checkpoint.h"
#include "model/latents/fit.h"
#include "model/latents/velocities.h"
#include "model/optimizer/optimizer.h"
#include "model/vae/parameters.h"
#include "programs/common/shared_dataset.h"
#include "programs/common/transform.h"
#include "programs/train/agreement.h"
#include "programs/train/latent_windows.h"
#include "programs/train/sample_temperature.h"
#include "run/run_folder.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { RESIDUAL_WINDOWS = 2048 }; /* are enough to measure residuals */

/* What one rank fits with; all owned but work, comm and dataset. */
struct fitting {
    const struct latents_work *work;
    struct comm *comm;
    struct hparams hparams;
    struct tensor_table table;
    struct arena arena; /* the values */
    struct inference_decoder *decoder;
    struct transform transform;
    struct windows windows;
    uint32_t *numbers;  /* [count]: the windows of all ranks */
    size_t count;       /* of all ranks */
    size_t first, own;  /* this rank's */
    float *mu;          /* [own, Z] */
    double *attributes; /* [own, NUM_ATTRIBUTES] */
};

static void free_fitting(struct fitting *fitting)
{
    inference_decoder_free(fitting->decoder);
    windows_free(&fitting->windows);
    arena_free(&fitting->arena);
    free(fitting->numbers);
    free(fitting->mu);
    free(fitting->attributes);
}

/* The windows that are used, and room for what is found of this rank's. */
static bool choose_windows(struct fitting *fitting, struct error *error)
{
    const struct dataset *dataset = fitting->work->dataset;
    int bars = (int)fitting->hparams.bars;
    if (!transform_of(&fitting->transform, &fitting->hparams, error) ||
        !batch_check_dataset(&fitting->transform, dataset, error) ||
        !windows_make(&fitting->windows, dataset, "train", bars, bars, error) ||
        (fitting->hparams.skip_silent && !windows_skip_silent(&fitting->windows, error)))
        return false;
    fitting->transform.max_note_dropout = 0;
    fitting->transform.drop_class = 0;
    size_t all = fitting->windows.count, count = all < LATENTS_MAX_FITTED ? all : LATENTS_MAX_FITTED;
    fitting->count = count;
    order_part(count, comm_rank(fitting->comm), comm_size(fitting->comm), &fitting->first, &fitting->own);
    fitting->numbers = malloc(count * sizeof *fitting->numbers);
    fitting->mu = malloc((fitting->own * (size_t)fitting->hparams.z_size + 1) * sizeof *fitting->mu);
    fitting->attributes = malloc((fitting->own * NUM_ATTRIBUTES + 1) * sizeof *fitting->attributes);
    if (!fitting->numbers || !fitting->mu || !fitting->attributes)
        return error_set_no_memory(error, "out of memory for the latent vectors of %zu windows", count);
    for (size_t i = 0; i < count; i++)
        fitting->numbers[i] = (uint32_t)(i * all / count);
    return true;
}

/* Rank 0's model on all ranks. Collective. */
static bool share_model(struct fitting *fitting, struct error *error)
{
    struct comm *comm = fitting->comm;
    if (comm_rank(comm) == 0)
        fitting->hparams = *fitting->work->hparams;
    comm_broadcast(comm, &fitting->hparams, sizeof fitting->hparams, 0);
    bool ok = parameters_describe(&fitting->table, &fitting->hparams, error);
    fitting->arena = arena_measure();
    arena_floats(&fitting->arena, ok ? fitting->table.num_floats : 0);
    ok = ok && arena_reserve(&fitting->arena, error);
    if (!comm_all_ok(comm, ok, error))
        return false;
    float *values = arena_floats(&fitting->arena, fitting->table.num_floats);
    if (comm_rank(comm) == 0)
        memcpy(values, fitting->work->values, fitting->table.num_floats * sizeof *values);
    comm_broadcast(comm, values, fitting->table.num_floats * sizeof *values, 0);
    fitting->decoder = inference_decoder_make(&fitting->hparams, &fitting->table, values, true, error);
    return comm_all_ok(comm, fitting->decoder && choose_windows(fitting, error), error);
}

static struct latent_windows own_windows(const struct fitting *fitting)
{
    return (struct latent_windows){
        .decoder = fitting->decoder,
        .windows = &fitting->windows,
        .transform = &fitting->transform,
        .numbers = fitting->numbers + fitting->first,
        .count = fitting->own,
        .threads = threads_choose(fitting->work->threads, comm_local_size(fitting->comm)),
        .watchdog = fitting->work->watchdog,
        .must_stop = fitting->work->must_stop,
        .context = fitting->work->context,
    };
}

/* The styles of the windows that are used, each once. */
struct styles {
    const char **names; /* [count], owned; their texts are the data set's or `texts` */
    char **texts;       /* [count], owned: what is before a "/"; else NULL */
    int count;
    int *of[2]; /* [windows], owned: the wide style, and the narrow one where there is one; -1: none */
};

static void free_styles(struct styles *styles)
{
    for (int i = 0; styles->texts && i < styles->count; i++)
        free(styles->texts[i]);
    free(styles->names);
    free(styles->texts);
    free(styles->of[0]);
    free(styles->of[1]);
}

/* The number of the style that the first `length` bytes of `text` name, made where it is new. */
static int style_number(struct styles *styles, const char *text, size_t length)
{
    for (int i = 0; i < styles->count; i++)
        if (strncmp(styles->names[i], text, length) == 0 && styles->names[i][length] == '\0')
            return i;
    styles->texts[styles->count] = format_text("%.*s", (int)length, text);
    styles->names[styles->count] = styles->texts[styles->count];
    return styles->count++;
}

static bool find_styles(struct styles *styles, const struct fitting *fitting, struct error *error)
{
    const struct performance_table *table = &fitting->work->dataset->index.table;
    size_t most = 2 * table->count + 1;
    *styles = (struct styles){
        .names = calloc(most, sizeof *styles->names),
        .texts = calloc(most, sizeof *styles->texts),
        .of = {calloc(fitting->count, sizeof(int)), calloc(fitting->count, sizeof(int))},
    };
    if (!styles->names || !styles->texts || !styles->of[0] || !styles->of[1])
        return error_set_no_memory(error, "out of memory for the styles of %zu performances", table->count);
    for (size_t i = 0; i < fitting->count; i++) {
        uint32_t performance = fitting->windows.performance[fitting->numbers[i]];
        const char *style = table->rows[performance].style;
        size_t length = strlen(style), wide = strcspn(style, "/");
        if (i > 0 && performance == fitting->windows.performance[fitting->numbers[i - 1]]) {
            styles->of[0][i] = styles->of[0][i - 1];
            styles->of[1][i] = styles->of[1][i - 1];
            continue;
        }
        styles->of[0][i] = wide > 0 ? style_number(styles, style, wide) : -1;
        styles->of[1][i] = wide > 0 && wide < length ? style_number(styles, style, length) : -1;
    }
    return true;
}

static void report(void *context, const char *text)
{
    const struct latents_work *work = context;
    watchdog_done(work->watchdog);
    log_info("%s", text);
}

/* It is asked between parts of a fit, so that is progress too. */
static bool must_stop(void *context)
{
    const struct latents_work *work = context;
    watchdog_done(work->watchdog);
    return work->must_stop && work->must_stop(work->context);
}

/* Rank 0, from what all ranks have found. */
static bool fit(struct latents *latents, const struct fitting *fitting, const float *mu, const double *attributes,
                struct error *error)
{
    struct styles styles;
    uint32_t *performance = malloc(fitting->count * sizeof *performance);
    struct latents_work work = *fitting->work;
    const struct latents_report to_log = {report, must_stop, &work};
    if (!performance)
        return error_set_no_memory(error, "out of memory for %zu windows", fitting->count);
    for (size_t i = 0; i < fitting->count; i++)
        performance[i] = fitting->windows.performance[fitting->numbers[i]];
    bool ok = find_styles(&styles, fitting, error);
    const struct latent_samples samples = {
        .size = (int)fitting->hparams.z_size,
        .count = fitting->count,
        .mu = mu,
        .performance = performance,
        .num_styles = styles.count,
        .style_names = styles.names,
        .styles = {styles.of[0], styles.of[1]},
        .num_attributes = NUM_ATTRIBUTES,
        .attribute_names = attribute_names,
        .attributes = attributes,
    };
    ok =
        ok && latents_fit(latents, &samples, hparams_representation(&fitting->hparams)->heads[0].width, &to_log, error);
    free_styles(&styles);
    free(performance);
    return ok;
}

/* Of each class: the root of the mean square, or of all classes' where a class is hit too rarely. Of a head without columns
 * that were measured 0. */
static void store_residuals(float *sd, const double *squares, const double *counts, int width)
{
    enum { FEW = 20 };
    double all_squares = 0, all_counts = 0;
    for (int i = 0; i < width; i++) {
        all_squares += squares[i];
        all_counts += counts[i];
    }
    for (int i = 0; i < width; i++) {
        bool is_rare = counts[i] < FEW;
        double count = is_rare ? all_counts : counts[i];
        sd[i] = count > 0 ? (float)fmin(sqrt((is_rare ? all_squares : squares[i]) / count), 1) : 0;
    }
}

/* Decodes this rank's share of up to RESIDUAL_WINDOWS windows. Which those are does not depend on the number of ranks. */
static bool find_residuals(const struct latent_residuals *residuals, const struct fitting *fitting, struct error *error)
{
    struct latent_windows own = own_windows(fitting);
    size_t most = fitting->count < RESIDUAL_WINDOWS ? fitting->count : RESIDUAL_WINDOWS, used = 0;
    size_t room = fitting->own < most ? fitting->own : most, size = (size_t)fitting->hparams.z_size;
    uint32_t *numbers = malloc((room + 1) * sizeof *numbers);
    float *mu = malloc((room * size + 1) * sizeof *mu);
    bool ok = (numbers && mu) || error_set_no_memory(error, "out of memory for %zu windows", room);
    for (size_t i = 0; ok && i < most; i++) {
        size_t at = i * fitting->count / most;
        if (at < fitting->first || at - fitting->first >= fitting->own)
            continue;
        numbers[used] = fitting->numbers[at];
        memcpy(mu + used++ * size, fitting->mu + (at - fitting->first) * size, size * sizeof *mu);
    }
    own.numbers = numbers;
    own.count = used;
    ok = ok && (used == 0 || latent_windows_residuals(residuals, mu, &own, error));
    free(numbers);
    free(mu);
    return ok;
}

/* Rank 0's, from the residuals of all ranks. */
static bool store_all_residuals(struct latents *latents, const struct latent_residuals *residuals,
                                const struct representation *representation, struct error *error)
{
    for (int i = 0, first = 0; i < representation->num_heads; first += representation->heads[i++].width) {
        float *sd = latents_residual_sd(latents, &representation->heads[i]);
        if (sd)
            store_residuals(sd, residuals->squares + first, residuals->counts + first, latents->counts.classes);
    }
    return latents_fit_velocities(latents, residuals->velocities, error);
}

/* Collective. */
static bool measure_residuals(struct latents *latents, const struct fitting *fitting, struct error *error)
{
    const struct representation *representation = hparams_representation(&fitting->hparams);
    size_t depth = (size_t)representation->depth, num_pairs = velocity_pairs_size(representation->heads[0].width);
    double *sums = calloc(2 * depth, sizeof *sums);
    uint64_t *pairs = calloc(num_pairs, sizeof *pairs);
    const struct latent_residuals residuals = {sums, sums + depth, pairs};
    bool ok = (sums && pairs) || error_set_no_memory(error, "out of memory for residuals");
    ok = comm_all_ok(fitting->comm, ok && find_residuals(&residuals, fitting, error), error);
    if (ok) {
        comm_sum_doubles(fitting->comm, sums, 2 * depth);
        comm_sum_counts(fitting->comm, pairs, num_pairs);
        ok = latents->counts.classes == 0 || store_all_residuals(latents, &residuals, representation, error);
    }
    free(sums);
    free(pairs);
    return comm_all_ok(fitting->comm, ok, error);
}

/* Of a model that can sample; rank 0's, while the others wait. */
static bool choose_temperature(struct latents *latents, const struct fitting *fitting, struct error *error)
{
    const struct sample_temperature_work work = {
        .decoder = fitting->decoder,
        .representation = hparams_representation(&fitting->hparams),
        .transform = &fitting->transform,
        .windows = &fitting->windows,
        .threads = threads_choose(fitting->work->threads, comm_local_size(fitting->comm)),
        .watchdog = fitting->work->watchdog,
        .must_stop = fitting->work->must_stop,
        .context = fitting->work->context,
    };
    if (comm_rank(fitting->comm) != 0 || inference_decoder_shape(fitting->decoder)->num_controls > 0)
        return true;
    return sample_temperature_choose(latents, &work, error);
}

/* Whether no rank was told to stop while it waited for another. Collective. */
static bool may_go_on(const struct latents_work *work, struct comm *comm, struct error *error)
{
    bool stops = work->must_stop && work->must_stop(work->context);
    return comm_all_ok(comm, !stops || error_set(error, "stopped"), error);
}

bool latents_fit_dataset(struct latents *latents, const struct latents_work *work, struct comm *comm,
                         struct error *error)
{
    struct fitting fitting = {.work = work, .comm = comm};
    uint8_t *mu = NULL, *attributes = NULL;
    size_t *mu_sizes = NULL, *attributes_sizes = NULL;
    double started = clock_seconds();
    *latents = (struct latents){0};
    bool ok = share_model(&fitting, error);
    if (ok) {
        const struct latent_windows own = own_windows(&fitting);
        log_info("fitting latent densities to %zu windows of the train split", fitting.count);
        ok = comm_all_ok(comm, latent_windows_encode(fitting.mu, fitting.attributes, &own, error), error);
    }
    if (ok) {
        comm_gather(comm, fitting.mu, fitting.own * (size_t)fitting.hparams.z_size * sizeof(float), &mu, &mu_sizes);
        comm_gather(comm, fitting.attributes, fitting.own * NUM_ATTRIBUTES * sizeof(double), &attributes,
                    &attributes_sizes);
        ok = comm_rank(comm) != 0 ||
             fit(latents, &fitting, (const float *)(const void *)mu, (const double *)(const void *)attributes, error);
        ok = comm_all_ok(comm, ok, error) && measure_residuals(latents, &fitting, error);
        ok = comm_all_ok(comm, ok && choose_temperature(latents, &fitting, error), error) &&
             may_go_on(work, comm, error);
    }
    if (ok)
        log_info("fitted in %.1f s", clock_seconds() - started);
    else
        latents_free(latents);
    free(mu);
    free(attributes);
    free(mu_sizes);
    free(attributes_sizes);
    free_fitting(&fitting);
    return ok;
}

/* A checkpoint with all that it holds; rank 0's, all owned. */
struct stored {
    struct checkpoint checkpoint;
    struct tensor_table table;
    struct arena arena;
    struct tensor_group groups[4]; /* the first are the weights; in the arena */
    size_t num_groups, best;       /* best: the group to encode with */
    enum checkpoint_precision precision;
    struct stat status; /* of the file that was read */
};

static void lay_out(struct stored *stored)
{
    for (size_t i = 0; i < stored->num_groups; i++)
        stored->groups[i].values = arena_floats(&stored->arena, stored->table.num_floats);
}

static bool read_groups(struct stored *stored, struct checkpoint_reader *reader, struct error *error)
{
    static const char *const names[] = {CHECKPOINT_WEIGHTS, OPTIMIZER_FIRST_MOMENTS, OPTIMIZER_SECOND_MOMENTS,
                                        CHECKPOINT_AVERAGED_WEIGHTS};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (checkpoint_has(reader, names[i]))
            stored->groups[stored->num_groups++].name = names[i];
    if (!parameters_describe(&stored->table, &stored->checkpoint.hparams, error))
        return false;
    stored->arena = arena_measure();
    lay_out(stored);
    if (!arena_reserve(&stored->arena, error))
        return false;
    lay_out(stored);
    stored->precision = checkpoint_precision(reader);
    const char *best = checkpoint_best_weights(reader);
    for (size_t i = 0; i < stored->num_groups; i++) {
        if (!checkpoint_read_group(reader, &stored->table, stored->table.num_rows, &stored->groups[i], error))
            return false;
        if (strcmp(stored->groups[i].name, best) == 0)
            stored->best = i;
    }
    return true;
}

static bool read_stored(struct stored *stored, const char *path, struct error *error)
{
    if (stat(path, &stored->status) != 0)
        return error_set_errno(error, errno, "%s", path);
    struct checkpoint_reader *reader = checkpoint_open(&stored->checkpoint, path, error);
    bool ok = reader && read_groups(stored, reader, error);
    checkpoint_close(reader);
    return ok;
}

/* A file that was replaced meanwhile, say by a training's better model, stays. */
static bool still_the_same(const struct stored *stored, const char *path, struct error *error)
{
    struct stat now;
    if (stat(path, &now) != 0)
        return error_set_errno(error, errno, "%s", path);
    const struct stat *then = &stored->status;
    return (now.st_dev == then->st_dev && now.st_ino == then->st_ino && now.st_size == then->st_size &&
            now.st_mtim.tv_sec == then->st_mtim.tv_sec && now.st_mtim.tv_nsec == then->st_mtim.tv_nsec) ||
           error_set(error, "%s: was replaced while latents were fitted to it: run this again", path);
}

static bool write_stored(const struct stored *stored, const struct latents *latents, const char *path,
                         const struct run_lock *lock, struct error *error)
{
    struct atomic_file file;
    const struct checkpoint_content content = {&stored->table, stored->groups, stored->num_groups, stored->precision,
                                               latents};
    if (!atomic_file_start(&file, path, error))
        return false;
    if (checkpoint_write(&file, &stored->checkpoint, &content, error) && atomic_file_flush(&file, error) &&
        still_the_same(stored, path, error) && (!lock || run_lock_held(lock, error)))
        return atomic_file_commit(&file, error);
    atomic_file_abandon(&file);
    return false;
}

bool latents_store(const char *path, const struct latents_work *work, const struct run_lock *lock, struct comm *comm,
                   struct error *error)
{
    const bool is_first = comm_rank(comm) == 0;
    struct stored stored = {0};
    struct latents latents = {0};
    bool ok = comm_all_ok(comm, !is_first || read_stored(&stored, path, error), error);
    if (ok) {
        struct latents_work of_file = *work;
        of_file.hparams = &stored.checkpoint.hparams;
        of_file.values = stored.groups[stored.best].values;
        ok = latents_fit_dataset(&latents, &of_file, comm, error);
    }
    if (ok)
        ok = comm_all_ok(comm, !is_first || write_stored(&stored, &latents, path, lock, error), error);
    if (ok)
        log_info("stored latent densities in %s: %s at step %" PRIu64, path, stored.checkpoint.config,
                 stored.checkpoint.step);
    latents_free(&latents);
    arena_free(&stored.arena);
    return ok;
}

/* Whether a checkpoint can be read, for run_use_checkpoint. */
static bool is_readable(void *context, const char *path, struct error *error)
{
    return checkpoint_read(context, path, error);
}

/* The file that is meant, of rank 0. */
static bool choose_file(char **path, const struct train_options *options, const struct config *config,
                        struct error *error)
{
    struct checkpoint checkpoint;
    struct run_checkpoint_user user = {is_readable, &checkpoint};
    if (options->checkpoint_file) {
        *path = format_text("%s", options->checkpoint_file);
        if (!checkpoint_read(&checkpoint, *path, error))
            return false;
    } else if (!run_use_checkpoint(&user, path, options->run_dir, (enum run_checkpoint_choice)options->checkpoint,
                                   error)) {
        return false;
    }
    if (!*path)
        return run_refuse_without_checkpoint(options->run_dir, error);
    return !config || strcmp(config->name, checkpoint.config) == 0 ||
           error_set(error, "%s is of config %s, not %s", *path, checkpoint.config, config->name);
}

int latents_mode_run(const struct train_options *options, const struct config *config, struct comm *comm,
                     struct error *error)
{
    struct shared_dataset shared = {0};
    char *path = NULL;
    bool ok = comm_all_ok(comm, comm_rank(comm) != 0 || choose_file(&path, options, config, error), error);
    if (ok)
        agreement_share_text(comm, &path);
    ok = ok && shared_dataset_open(&shared, options->examples_path, comm, error) &&
         agreement_same_dataset(comm, shared.dataset, options->examples_path, error);
    const struct latents_work work = {.dataset = shared.dataset, .threads = (int)options->threads};
    ok = ok && latents_store(path, &work, NULL, comm, error);
    shared_dataset_close(&shared);
    free(path);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
