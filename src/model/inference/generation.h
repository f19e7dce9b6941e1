/* Latent vectors to decode: drawn, or interpolated. model/inference/inference_decoder.h decodes them. */
#ifndef DRUMLINE_MODEL_INFERENCE_GENERATION_H
#define DRUMLINE_MODEL_INFERENCE_GENERATION_H

#include <stdint.h>

/* z [count, z_size] ~ N(0, 1); row i depends on seed and on first + i alone. */
void generation_draw_latents(float *z, int count, int z_size, uint64_t seed, uint32_t first);

/* The same for random vectors after the first of each row: number `point`, from 0, which is that of generation_draw_latents. */
void generation_draw_latents_at(float *z, int count, int z_size, uint64_t seed, uint32_t point, uint32_t first);

/* The point at `fraction` in [0, 1] of the arc from a to b, all [size]: sin((1 - t) w) / sin(w) a + sin(t w) / sin(w) b with w
 * the angle between them (Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985; White, "Sampling Generative
 * Networks", 2016). A straight line where the angle is too small or too near a half turn to divide by its sine. The ends
 * are exactly a and b. `out` may be `a`. */
void generation_slerp(float *out, const float *a, const float *b, double fraction, int size);

#endif
