#include "data/dataset/batch.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { VELOCITY = NUM_DRUMS, OFFSET = 2 * NUM_DRUMS };

static void drop_note(float *row, int drum)
{
    row[drum] = row[VELOCITY + drum] = row[OFFSET + drum] = 0.0F;
}

static void drop_notes(float *window, size_t stride, uint32_t num_steps, double max_note_dropout,
                       struct random_stream *stream)
{
    double window_probability = max_note_dropout * (double)random_uniform(stream);
    for (uint32_t t = 0; t < num_steps; t++) {
        float *row = window + t * stride;
        for (int drum = 0; drum < NUM_DRUMS; drum++) {
            if (row[drum] == 0.0F)
                continue;
            double quiet = 1.0 - (double)row[VELOCITY + drum];
            double probability = window_probability * (quiet > 0.2 ? quiet : 0.2);
            if ((double)random_uniform(stream) < probability)
                drop_note(row, drum);
        }
    }
}

static void tapify_step(float *row)
{
    int loudest = DRUM_NONE;
    for (int drum = 0; drum < NUM_DRUMS; drum++)
        if (row[drum] != 0.0F && (loudest == DRUM_NONE || row[VELOCITY + drum] > row[VELOCITY + loudest]))
            loudest = drum;
    float velocity = loudest == DRUM_NONE ? 0.0F : row[VELOCITY + loudest];
    float offset = loudest == DRUM_NONE ? 0.0F : row[OFFSET + loudest];
    memset(row, 0, STEP_DEPTH * sizeof *row);
    row[DRUM_TAP] = loudest == DRUM_NONE ? 0.0F : 1.0F;
    row[VELOCITY + DRUM_TAP] = velocity;
    row[OFFSET + DRUM_TAP] = offset;
}

void window_transform(float *window, size_t stride, uint32_t num_steps, const struct transform *transform,
                      struct random_stream *stream)
{
    if (transform->max_note_dropout > 0)
        drop_notes(window, stride, num_steps, transform->max_note_dropout, stream);
    for (uint32_t t = 0; t < num_steps; t++) {
        float *row = window + t * stride;
        if (transform->tapify)
            tapify_step(row);
        if (transform->humanize || transform->fixed_velocities)
            memset(row + VELOCITY, 0, NUM_DRUMS * sizeof *row);
        if (transform->humanize)
            memset(row + OFFSET, 0, NUM_DRUMS * sizeof *row);
        for (int drum = 0; drum < NUM_DRUMS; drum++)
            if (transform->removed_classes >> drum & 1)
                drop_note(row, drum);
    }
}

/* Rows of 27 from T steps of the three arrays. */
static void fill_rows(float *window, size_t stride, const uint8_t *hits, const uint8_t *velocity, const float *offset,
                      uint32_t num_steps)
{
    for (uint32_t t = 0; t < num_steps; t++) {
        float *row = window + t * stride;
        size_t cell = (size_t)t * NUM_DRUMS;
        for (size_t drum = 0; drum < NUM_DRUMS; drum++) {
            row[drum] = (float)hits[cell + drum];
            row[VELOCITY + drum] = (float)velocity[cell + drum] / 127.0F;
            row[OFFSET + drum] = offset[cell + drum];
        }
    }
}

void batch_fill(float *input, float *target, float *controls, const struct windows *windows,
                const uint32_t *window_numbers, int num_windows, const struct transform *transform, uint64_t seed,
                uint32_t step, uint32_t first_example)
{
    const struct dataset *dataset = windows->dataset;
    size_t batch = (size_t)num_windows, stride = batch * STEP_DEPTH;
    for (size_t b = 0; b < batch; b++) {
        assert(window_numbers[b] < windows->count);
        size_t cell = (size_t)windows->first_step[window_numbers[b]] * NUM_DRUMS;
        fill_rows(target + b * STEP_DEPTH, stride, dataset->hits + cell, dataset->velocity + cell,
                  dataset->offset + cell, windows->num_steps);
    }
    memcpy(input, target, windows->num_steps * stride * sizeof *input);
    for (size_t b = 0; b < batch; b++) {
        struct random_stream stream;
        random_stream_start(&stream, seed, RANDOM_NOTE_DROPOUT, step, first_example + (uint32_t)b);
        window_transform(input + b * STEP_DEPTH, stride, windows->num_steps, transform, &stream);
    }
    for (size_t row = 0; controls != NULL && row < windows->num_steps * batch; row++)
        memcpy(controls + row * NUM_DRUMS, target + row * STEP_DEPTH, NUM_DRUMS * sizeof *controls);
}

void window_from_grid(float *window, const struct grid *grid, uint32_t first_bar, uint32_t bars)
{
    assert(time_signature_bar_steps(grid->time_signature) == GRID_BAR_STEPS);
    assert(((uint64_t)first_bar + bars) * GRID_BAR_STEPS <= grid->num_steps);
    size_t cell = (size_t)first_bar * GRID_BAR_STEPS * NUM_DRUMS;
    fill_rows(window, STEP_DEPTH, grid->hits + cell, grid->velocity + cell, grid->offset + cell, bars * GRID_BAR_STEPS);
}

bool grid_from_window(struct grid *grid, const float *window, uint32_t num_steps, float qpm, struct error *error)
{
    if (!grid_make(grid, num_steps, error))
        return false;
    grid->qpm = qpm;
    grid->time_signature = (struct time_signature){4, 4};
    for (uint32_t t = 0; t < num_steps; t++)
        for (size_t drum = 0; drum < NUM_DRUMS; drum++) {
            const float *row = window + (size_t)t * STEP_DEPTH;
            float velocity = row[VELOCITY + drum], offset = row[OFFSET + drum];
            size_t cell = (size_t)t * NUM_DRUMS + drum;
            if (!isfinite(row[drum]) || !isfinite(velocity) || !isfinite(offset)) {
                grid_free(grid);
                return error_set(error, "the model's output is not finite at step %u, %s", t, drum_name((int)drum));
            }
            if (!(row[drum] > 0.5F))
                continue;
            grid->hits[cell] = 1;
            grid->velocity[cell] = (uint8_t)lroundf(fminf(fmaxf(velocity * 127.0F, 1.0F), 127.0F));
            grid->offset[cell] = fminf(fmaxf(offset, -1.0F), 1.0F);
        }
    return true;
}
