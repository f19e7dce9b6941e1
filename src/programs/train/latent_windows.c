#include "programs/train/latent_windows.h"

#include "base/threads.h"
#include "data/music/attributes.h"
#include "model/latents/velocities.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 24, MAX_THREADS = 256 };

/* One thread, and its part of the windows. */
struct worker {
    const struct latent_windows *work;
    size_t first, end;
    struct inference_scratch *scratch;
    float *input, *target, *music; /* [BATCH, T, D] */
    float *controls;               /* [BATCH, T, C] */

    float *mu; /* [count, Z], shared: written where `residuals` are NULL, else read */
    double *attributes;
    struct latent_residuals residuals; /* owned by the worker */
};

static size_t pairs_size(const struct latent_windows *work)
{
    return velocity_pairs_size(work->transform->representation->heads[0].width);
}

static bool worker_make(struct worker *worker, bool decodes, struct error *error)
{
    const struct model_shape *shape = inference_decoder_shape(worker->work->decoder);
    size_t rows = (size_t)BATCH * (size_t)shape->steps, depth = (size_t)shape->depth;
    worker->scratch = inference_scratch_make(worker->work->decoder, decodes ? BATCH : 1, error);
    worker->input = calloc(rows * depth, sizeof(float));
    worker->target = calloc(rows * depth, sizeof(float));
    worker->music = calloc(rows * depth, sizeof(float));
    worker->controls = calloc(rows * (size_t)shape->num_controls + 1, sizeof(float));
    if (decodes) {
        worker->residuals.squares = calloc(depth, sizeof(double));
        worker->residuals.counts = calloc(depth, sizeof(double));
        worker->residuals.velocities = calloc(pairs_size(worker->work), sizeof(uint64_t));
    }
    if (!worker->scratch)
        return false;
    return (worker->input && worker->target && worker->music && worker->controls &&
            (!decodes || (worker->residuals.squares && worker->residuals.counts && worker->residuals.velocities))) ||
           error_set_no_memory(error, "no memory for windows of %d steps", shape->steps);
}

static void worker_free(struct worker *worker)
{
    inference_scratch_free(worker->scratch);
    free(worker->input);
    free(worker->target);
    free(worker->music);
    free(worker->controls);
    free(worker->residuals.squares);
    free(worker->residuals.counts);
    free(worker->residuals.velocities);
}

/* Window `i` of the work into place `at` of a batch. */
static void fill(struct worker *worker, size_t i, size_t at)
{
    const struct latent_windows *work = worker->work;
    const struct model_shape *shape = inference_decoder_shape(work->decoder);
    size_t size = (size_t)shape->steps * (size_t)shape->depth;
    float *controls =
        shape->num_controls > 0 ? worker->controls + at * (size_t)shape->steps * (size_t)shape->num_controls : NULL;
    batch_fill(worker->input + at * size, worker->target + at * size, controls, work->windows, work->numbers + i, 1,
               work->transform, 0, 0, work->numbers[i]);
}

static void measure(double *attributes, const struct windows *windows, uint32_t number)
{
    const struct dataset *dataset = windows->dataset;
    size_t cell = (size_t)windows->first_step[number] * NUM_DRUMS;
    attributes_measure(attributes, dataset->hits + cell, dataset->velocity + cell, dataset->offset + cell,
                       (uint32_t)windows->bars);
}

static bool must_stop(const struct latent_windows *work)
{
    return work->must_stop && work->must_stop(work->context);
}

static void *encode(void *context)
{
    struct worker *worker = context;
    const struct latent_windows *work = worker->work;
    const struct model_shape *shape = inference_decoder_shape(work->decoder);
    for (size_t i = worker->first; i < worker->end && !must_stop(work); i++) {
        fill(worker, i, 0);
        inference_encode(worker->mu + i * (size_t)shape->z_size, worker->input,
                         shape->num_controls > 0 ? worker->controls : NULL, work->decoder, worker->scratch);
        measure(worker->attributes + i * NUM_ATTRIBUTES, work->windows, work->numbers[i]);
        watchdog_done(work->watchdog);
    }
    return NULL;
}

/* The differences of one decoded window. */
static void add_residuals(struct worker *worker, const float *music, const float *target)
{
    const struct model_shape *shape = inference_decoder_shape(worker->work->decoder);
    const struct representation *representation = worker->work->transform->representation;
    const struct latent_residuals *residuals = &worker->residuals;
    for (int t = 0; t < shape->steps; t++, music += shape->depth, target += shape->depth)
        for (int h = 0, first = 0; h < representation->num_heads; first += representation->heads[h++].width) {
            const struct representation_head *head = &representation->heads[h];
            bool are_velocities =
                strcmp(head->kind, HEAD_SIGMOID) == 0 && head->width == representation->heads[0].width;
            int gate = 0;
            for (int g = 0; head->gate && strcmp(representation->heads[g].name, head->gate) != 0; g++)
                gate += representation->heads[g].width;
            for (int i = 0; head->gate && i < head->width; i++)
                if (target[gate + i] > 0) {
                    double difference = (double)music[first + i] - (double)target[first + i];
                    residuals->squares[first + i] += difference * difference;
                    residuals->counts[first + i]++;
                    if (are_velocities)
                        velocity_pairs_add(residuals->velocities, i, music[first + i], target[first + i]);
                }
        }
}

static void *decode(void *context)
{
    struct worker *worker = context;
    const struct latent_windows *work = worker->work;
    const struct model_shape *shape = inference_decoder_shape(work->decoder);
    size_t size = (size_t)shape->steps * (size_t)shape->depth;
    for (size_t i = worker->first; i < worker->end && !must_stop(work); i += BATCH) {
        size_t count = worker->end - i < BATCH ? worker->end - i : BATCH;
        for (size_t b = 0; b < count; b++)
            fill(worker, i + b, b);
        const struct inference_request request = {
            .batch = (int)count,
            .controls = shape->num_controls > 0 ? worker->controls : NULL,
            .controls_stride = (size_t)shape->steps * (size_t)shape->num_controls,
            .kept = worker->target,
            .kept_stride = size,
            .temperature = 1,
        };
        inference_decode(worker->music, worker->mu + i * (size_t)shape->z_size, work->decoder, worker->scratch,
                         &request);
        for (size_t b = 0; b < count; b++)
            add_residuals(worker, worker->music + b * size, worker->target + b * size);
        watchdog_done(work->watchdog);
    }
    return NULL;
}

/* Adds what a worker has found. */
static void add_residuals_of(const struct latent_residuals *residuals, const struct worker *worker)
{
    for (int k = 0; k < inference_decoder_shape(worker->work->decoder)->depth; k++) {
        residuals->squares[k] += worker->residuals.squares[k];
        residuals->counts[k] += worker->residuals.counts[k];
    }
    for (size_t k = 0; k < pairs_size(worker->work); k++)
        residuals->velocities[k] += worker->residuals.velocities[k];
}

static bool run(const struct latent_residuals *residuals, float *mu, double *attributes,
                const struct latent_windows *work, struct error *error)
{
    const bool decodes = residuals != NULL;
    int threads = work->threads < MAX_THREADS ? work->threads : MAX_THREADS, made = 0;
    if ((size_t)threads > work->count / 4)
        threads = work->count / 4 > 0 ? (int)(work->count / 4) : 1;
    struct worker *workers = calloc((size_t)threads, sizeof *workers);
    bool ok = workers || error_set_no_memory(error, "no memory for %d threads", threads);
    while (ok && made < threads) {
        struct worker *worker = &workers[made];
        *worker = (struct worker){.work = work, .mu = mu, .attributes = attributes};
        worker->first = work->count * (size_t)made / (size_t)threads;
        worker->end = work->count * (size_t)(made + 1) / (size_t)threads;
        made++;
        ok = worker_make(worker, decodes, error);
    }
    if (ok)
        threads_run(decodes ? decode : encode, workers, sizeof *workers, threads);
    for (int i = 0; i < made; i++) {
        if (ok && decodes)
            add_residuals_of(residuals, &workers[i]);
        worker_free(&workers[i]);
    }
    free(workers);
    return ok && (!must_stop(work) || error_set(error, "stopped"));
}

bool latent_windows_encode(float *mu, double *attributes, const struct latent_windows *work, struct error *error)
{
    return run(NULL, mu, attributes, work, error);
}

bool latent_windows_residuals(const struct latent_residuals *residuals, const float *mu,
                              const struct latent_windows *work, struct error *error)
{
    return run(residuals, (float *)(uintptr_t)mu, NULL, work, error);
}
