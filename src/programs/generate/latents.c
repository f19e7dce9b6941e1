#include "programs/generate/latents.h"

#include "model/inference/generation.h"

#include <string.h>

/* Windows of a long sample from one random latent vector to the next. */
enum { WALK_WINDOWS = 4 };

void generate_latents_draw(const struct generate_job *job, float *z, int first, int count, uint32_t point)
{
    generation_draw_latents_at(z, count, job->shape->z_size, job->seed, point, (uint32_t)first);
    latents_apply(z, count, &job->model.latents, job->choice.density, job->choice.style, job->seed, point,
                  (uint32_t)first);
    for (int i = 0; i < count; i++)
        latent_choice_move(z + (size_t)i * (size_t)job->shape->z_size, &job->choice, job->shape->z_size);
}

/* Window `window` of samples: on the arc between two of the random latent vectors of the output. The first window is at the
 * first of them, so that it is what a sample of one window is. */
static void walk(const struct generate_job *job, float *z, int first, int count, int window)
{
    size_t size = (size_t)job->shape->z_size;
    uint32_t point = (uint32_t)(window / WALK_WINDOWS);
    double fraction = (double)(window % WALK_WINDOWS) / WALK_WINDOWS;
    float next[HPARAMS_MAX_Z_SIZE];
    generate_latents_draw(job, z, first, count, point);
    for (int i = 0; fraction > 0 && i < count; i++) {
        float *here = z + (size_t)i * size;
        generate_latents_draw(job, next, first + i, 1, point + 1);
        generation_slerp(here, here, next, fraction, (int)size);
    }
}

static void draw_near(const struct generate_job *job, float *z, int first, int count)
{
    size_t size = (size_t)job->shape->z_size;
    generate_latents_draw(job, z, first, count, 0);
    for (int i = 0; i < count; i++) {
        float *here = z + (size_t)i * size;
        generation_slerp(here, here, job->ends, job->options->similarity, (int)size);
    }
}

/* Point `number` of a line from the first to the second input, or of a grid between four: along the rows, then from row to
 * row. With `join` every second row of a grid runs backwards, so that neighbours in time are neighbours in the grid. */
static void between(const struct generate_job *job, float *z, int number)
{
    size_t size = (size_t)job->shape->z_size;
    const float *ends = job->ends;
    int side = generate_num_outputs(job->options), row = number / side, column = number % side;
    if (job->options->join && row % 2 == 1)
        column = side - 1 - column;
    double across = (double)column / (side - 1), down = (double)row / (side - 1);
    generation_slerp(z, ends, ends + size, across, (int)size);
    if (job->num_inputs == 4) {
        float lower[HPARAMS_MAX_Z_SIZE];
        generation_slerp(lower, ends + 2 * size, ends + 3 * size, across, (int)size);
        generation_slerp(z, z, lower, down, (int)size);
    }
}

void generate_latents(const struct generate_job *job, float *z, int first, int count, int window)
{
    size_t size = (size_t)job->shape->z_size;
    switch ((enum generate_mode)job->options->mode) {
    case GENERATE_SAMPLE:
        walk(job, z, first, count, window);
        break;
    case GENERATE_SIMILAR:
        draw_near(job, z, first, count);
        break;
    case GENERATE_INTERPOLATE:
        for (int i = 0; i < count; i++)
            between(job, z + (size_t)i * size, job->options->join ? window : first + i);
        break;
    case GENERATE_ATTRIBUTE:
        for (int i = 0; i < count; i++) {
            memcpy(z + (size_t)i * size, job->ends, size * sizeof *z);
            latent_choice_move(z + (size_t)i * size, &job->choice, (int)size);
        }
        break;
    case GENERATE_APPLY: /* apply.c has its own */
    case GENERATE_TRANSFER:
    case GENERATE_RECONSTRUCT:
        for (int i = 0; i < count; i++)
            memcpy(z + (size_t)i * size, job->ends, size * sizeof *z);
        break;
    }
}
