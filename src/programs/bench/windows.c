#include "programs/bench/windows.h"

#include "model/vae/model_shape.h"
#include "programs/common/transform.h"

#include <stdlib.h>
#include <string.h>

/* Hits for each step and drum of the Groove MIDI Dataset: 362,270 in 313,616 steps of nine drums. */
static const float hit_density = 0.128f;

static void draw_step(struct grid *grid, size_t step, struct random_stream *stream)
{
    for (size_t drum = 0; drum < NUM_DRUMS; drum++) {
        float chance = random_uniform(stream), velocity = random_uniform(stream), offset = random_uniform(stream);
        size_t cell = step * NUM_DRUMS + drum;
        bool hit = chance < hit_density;
        grid->hits[cell] = hit;
        grid->velocity[cell] = hit ? (uint8_t)(1 + velocity * 126) : 0;
        grid->offset[cell] = hit ? 2 * offset - 1 : 0;
    }
}

bool bench_windows_make(struct bench_windows *windows, const struct hparams *hparams, struct error *error)
{
    struct model_shape shape = model_shape_of(hparams);
    size_t size = (size_t)shape.steps * (size_t)shape.depth;
    struct grid grid;
    *windows = (struct bench_windows){.steps = (uint32_t)shape.steps};
    if (!transform_of(&windows->transform, hparams, error) ||
        !grid_make(&grid, (uint32_t)hparams->bars * GRID_BAR_STEPS, error))
        return false;
    grid.time_signature = (struct time_signature){4, 4};
    windows->rows = malloc(BENCH_WINDOWS * size * sizeof *windows->rows);
    for (uint32_t i = 0; windows->rows && i < BENCH_WINDOWS; i++) {
        struct random_stream stream;
        random_stream_start(&stream, 0, RANDOM_BENCHMARK, 0, i);
        for (uint32_t t = 0; t < grid.num_steps; t++)
            draw_step(&grid, t, &stream);
        window_from_grid(windows->rows + i * size, &grid, 0, (uint32_t)hparams->bars, &windows->transform);
    }
    grid_free(&grid);
    return windows->rows || error_set(error, "no memory for %d windows of %d steps", BENCH_WINDOWS, shape.steps);
}

void bench_windows_free(struct bench_windows *windows)
{
    free(windows->rows);
    windows->rows = NULL;
}

void bench_windows_fill(const struct bench_windows *windows, struct model *model, const struct model_step *part)
{
    size_t batch = (size_t)part->batch, depth = (size_t)model->depth, num_controls = (size_t)model->num_controls;
    for (size_t b = 0; b < batch; b++) {
        uint32_t number = part->first_example + (uint32_t)b;
        const float *rows = windows->rows + (size_t)(number % BENCH_WINDOWS) * windows->steps * depth;
        for (size_t t = 0; t < windows->steps; t++) {
            const float *row = rows + t * depth;
            memcpy(model->target + (t * batch + b) * depth, row, depth * sizeof *row);
            memcpy(model->input + (t * batch + b) * depth, row, depth * sizeof *row);
        }
        struct random_stream stream;
        random_stream_start(&stream, part->seed, RANDOM_NOTE_DROPOUT, part->step, number);
        window_transform(model->input + b * depth, batch * depth, windows->steps, &windows->transform, &stream);
        if (num_controls > 0)
            window_controls(model->controls + b * num_controls, batch * num_controls, model->target + b * depth,
                            model->input + b * depth, batch * depth, windows->steps, 120, &windows->transform);
    }
}
