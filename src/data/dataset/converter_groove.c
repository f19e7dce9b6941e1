/* The representation "groove": hits, velocities and offsets of nine drums at every sixteenth. */
#include "data/dataset/converter.h"

#include <math.h>
#include <string.h>

enum { VELOCITY = NUM_DRUMS, OFFSET = 2 * NUM_DRUMS, DEPTH = 3 * NUM_DRUMS };

static void drop_note(float *row, int drum)
{
    row[drum] = row[VELOCITY + drum] = row[OFFSET + drum] = 0.0f;
}

static void drop_notes(float *window, size_t stride, uint32_t num_steps, double max_note_dropout,
                       struct random_stream *stream)
{
    double window_probability = max_note_dropout * (double)random_uniform(stream);
    for (uint32_t t = 0; t < num_steps; t++) {
        float *row = window + t * stride;
        for (int drum = 0; drum < NUM_DRUMS; drum++) {
            if (row[drum] == 0.0f)
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
        if (row[drum] != 0.0f && (loudest == DRUM_NONE || row[VELOCITY + drum] > row[VELOCITY + loudest]))
            loudest = drum;
    float velocity = loudest == DRUM_NONE ? 0.0f : row[VELOCITY + loudest];
    float offset = loudest == DRUM_NONE ? 0.0f : row[OFFSET + loudest];
    memset(row, 0, DEPTH * sizeof *row);
    row[DRUM_TAP] = loudest == DRUM_NONE ? 0.0f : 1.0f;
    row[VELOCITY + DRUM_TAP] = velocity;
    row[OFFSET + DRUM_TAP] = offset;
}

static void groove_transform(float *window, size_t stride, uint32_t num_steps, const struct transform *transform,
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

/* With probability drop_class the window loses one class, each as likely. */
static void groove_augment(float *window, size_t stride, uint32_t num_steps, const struct transform *transform,
                           struct random_stream *stream)
{
    if (!((double)random_uniform(stream) < transform->drop_class))
        return;
    int drum = (int)random_below(stream, NUM_DRUMS);
    for (uint32_t t = 0; t < num_steps; t++)
        drop_note(window + t * stride, drum);
}

static void groove_from_grid(float *rows, size_t stride, const struct grid_cells *cells, uint32_t bars)
{
    for (size_t t = 0; t < (size_t)bars * GRID_BAR_STEPS; t++) {
        float *row = rows + t * stride;
        size_t cell = t * NUM_DRUMS;
        for (size_t drum = 0; drum < NUM_DRUMS; drum++) {
            row[drum] = (float)cells->hits[cell + drum];
            row[VELOCITY + drum] = (float)cells->velocity[cell + drum] / 127.0f;
            row[OFFSET + drum] = cells->offset[cell + drum];
        }
    }
}

static bool groove_to_grid(struct grid *grid, const float *rows, uint32_t bars, struct error *error)
{
    for (size_t t = 0; t < (size_t)bars * GRID_BAR_STEPS; t++)
        for (size_t drum = 0; drum < NUM_DRUMS; drum++) {
            const float *row = rows + t * DEPTH;
            float velocity = row[VELOCITY + drum], offset = row[OFFSET + drum];
            size_t cell = t * NUM_DRUMS + drum;
            if (!isfinite(row[drum]) || !isfinite(velocity) || !isfinite(offset))
                return error_set(error, "the model's output is not finite at step %zu, %s", t, drum_name((int)drum));
            if (!(row[drum] > 0.5f))
                continue;
            grid->hits[cell] = 1;
            grid->velocity[cell] = (uint8_t)lroundf(fminf(fmaxf(velocity * 127.0f, 1.0f), 127.0f));
            grid->offset[cell] = fminf(fmaxf(offset, -1.0f), 1.0f);
        }
    return true;
}

const struct converter groove_converter = {"groove", groove_from_grid, groove_to_grid, groove_transform,
                                           groove_augment};
