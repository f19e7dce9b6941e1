/* Playing from a model: latent vectors, and windows of music from them. */
#ifndef DRUMLINE_MODEL_GENERATION_H
#define DRUMLINE_MODEL_GENERATION_H

#include "model/model.h"

/* z [count, z_size] ~ N(0, 1); row i depends on seed and on first + i alone. */
void generation_draw_latents(float *z, int count, int z_size, uint64_t seed, uint32_t first);

/* The point at `fraction` in [0, 1] of the arc from a to b, all [size]: sin((1 - t) w) / sin(w) a + sin(t w) / sin(w) b with w
 * the angle between them (Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985; White, "Sampling Generative
 * Networks", 2016). A straight line where the angle is too small or too near a half turn to divide by its sine. The ends
 * are exactly a and b. */
void generation_slerp(float *out, const float *a, const float *b, double fraction, int size);

/* music [T, B, D] from z [B, Z] for batch <= model->max_batch, with model->controls where the model has them. Row b's random
 * numbers depend on seed and first_output + b alone; temperature > 0. */
void generation_play(struct model *model, float *music, const float *z, int batch, float temperature, uint64_t seed,
                     uint32_t first_output);

#endif
