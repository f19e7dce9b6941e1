#include "model/inference/generation.h"

#include "base/random.h"

#include <math.h>
#include <string.h>

/* Below this sine of the angle, dividing by it would lose more than half of a float's digits. */
static const double smallest_sine = 1e-4;

void generation_draw_latents(float *z, int count, int z_size, uint64_t seed, uint32_t first)
{
    generation_draw_latents_at(z, count, z_size, seed, 0, first);
}

void generation_draw_latents_at(float *z, int count, int z_size, uint64_t seed, uint32_t point, uint32_t first)
{
    for (int i = 0; i < count; i++) {
        struct random_stream stream;
        random_stream_start(&stream, seed, RANDOM_SAMPLED_LATENT, point, first + (uint32_t)i);
        random_fill_normal(z + (size_t)i * (size_t)z_size, (size_t)z_size, &stream);
    }
}

void generation_slerp(float *out, const float *a, const float *b, double fraction, int size)
{
    if (fraction <= 0 || fraction >= 1) {
        memmove(out, fraction <= 0 ? a : b, (size_t)size * sizeof *out);
        return;
    }
    double dot = 0, norm_a = 0, norm_b = 0;
    for (int i = 0; i < size; i++) {
        dot += (double)a[i] * (double)b[i];
        norm_a += (double)a[i] * (double)a[i];
        norm_b += (double)b[i] * (double)b[i];
    }
    double cosine = norm_a > 0 && norm_b > 0 ? dot / sqrt(norm_a * norm_b) : 1;
    double angle = acos(fmax(-1, fmin(1, cosine)));
    double weight_a = 1 - fraction, weight_b = fraction;
    if (sin(angle) > smallest_sine) {
        weight_a = sin((1 - fraction) * angle) / sin(angle);
        weight_b = sin(fraction * angle) / sin(angle);
    }
    for (int i = 0; i < size; i++)
        out[i] = (float)(weight_a * (double)a[i] + weight_b * (double)b[i]);
}
