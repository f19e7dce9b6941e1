/* Windows as the tensors that the model takes, and back.
 *
 * A step is 27 floats: 9 hits (0 or 1), 9 velocities (v / 127), 9 offsets (-1 to 1), each in the order of the drums. */
#ifndef DRUMLINE_DATA_DATASET_BATCH_H
#define DRUMLINE_DATA_DATASET_BATCH_H

#include "base/error.h"
#include "base/random.h"
#include "data/dataset/dataset.h"
#include "data/music/grid.h"

#include <stdint.h>

enum { STEP_DEPTH = 3 * NUM_DRUMS };

/* What is done to the input, and never to the target, when a batch is drawn. The steps and their order are those of
 * Magenta's GrooveConverter: note dropout, tapify, humanize, fixed_velocities, add_instruments. One thing differs: in
 * Magenta a step whose notes have all been dropped gets its kick back under tapify; here it stays silent. */
struct transform {
    bool humanize;            /* velocities and offsets 0 */
    bool tapify;              /* each step's loudest hit, with velocity and offset, moves to DRUM_TAP; the others go */
    bool fixed_velocities;    /* velocities 0 */
    bool hits_as_controls;    /* the target's hits are handed to the model beside input and decoder input */
    uint32_t removed_classes; /* add_instruments: bit d set: drum d is gone from the input */
    double
        max_note_dropout; /* for each window p ~ U(0, max); a note goes with probability p * max(0.2, 1 - velocity) */
};

/* A batch of B windows, time-major: input and target [T, B, 27], controls [T, B, 9] (the target's hits) or NULL.
 * `window_numbers` [B] picks from `windows`. Note dropout of example b is drawn from the stream (seed,
 * RANDOM_NOTE_DROPOUT, step, first_example + b), so that it depends on the example's place in the global batch and not
 * on the rank. Takes no memory. */
void batch_fill(float *input, float *target, float *controls, const struct windows *windows,
                const uint32_t *window_numbers, int num_windows, const struct transform *transform, uint64_t seed,
                uint32_t step, uint32_t first_example);

/* window [T, 27] from the T = 16 * bars steps of `grid` from bar `first_bar` on (0: the first). The grid must be in
 * bars of 16 steps and reach that far. */
void window_from_grid(float *window, const struct grid *grid, uint32_t first_bar, uint32_t bars);

/* Transforms one window in place: `num_steps` rows of 27 that lie `stride` floats apart. The stream is used for note
 * dropout alone and may be NULL where that is 0. */
void window_transform(float *window, size_t stride, uint32_t num_steps, const struct transform *transform,
                      struct random_stream *stream);

/* A grid in 4/4 from a model's output [T, 27] of hits (a hit is above 0.5), velocities (0 to 1, at least 1/127 where
 * hit) and offsets. Fails where a value is not finite or there is no memory. */
bool grid_from_window(struct grid *grid, const float *window, uint32_t num_steps, float qpm, struct error *error);

#endif
