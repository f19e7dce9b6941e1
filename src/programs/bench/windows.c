#include "programs/bench/windows.h"

#include "model/vae/model_shape.h"
#include "programs/common/transform.h"

#include <stdlib.h>
#include <string.h>

/* Hits for each step and drum of the Groove MIDI Dataset: 362,270 in 313,616 steps of nine drums. */
static const float hit_density = 0.128f;

static void draw_step(float row[STEP_DEPTH], struct random_stream *stream)
{
    for (int drum = 0; drum < NUM_DRUMS; drum++) {
        float chance = random_uniform(stream), velocity = random_uniform(stream), offset = random_uniform(stream);
        bool hit = chance < hit_density;
        row[drum] = hit ? 1.0f : 0.0f;
        row[NUM_DRUMS + drum] = hit ? velocity : 0.0f;
        row[2 * NUM_DRUMS + drum] = hit ? 2 * offset - 1 : 0.0f;
    }
}

bool bench_windows_make(struct bench_windows *windows, const struct hparams *hparams, struct error *error)
{
    uint32_t steps = (uint32_t)model_shape_of(hparams).steps;
    *windows = (struct bench_windows){.steps = steps, .transform = transform_of(hparams)};
    windows->rows = malloc((size_t)BENCH_WINDOWS * steps * STEP_DEPTH * sizeof *windows->rows);
    if (!windows->rows)
        return error_set(error, "no memory for %d windows of %u steps", BENCH_WINDOWS, (unsigned)steps);
    for (uint32_t i = 0; i < BENCH_WINDOWS; i++) {
        struct random_stream stream;
        random_stream_start(&stream, 0, RANDOM_BENCHMARK, 0, i);
        for (uint32_t t = 0; t < steps; t++)
            draw_step(windows->rows + ((size_t)i * steps + t) * STEP_DEPTH, &stream);
    }
    return true;
}

void bench_windows_free(struct bench_windows *windows)
{
    free(windows->rows);
    windows->rows = NULL;
}

void bench_windows_fill(const struct bench_windows *windows, struct model *model, const struct model_step *part)
{
    size_t batch = (size_t)part->batch, num_controls = (size_t)model->num_controls;
    for (size_t b = 0; b < batch; b++) {
        uint32_t number = part->first_example + (uint32_t)b;
        const float *rows = windows->rows + (size_t)(number % BENCH_WINDOWS) * windows->steps * STEP_DEPTH;
        for (size_t t = 0; t < windows->steps; t++) {
            const float *row = rows + t * STEP_DEPTH;
            memcpy(model->target + (t * batch + b) * STEP_DEPTH, row, STEP_DEPTH * sizeof *row);
            memcpy(model->input + (t * batch + b) * STEP_DEPTH, row, STEP_DEPTH * sizeof *row);
            if (num_controls > 0)
                memcpy(model->controls + (t * batch + b) * num_controls, row, num_controls * sizeof *row);
        }
        struct random_stream stream;
        random_stream_start(&stream, part->seed, RANDOM_NOTE_DROPOUT, part->step, number);
        window_transform(model->input + b * STEP_DEPTH, batch * STEP_DEPTH, windows->steps, &windows->transform,
                         &stream);
    }
}
