#include "programs/train/sample_temperature.h"

#include "base/log.h"
#include "data/quality/distributions.h"
#include "model/inference/generation.h"
#include "programs/train/decoding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUM_SAMPLES = 512, SEED = 0 };

static const float temperatures[] = {0.8f, 0.9f, 1.0f, 1.1f};
enum { NUM_TEMPERATURES = sizeof temperatures / sizeof *temperatures };

struct sampling {
    const struct sample_temperature_work *work;
    const float *z; /* [NUM_SAMPLES, Z] */
    const struct feel_noise *noise;
    float temperature;
};

static bool measure(const void *context, struct decoding_piece *piece, struct error *error)
{
    const struct sampling *sampling = context;
    const struct model_shape *shape = inference_decoder_shape(sampling->work->decoder);
    const uint32_t bars = (uint32_t)sampling->work->windows->bars;
    if (sampling->work->must_stop && sampling->work->must_stop(sampling->work->context))
        return error_set(error, "stopped");
    const struct inference_request request = {
        .batch = piece->count,
        .noise = sampling->noise,
        .temperature = sampling->temperature,
        .seed = SEED,
        .first_output = (uint32_t)piece->first,
    };
    inference_decode(piece->music, sampling->z + piece->first * (size_t)shape->z_size, sampling->work->decoder,
                     piece->scratch, &request);
    for (size_t i = 0; i < (size_t)piece->count; i++) {
        struct grid grid;
        if (!grid_from_window(&grid, piece->music + i * (size_t)(shape->steps * shape->depth), bars, 120,
                              sampling->work->transform, error))
            return false;
        const struct grid_cells cells = {grid.hits, grid.velocity, grid.offset};
        distributions_add(piece->sums, &cells, bars);
        grid_free(&grid);
    }
    watchdog_done(sampling->work->watchdog);
    return true;
}

/* *distance is infinite where there is nothing to compare. */
static bool measure_distance(double *distance, const struct sampling *sampling, const struct distributions *data,
                             struct error *error)
{
    static const enum distribution kinds[] = {DISTRIBUTION_DRUMS, DISTRIBUTION_HITS, DISTRIBUTION_CLASSES,
                                              DISTRIBUTION_STEPS};
    struct distributions samples;
    const struct decoding_work work = {
        .decoder = sampling->work->decoder,
        .count = NUM_SAMPLES,
        .threads = sampling->work->threads,
        .num_numbers = DISTRIBUTIONS_NUMBERS,
        .measure = measure,
        .context = sampling,
    };
    if (!decoding_run((uint64_t *)&samples, &work, error))
        return false;
    *distance = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        *distance += distributions_divergence(&samples, data, kinds[i]);
    if (!isfinite(*distance))
        *distance = INFINITY;
    return true;
}

/* sd [D]: of each column of a gated head, as the latents have it. */
static void spread_residuals(float *sd, const struct representation *representation, const struct latents *latents)
{
    for (int i = 0, first = 0; i < representation->num_heads; first += representation->heads[i++].width) {
        const float *from = latents_residual_sd(latents, &representation->heads[i]);
        if (from)
            memcpy(sd + first, from, (size_t)latents->counts.classes * sizeof *sd);
    }
}

bool sample_temperature_choose(struct latents *latents, const struct sample_temperature_work *work, struct error *error)
{
    struct distributions data = {0};
    struct feel_noise noise = {0};
    const int size = latents->counts.size;
    float *z = malloc(NUM_SAMPLES * (size_t)size * sizeof *z);
    float *sd = calloc((size_t)work->representation->depth, sizeof *sd);
    struct sampling sampling = {.work = work, .z = z, .noise = &noise};
    double least = INFINITY;
    bool ok = (z && sd) || error_set_no_memory(error, "out of memory for %d samples", NUM_SAMPLES);
    if (ok) {
        spread_residuals(sd, work->representation, latents);
        ok = feel_noise_make(&noise, work->representation, sd, latents, 1, 1, error);
    }
    if (ok) {
        distributions_add_windows(&data, work->windows);
        generation_draw_latents(z, NUM_SAMPLES, size, SEED, 0);
        latents_apply(z, NUM_SAMPLES, latents, latents->counts.components > 0 ? LATENT_MIXTURE : LATENT_GAUSSIAN, 0,
                      SEED, 0, 0);
    }
    for (int i = 0; ok && i < NUM_TEMPERATURES; i++) {
        double distance;
        sampling.temperature = temperatures[i];
        ok = measure_distance(&distance, &sampling, &data, error);
        if (ok && distance < least) {
            least = distance;
            *latents->temperature = temperatures[i];
        }
    }
    if (ok && !isfinite(least))
        log_info("samples can't be compared with the data: no temperature is stored");
    else if (ok)
        log_info("samples are most like the data at temperature %g", (double)latents_temperature(latents));
    feel_noise_free(&noise);
    free(sd);
    free(z);
    return ok;
}
