/* Converters: between performances on the grid and the rows of numbers that a model takes. There is one for each row of the
 * table of representations (base/representation.h); nothing else in src/data knows what a row holds. */
#ifndef DRUMLINE_DATA_DATASET_CONVERTER_H
#define DRUMLINE_DATA_DATASET_CONVERTER_H

#include "base/error.h"
#include "base/random.h"
#include "base/representation.h"
#include "data/music/grid.h"

#include <stdint.h>

struct converter;

/* What is done to the input, and never to the target, when a batch is drawn. The steps and their order are those of
 * Magenta's GrooveConverter: note dropout, tapify, humanize, fixed_velocities, add_instruments. One thing differs: in
 * Magenta a step whose notes have all been dropped gets its kick back under tapify; here it stays silent. */
struct transform {
    const struct representation *representation; /* of the rows */
    const struct converter *converter;           /* its converter */
    bool input_as_controls;                      /* controls are the input, all columns; else the target's first ones */
    bool tempo_control;                          /* the tempo follows in the controls */
    bool humanize;                               /* velocities and offsets 0 */
    bool tapify;              /* each step's loudest hit, with velocity and offset, moves to DRUM_TAP; the others go */
    bool fixed_velocities;    /* velocities 0 */
    uint32_t removed_classes; /* add_instruments: bit d set: drum d is gone from the input */
    double drop_class; /* augment_drop_class, in training alone: the probability that input and target lose a class */
    double
        max_note_dropout; /* for each window p ~ U(0, max); a note is dropped with probability p * max(0.2, 1 - velocity) */
};

/* Part of a grid, from the beginning of a bar on: [16 * bars, 9] each, with the grid's meaning. */
struct grid_cells {
    const uint8_t *hits, *velocity;
    const float *offset;
};

struct converter {
    const char *representation;

    /* rows [bars * steps_per_bar, D] from the cells of as many bars; rows lie `stride` numbers apart. */
    void (*from_grid)(float *rows, size_t stride, const struct grid_cells *cells, uint32_t bars);

    /* The way back: into a silent grid of that many bars, from rows [bars * steps_per_bar, D]. Fails where a number is not
     * finite, and says where. */
    bool (*to_grid)(struct grid *grid, const float *rows, uint32_t bars, struct error *error);

    /* Transforms `num_steps` rows in place. The stream is used for note dropout alone and may be NULL where that is 0. NULL: the
     * representation has no transforms. */
    void (*transform)(float *rows, size_t stride, uint32_t num_steps, const struct transform *transform,
                      struct random_stream *stream);

    /* Augments `num_steps` rows of a target in place, before they are copied into the input. NULL: not there. */
    void (*augment)(float *rows, size_t stride, uint32_t num_steps, const struct transform *transform,
                    struct random_stream *stream);
};

/* A step is 27 numbers: 9 hits (0 or 1), 9 velocities (v / 127), 9 offsets (-1 to 1), each in the order of the drums. On the
 * way back a hit is what is above 0.5, its velocity at least 1 / 127. */
extern const struct converter groove_converter;

/* All converters. In a file of its own, so that a test can be linked with a table of its own. */
extern const struct converter *const converter_table[];
extern const size_t converter_count;

/* The converter of a representation; NULL where there is none. */
const struct converter *converter_find(const struct representation *representation);

/* Whether something is to be done to the input. */
bool transform_is_needed(const struct transform *transform);

#endif
