#include "model/inference/feel_noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool feel_noise_make_room(struct feel_noise *noise, struct error *error)
{
    size_t bins = (size_t)noise->classes * (size_t)noise->bins;
    noise->num_floats = (size_t)noise->depth + bins + bins * (size_t)noise->quantiles;
    noise->values = calloc(noise->num_floats, sizeof *noise->values);
    if (!noise->values)
        return error_set_no_memory(error, "out of memory for the noise of velocities and timing");
    noise->sd = noise->values;
    noise->means = noise->sd + noise->depth;
    noise->velocities = noise->means + bins;
    return true;
}

/* Sets the deviations, but those of velocities that are drawn otherwise. */
static void set_deviations(struct feel_noise *noise, const struct representation *representation,
                           const float *residual_sd, double velocity, double timing)
{
    for (int i = 0, column = 0; i < representation->num_heads; i++) {
        const struct representation_head *head = &representation->heads[i];
        bool is_velocity = strcmp(head->kind, HEAD_SIGMOID) == 0, is_timing = strcmp(head->kind, HEAD_TANH) == 0;
        double factor = is_velocity && noise->bins == 0 ? velocity : is_timing ? timing : 0;
        for (int k = 0; k < head->width; k++, column++)
            noise->sd[column] = (float)(factor * (double)residual_sd[column]);
    }
}

bool feel_noise_make(struct feel_noise *noise, const struct representation *representation, const float *residual_sd,
                     const struct latents *latents, double velocity, double timing, struct error *error)
{
    const struct latent_counts *counts = &latents->counts;
    *noise = (struct feel_noise){0};
    noise->draws = velocity > 0 || timing > 0;
    if (!noise->draws && counts->velocity_bins == 0)
        return true;
    noise->depth = representation->depth;
    if (counts->velocity_bins > 0) {
        noise->classes = counts->classes;
        noise->bins = counts->velocity_bins;
        noise->quantiles = counts->velocity_quantiles;
        noise->velocity_amount = (float)velocity;
    }
    if (!feel_noise_make_room(noise, error))
        return false;
    set_deviations(noise, representation, residual_sd, velocity, timing);
    size_t bins = (size_t)noise->classes * (size_t)noise->bins;
    if (bins > 0) {
        memcpy(noise->means, latents->velocity_means, bins * sizeof *noise->means);
        memcpy(noise->velocities, latents->velocity_quantiles,
               bins * (size_t)noise->quantiles * sizeof *noise->velocities);
    }
    return true;
}

void feel_noise_free(struct feel_noise *noise)
{
    free(noise->values);
    *noise = (struct feel_noise){0};
}

/* The bin for a velocity of the model's: `chance`, uniform, decides between the two beside it. */
static int choose_bin(float velocity, const float *means, int bins, float chance)
{
    int low = 0;
    while (low + 1 < bins && means[low + 1] <= velocity)
        low++;
    if (low + 1 == bins || velocity <= means[low])
        return low;
    return low + (chance * (means[low + 1] - means[low]) < velocity - means[low]);
}

/* Of a bin's quantiles [Q]. */
static float median_of(const float *quantiles, int count)
{
    return 0.5f * (quantiles[(count - 1) / 2] + quantiles[count / 2]);
}

/* The median of the data's velocities of class `number` where the model's is `velocity`. */
static float typical(const struct feel_noise *noise, int number, float velocity)
{
    size_t first = (size_t)number * (size_t)noise->bins;
    float low = 0, low_value = 0;
    for (int k = 0; k <= noise->bins; k++) {
        bool last = k == noise->bins;
        float high = last ? 1 : noise->means[first + (size_t)k];
        float high_value =
            last ? 1 : median_of(noise->velocities + (first + (size_t)k) * (size_t)noise->quantiles, noise->quantiles);
        if (velocity < high) {
            float part = (velocity - low) / (high - low), value = (1 - part) * low_value + part * high_value;
            return fminf(fmaxf(value, low_value), high_value);
        }
        low = high;
        low_value = high_value;
    }
    return low_value;
}

void feel_noise_draw_velocities(float *velocities, const float *gate, const struct feel_noise *noise,
                                struct random_stream *stream)
{
    for (int i = 0; i < noise->classes; i++) {
        float chance = random_uniform(stream), place = random_uniform(stream) * (float)(noise->quantiles - 1);
        if (!(gate[i] > 0))
            continue;
        size_t first = (size_t)i * (size_t)noise->bins;
        int bin = choose_bin(velocities[i], noise->means + first, noise->bins, chance), below = (int)place;
        below = below < noise->quantiles - 1 ? below : noise->quantiles - 2;
        const float *at = noise->velocities + (first + (size_t)bin) * (size_t)noise->quantiles + below;
        float part = place - (float)below, amount = noise->velocity_amount;
        /* sums of products, as these rise with each factor that is not negative when they are rounded, too */
        float drawn = (1 - part) * at[0] + part * at[1];
        float value = (1 - amount) * typical(noise, i, velocities[i]) + amount * drawn;
        velocities[i] = fminf(fmaxf(value, 0.0f), 1.0f);
    }
}
