/* A performance on the grid of sixteenth notes, and the way there and back from MIDI.
 *
 * A grid keeps for each step and drum whether it is hit, how loud, and how far off the step. Onsets are placed in whole
 * ticks, without rounding: with `ppq` ticks to a quarter note, an onset at tick t after the performance's beginning
 * lies at 4 t / ppq steps; its step is the nearest one (an onset exactly between two goes to the later), and its offset
 * = 2 (step - 4 t / ppq), in [-1, 1], positive where it is early. (Gillick et al., "Learning to Groove with Inverse
 * Sequence Transformations", ICML 2019, section 3; the sign is Magenta's GrooveConverter's.) */
#ifndef DRUMLINE_DATA_MUSIC_GRID_H
#define DRUMLINE_DATA_MUSIC_GRID_H

#include "base/error.h"
#include "data/midi/drum_map.h"
#include "data/midi/midi.h"

#include <stddef.h>
#include <stdint.h>

enum {
    STEPS_PER_QUARTER = 4,
    GRID_BAR_STEPS = 16,      /* a bar of 4/4: what the models see */
    GRID_MAX_STEPS = 1 << 20, /* of one file: 36 hours at 120 a minute */
};

struct time_signature {
    uint8_t numerator;
    uint8_t denominator;
};

struct grid {
    uint32_t num_steps; /* whole bars */
    float qpm;          /* tempo at the beginning, quarter notes a minute */
    struct time_signature time_signature;
    uint8_t *hits;     /* [num_steps, 9], owned: 0 or 1 */
    uint8_t *velocity; /* [num_steps, 9], owned: 1 to 127 where hit, else 0 */
    float *offset;     /* [num_steps, 9], owned: -1 to 1 where hit, else 0 */
};

/* Sixteenths in a bar, 16 * numerator / denominator; 0 where that is no whole number (say, 5/32) or the denominator is
 * no power of two. */
uint32_t time_signature_bar_steps(struct time_signature time_signature);

/* Reads "4-4" or "4/4"; the denominator a power of two up to 128. */
bool time_signature_parse(struct time_signature *time_signature, const char *text, struct error *error);

bool time_signature_equal(struct time_signature a, struct time_signature b);

/* The same, or both with bars of 16 sixteenths: 4/4, 2/2, 8/8 and 16/16 are one thing to the models. */
bool time_signature_same_bar(struct time_signature a, struct time_signature b);

/* Zeroed. Fails only where there is no memory. */
bool grid_make(struct grid *grid, uint32_t num_steps, struct error *error);
void grid_free(struct grid *grid);

uint64_t grid_count_hits(const struct grid *grid);

enum grid_fault {
    GRID_VALID,
    GRID_NO_DRUMS,   /* no onset of any class */
    GRID_BROKEN_BAR, /* a bar is no whole number of steps */
    GRID_TOO_LONG,   /* more than GRID_MAX_STEPS */
};

/* A stretch of a file in one time signature. */
struct grid_part {
    enum grid_fault fault;
    struct time_signature time_signature;
    uint32_t first_tick;
    struct grid grid; /* empty unless valid */
};

struct grid_list {
    struct grid_part *parts; /* [count], owned; in order of time */
    size_t count;
    uint64_t num_unknown; /* onsets of a pitch that is no class */
};

/* The performances of a file: one, or one for each stretch in a time signature of its own, in which bars count from the
 * change. A stretch begins half a step before its first tick, so that a downbeat played early stays a downbeat.
 * Stretches without any onset are skipped, unless the file has none at all: then there is one part, GRID_NO_DRUMS.
 *
 * Where the file has no time signature event, `fallback` holds throughout; before its first event, 4/4 does (RP-001).
 * At most one hit a class and step is kept: the loudest, of equally loud ones the earliest. A grid is padded to whole
 * bars after its last onset. Its tempo is the one in force at its beginning, else the first of the file, else 120.
 *
 * Fails only where there is no memory; other faults are reported part by part. */
bool grid_list_make(struct grid_list *list, const struct midi *midi, const struct drum_map *map,
                    struct time_signature fallback, struct error *error);
void grid_list_free(struct grid_list *list);

/* The part that an onset at `tick` belongs to, and the step of it that it is nearest to; NULL where it comes before all parts. */
const struct grid_part *grid_list_find(uint32_t *step, const struct grid_list *list, uint32_t tick, uint32_t ppq);

/* The tick of the file, with `ppq` ticks to a quarter, at which a step of a part begins; and the tempo there in quarter notes a
 * minute: the one in force, else the first of the file, else 120. */
uint32_t grid_tick_of_step(const struct grid_part *part, uint32_t step, uint32_t ppq);
float grid_starting_qpm(const struct midi *midi, uint32_t tick);

/* The way back, at MIDI_WRITTEN_PPQ: time signature and tempo at tick 0, each hit on channel 10 at the pitch that `map`
 * writes for its class (it must have one for each: drum_map_check_written). An onset stays nearest to its own step, so the grid of the result has the same hits; one that
 * would lie before the beginning is put there. The file ends with the last bar. Free with midi_free. */
bool grid_to_midi(struct midi *midi, const struct grid *grid, const struct drum_map *map, struct error *error);

/* Moves each hit to the tick at which it is written, as read back from the file, but for those before the beginning. */
void grid_round_offsets(struct grid *grid);

#endif
