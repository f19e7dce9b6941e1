#include "programs/train/eval_mode.h"

#include "base/log.h"
#include "base/text.h"
#include "base/threads.h"
#include "model/inference/generation.h"
#include "model/optimizer/schedule.h"
#include "programs/common/shared_dataset.h"
#include "programs/train/agreement.h"
#include "programs/train/evaluation.h"
#include "programs/train/quality_report.h"
#include "run/metrics.h"
#include "run/run_checkpoint.h"
#include "run/run_folder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { EVAL_MAX_BATCH = 64 };

/* A model that is evaluated, and what is stored beside it; on ranks other than 0 without the last two. */
struct loaded {
    struct model *model;
    struct checkpoint checkpoint;
    int max_batch;
    struct latents latents; /* of size 0: none */
    float *residual_sd;     /* [D] (checkpoint_read_residuals) */
    bool has_residuals;
};

static void unload(struct loaded *loaded)
{
    model_free(loaded->model);
    latents_free(&loaded->latents);
    free(loaded->residual_sd);
    *loaded = (struct loaded){0};
}

static bool load_more(struct loaded *loaded, const char *path, struct error *error)
{
    struct checkpoint ignored;
    struct checkpoint_reader *reader = checkpoint_open(&ignored, path, error);
    if (!reader)
        return false;
    loaded->residual_sd = calloc((size_t)loaded->model->depth, sizeof *loaded->residual_sd);
    bool ok = (loaded->residual_sd || error_set_no_memory(error, "out of memory")) &&
              checkpoint_read_latents(reader, &loaded->latents, error) &&
              checkpoint_read_residuals(reader, loaded->residual_sd, &loaded->has_residuals, error);
    checkpoint_close(reader);
    return ok;
}

static bool load_model(void *context, const char *path, struct error *error)
{
    struct loaded *loaded = context;
    loaded->model = run_load_model(&loaded->checkpoint, path, loaded->max_batch, error);
    if (!loaded->model)
        return false;
    if (load_more(loaded, path, error))
        return true;
    int max_batch = loaded->max_batch;
    unload(loaded);
    loaded->max_batch = max_batch;
    return false;
}

/* From --checkpoint_file, else from the run's best or newest checkpoint, at once: a training beside us deletes old ones. */
static bool load_chosen(struct loaded *loaded, char **path, const struct train_options *options, struct error *error)
{
    struct run_checkpoint_user user = {load_model, loaded};
    if (options->checkpoint_file) {
        *path = format_text("%s", options->checkpoint_file);
        return load_model(loaded, *path, error);
    }
    if (!run_use_checkpoint(&user, path, options->run_dir, (enum run_checkpoint_choice)options->checkpoint, error))
        return false;
    return *path || run_refuse_without_checkpoint(options->run_dir, error);
}

/* Rank 0's. */
static bool read_model(struct loaded *loaded, const struct train_options *options, const struct config *config,
                       struct error *error)
{
    char *path = NULL;
    bool ok = load_chosen(loaded, &path, options, error);
    if (ok && config && strcmp(config->name, loaded->checkpoint.config) != 0)
        ok = error_set(error, "%s is of config %s, not %s", path, loaded->checkpoint.config, config->name);
    if (ok && (options->velocity_noise > 0 || options->timing_noise > 0) && !loaded->has_residuals)
        ok = error_set(error,
                       "%s: has no standard deviations of velocities and timing, which --velocity_noise and "
                       "--timing_noise need",
                       path);
    if (ok && options->num_samples > 0 && options->latent == TRAIN_LATENT_FITTED && loaded->latents.counts.size == 0)
        ok = error_set(error, "%s: has no fitted latent density, which --latent=fitted needs", path);
    free(path);
    return ok;
}

/* Rank 0 reads for all: a training that runs meanwhile may write another checkpoint, and delete this one, at any
 * moment. Collective. */
static bool load(struct loaded *loaded, const struct train_options *options, const struct config *config,
                 struct comm *comm, struct error *error)
{
    *loaded = (struct loaded){.max_batch = EVAL_MAX_BATCH};
    if (options->micro_batch_size > 0)
        loaded->max_batch = (int)options->micro_batch_size;
    bool ok = comm_rank(comm) != 0 || read_model(loaded, options, config, error);
    if (!comm_all_ok(comm, ok, error))
        return false;
    comm_broadcast(comm, &loaded->checkpoint, sizeof loaded->checkpoint, 0);
    comm_broadcast(comm, &loaded->has_residuals, sizeof loaded->has_residuals, 0);
    if (comm_rank(comm) != 0)
        loaded->model = model_make(&loaded->checkpoint.hparams, loaded->max_batch, error);
    if (!comm_all_ok(comm, loaded->model != NULL, error))
        return false;
    comm_broadcast(comm, loaded->model->values, loaded->model->table.num_floats * sizeof *loaded->model->values, 0);
    return true;
}

/* All that one evaluation is made of. */
struct evaluating {
    const struct train_options *options;
    struct comm *comm;
    struct loaded loaded;
    struct shared_dataset shared;
    struct evaluation evaluation;
    struct inference_decoder *decoder;
    struct feel_noise noise, sample_noise;
    struct quality_sums quality;
    struct samples_quality samples;
    struct metrics_line line;
};

/* The options' noise, where they leave it open `usual` times as much as the model stores. The same on all ranks. Collective. */
static bool make_noise(struct evaluating *evaluating, struct feel_noise *noise, double usual, struct error *error)
{
    const struct train_options *options = evaluating->options;
    const struct loaded *loaded = &evaluating->loaded;
    struct comm *comm = evaluating->comm;
    const double velocity_noise = options->velocity_noise >= 0 ? options->velocity_noise : usual,
                 timing_noise = options->timing_noise >= 0 ? options->timing_noise : usual;
    bool ok = comm_rank(comm) != 0 ||
              feel_noise_make(noise, hparams_representation(&loaded->checkpoint.hparams), loaded->residual_sd,
                              &loaded->latents, velocity_noise, timing_noise, error);
    if (!comm_all_ok(comm, ok, error))
        return false;
    struct feel_noise shared = *noise;
    comm_broadcast(comm, &shared, sizeof shared, 0);
    if (shared.num_floats == 0)
        return true;
    if (comm_rank(comm) != 0) {
        *noise = shared;
        ok = feel_noise_make_room(noise, error);
    }
    if (!comm_all_ok(comm, ok, error))
        return false;
    comm_broadcast(comm, noise->values, noise->num_floats * sizeof *noise->values, 0);
    return true;
}

static int threads_of(const struct evaluating *evaluating)
{
    return threads_choose((int)evaluating->options->threads, comm_local_size(evaluating->comm));
}

/* Data set, windows and decoder. Collective. */
static bool prepare(struct evaluating *evaluating, struct error *error)
{
    const struct train_options *options = evaluating->options;
    const struct hparams *hparams = &evaluating->loaded.checkpoint.hparams;
    const struct model *model = evaluating->loaded.model;
    struct comm *comm = evaluating->comm;
    if (options->num_samples > 0 && (hparams->hits_as_controls || hparams->input_as_controls))
        return error_set(error, "--num_samples: %s plays to an input, it has no samples of its own",
                         evaluating->loaded.checkpoint.config);
    if (!shared_dataset_open(&evaluating->shared, options->examples_path, comm, error))
        return false;
    bool ok =
        evaluation_make(&evaluating->evaluation, evaluating->shared.dataset, options->eval_split, hparams, error) ||
        error_prefix(error, "%s", options->examples_path);
    if (ok) {
        evaluating->decoder = inference_decoder_make(hparams, &model->table, model->values, true, error);
        ok = evaluating->decoder != NULL;
    }
    return comm_all_ok(comm, ok, error) &&
           agreement_same_dataset(comm, evaluating->shared.dataset, options->examples_path, error) &&
           make_noise(evaluating, &evaluating->noise, 0, error) &&
           make_noise(evaluating, &evaluating->sample_noise, evaluating->loaded.has_residuals ? 1 : 0, error);
}

/* Collective. */
static bool measure_losses(struct evaluating *evaluating, double *comparable_loss, struct error *error)
{
    const struct checkpoint *checkpoint = &evaluating->loaded.checkpoint;
    struct model *model = evaluating->loaded.model;
    struct metric_values values;
    double sums[METRIC_MAX_SUMS], kl_above;
    if (!evaluation_run_in_order(&evaluating->evaluation, model, evaluating->comm, checkpoint->seed, sums, &kl_above,
                                 error))
        return false;
    evaluation_line(&evaluating->line, &evaluating->evaluation, model, sums, checkpoint->step,
                    schedule_beta(&checkpoint->hparams, checkpoint->step));
    sums[SUM_KL_ABOVE_FREE] = kl_above;
    metric_values_clear(&values);
    metric_compute(&values, &model->metrics, sums, EVALUATION_BETA);
    *comparable_loss = metric_get(&values, &model->metrics, METRIC_LOSS);
    return true;
}

/* Latent vectors of all samples, drawn by rank 0 as drumline-generate draws them. *fitted: the temperature of the
 * fitted density (latents_temperature), 0 where they are drawn from N(0, 1). The caller's. Collective. */
static float *draw_latents(const struct evaluating *evaluating, float *fitted, struct error *error)
{
    const struct loaded *loaded = &evaluating->loaded;
    int count = (int)evaluating->options->num_samples, size = inference_decoder_shape(evaluating->decoder)->z_size;
    size_t num_floats = (size_t)count * (size_t)size;
    float *z = malloc(num_floats * sizeof *z);
    if (!comm_all_ok(evaluating->comm, z || error_set_no_memory(error, "no memory for %d samples", count), error)) {
        free(z);
        return NULL;
    }
    bool is_fitted = evaluating->options->latent != TRAIN_LATENT_PRIOR && loaded->latents.counts.size > 0;
    *fitted = is_fitted ? latents_temperature(&loaded->latents) : 0;
    if (comm_rank(evaluating->comm) == 0) {
        generation_draw_latents(z, count, size, loaded->checkpoint.seed, 0);
        if (is_fitted)
            latents_apply(z, count, &loaded->latents,
                          loaded->latents.counts.components > 0 ? LATENT_MIXTURE : LATENT_GAUSSIAN, 0,
                          loaded->checkpoint.seed, 0, 0);
    }
    comm_broadcast(evaluating->comm, z, num_floats * sizeof *z, 0);
    comm_broadcast(evaluating->comm, fitted, sizeof *fitted, 0);
    return z;
}

/* Collective. */
static bool measure_samples(struct evaluating *evaluating, struct error *error)
{
    const struct train_options *options = evaluating->options;
    float fitted;
    float *z = draw_latents(evaluating, &fitted, error);
    if (!z)
        return false;
    double temperature = options->temperature > 0 ? options->temperature : fitted > 0 ? (double)fitted : 0.5;
    const struct samples_request request = {
        .decoder = evaluating->decoder,
        .z = z,
        .count = (size_t)options->num_samples,
        .noise = &evaluating->sample_noise,
        .temperature = (float)temperature,
        .seed = evaluating->loaded.checkpoint.seed,
        .threads = threads_of(evaluating),
    };
    log_info("%zu samples from %s at temperature %g", request.count,
             fitted > 0 ? "the fitted latent density" : "N(0, 1)", temperature);
    bool ok = samples_measure(&evaluating->samples, &request, &evaluating->evaluation, evaluating->comm, error);
    free(z);
    return ok;
}

/* Rank 0's. */
static bool report(const struct evaluating *evaluating, const struct quality_report *report, struct error *error)
{
    metrics_log(&evaluating->line, 0);
    quality_report_print(stdout, report);
    if (fflush(stdout) != 0)
        return error_set_errno(error, errno, "can't write to standard output");
    if (!evaluating->options->run_dir)
        return true;
    char *folder = run_eval_folder(evaluating->options->run_dir);
    json_t *more = quality_report_json(report);
    bool ok = metrics_append_more(folder, &evaluating->line, more, error);
    json_decref(more);
    free(folder);
    return ok;
}

/* Collective. */
static bool evaluate(struct evaluating *evaluating, struct error *error)
{
    const struct train_options *options = evaluating->options;
    const struct checkpoint *checkpoint = &evaluating->loaded.checkpoint;
    struct quality_report content = {
        .checkpoint = checkpoint,
        .evaluation = &evaluating->evaluation,
        .task = quality_task_of(&evaluating->evaluation.transform, checkpoint->hparams.hits_as_controls),
        .line = &evaluating->line,
        .quality = &evaluating->quality,
        .samples = options->num_samples > 0 ? &evaluating->samples : NULL,
    };
    content.keeps_hits = options->keep_hits == SETTING_AUTO ? content.task.decoding == DECODING_KEPT
                                                            : options->keep_hits == SETTING_TRUE;
    const struct quality_options quality = {content.keeps_hits, &evaluating->noise, checkpoint->seed,
                                            threads_of(evaluating)};
    log_info("%s at step %" PRIu64 " on %zu windows of the %s split", checkpoint->config, checkpoint->step,
             evaluating->evaluation.windows.count, options->eval_split);
    if (evaluating->evaluation.windows.num_silent > 0)
        log_info("%zu windows without a hit skipped", evaluating->evaluation.windows.num_silent);
    if (!measure_losses(evaluating, &content.comparable_loss, error) ||
        !quality_measure(&evaluating->quality, &evaluating->evaluation, evaluating->decoder, &quality, evaluating->comm,
                         error) ||
        (options->num_samples > 0 && !measure_samples(evaluating, error)))
        return false;
    bool ok = comm_rank(evaluating->comm) != 0 || report(evaluating, &content, error);
    return comm_all_ok(evaluating->comm, ok, error);
}

int eval_mode_run(const struct train_options *options, const struct config *config, struct comm *comm,
                  struct error *error)
{
    struct evaluating *evaluating = calloc(1, sizeof *evaluating);
    bool ok = comm_all_ok(comm, evaluating || error_set_no_memory(error, "out of memory"), error);
    if (!ok) {
        free(evaluating);
        return EXIT_FAILURE;
    }
    evaluating->options = options;
    evaluating->comm = comm;
    ok = load(&evaluating->loaded, options, config, comm, error) && prepare(evaluating, error) &&
         evaluate(evaluating, error);
    inference_decoder_free(evaluating->decoder);
    evaluation_free(&evaluating->evaluation);
    shared_dataset_close(&evaluating->shared);
    unload(&evaluating->loaded);
    feel_noise_free(&evaluating->noise);
    feel_noise_free(&evaluating->sample_noise);
    free(evaluating);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
