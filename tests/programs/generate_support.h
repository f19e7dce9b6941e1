/* What the tests of drumline-generate share: a place with an untrained model, inputs written, outputs read. Failures fail the
 * test. */
#ifndef DRUMLINE_TESTS_PROGRAMS_GENERATE_SUPPORT_H
#define DRUMLINE_TESTS_PROGRAMS_GENERATE_SUPPORT_H

#include "data/midi/midi.h"
#include "data/music/grid.h"
#include "programs/generate/generate.h"

#include <stddef.h>

/* Hparams of a model that costs no time. */
extern const char generate_small_model[];

struct place {
    char *folder, *checkpoint, *output, *midi[2];
};

/* A folder with a checkpoint of `config`; `output` and the two MIDI files are paths in it at which there is nothing. */
void make_place(struct place *place, const char *config);
void free_place(struct place *place);

void write_grid(const char *path, struct grid *grid);

/* Bars of 4/4 without a hit. */
void make_bars(struct grid *grid, uint32_t bars, float qpm);

/* A file of `bars` bars of 4/4 at 90 a minute in which `drum` is hit on the first beat of bars [from, to). */
void write_beats(const char *path, uint32_t bars, uint32_t from, uint32_t to, int drum);

/* A file of drums on a channel, from 0, some 4 hits a bar, off the grid and of many velocities, with two tempos. */
void write_drums(const char *path, uint32_t bars, int channel, struct midi_tempo tempos[2]);

/* A kick at tick 0 and a snare 8 bars of 4/4 later; the first signature lasts four of these bars. */
void write_time_signatures(const char *path, struct time_signature first, struct time_signature second);

/* Generates with the place's checkpoint, where no other is given, into its output folder or the given one. */
void play(const struct place *place, struct generate_options options);
bool try_to_play(const struct place *place, struct generate_options options, bool *wrong_usage, struct error *error);

/* The grid of file `number` in a folder that holds one set of files; the caller's. */
struct grid read_output(const char *folder, size_t number);

/* Whether two such files hold the same hits, velocities and offsets, and any at all. */
bool same_grid(const char *folder, size_t number, const char *other_folder, size_t other_number);

/* Both folders hold `count` files of the same bytes, whatever their names. */
void assert_same_files(const char *folder, const char *other_folder, size_t count);

#endif
