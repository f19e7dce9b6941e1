/* Where the latent vectors of each mode come from: a row of a table. */
#ifndef DRUMLINE_PROGRAMS_GENERATE_LATENTS_H
#define DRUMLINE_PROGRAMS_GENERATE_LATENTS_H

#include "programs/generate/job.h"

/* z [count, Z] of window `window` of outputs first .. first + count - 1, whatever the thread. */
void generate_latents(const struct generate_job *job, float *z, int first, int count, int window);

/* Random latent vectors of those outputs: from N(0, 1), or from the model's density where the job is `fitted`. `point` counts
 * those that one output draws. */
void generate_latents_draw(const struct generate_job *job, float *z, int first, int count, uint32_t point);

#endif
