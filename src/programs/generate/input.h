/* What the generator is given to start from: a MIDI file of drumming, and the window of it that the model is to see.
 *
 * Of a file that changes its time signature, the part with bars of 16 sixteenths is used (a count-in in another one does no
 * harm). Its length is what its notes and its tracks reach, in whole bars. A file that is shorter than the window is filled: a
 * loop of 1, 2 or 4 bars is repeated where that makes a whole window, else silence follows. Hits just before the bar that
 * would come next are early ones of that bar: they are put on the first bar's downbeat, as in a loop. Whatever is done is
 * logged in a line. */
#ifndef DRUMLINE_PROGRAMS_GENERATE_INPUT_H
#define DRUMLINE_PROGRAMS_GENERATE_INPUT_H

#include "base/error.h"
#include "data/midi/drum_notes.h"
#include "data/music/grid.h"

#include <stdint.h>

struct generate_input {
    const char *path;   /* not owned */
    int number;         /* 1 or 2: which of --input_midi_1 and --input_midi_2 */
    struct grid grid;   /* owned; as long as the file, silence at its end included */
    uint32_t num_bars;  /* of the file, or of its part that is used */
    uint32_t last_bar;  /* bars up to the last note */
    uint32_t first_bar; /* of the window that was chosen, from 0 */
};

/* Which notes are which drums. */
struct generate_input_rules {
    const char *drum_map; /* a name or file; "auto": `stored` where the file has a pitch that it alone knows, else
                                      general */
    const struct drum_map *stored; /* the model's own */
    bool taps;                     /* the model hears taps alone: a pitch that the map does not know is one too */
    struct drum_choice choice;     /* which notes are drums; where nothing says, all are, with a warning */
};

/* Reads a file for windows of `bars` bars. Says which notes it skips. On failure the message names it and the reason: not
 * readable, damaged, no drums, or no part with bars of 16 sixteenths. */
bool generate_input_read(struct generate_input *input, const char *path, int number, uint32_t bars,
                         const struct generate_input_rules *rules, struct error *error);
void generate_input_free(struct generate_input *input);

/* Leaves the drums of a file in *midi, all notes where nothing says which they are, and finds the map to read them with. Says what
 * is skipped. */
bool generate_input_drums(struct drum_map *map, struct drum_finding *finding, struct midi *midi, const char *path,
                          const struct generate_input_rules *rules, struct error *error);

/* The windows of `bars` bars that hold any note: every `bars` bars from the first, and one that ends with the last bar where
 * these do not reach it. *first_bars (from 0) is owned by the caller. At least one. */
bool generate_input_windows(uint32_t **first_bars, uint32_t *count, const struct generate_input *input, uint32_t bars,
                            struct error *error);

/* Chooses the window that begins at `bar`, from 1. Fails where the file does not reach so far or the window is silent. */
bool generate_input_choose(struct generate_input *input, int64_t bar, uint32_t bars, struct error *error);

/* The part of the grid from `first_bar` on; its arrays belong to the input. */
struct grid generate_input_part(const struct generate_input *input, uint32_t first_bar, uint32_t bars);

#endif
