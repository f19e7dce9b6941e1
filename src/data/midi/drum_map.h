/* The nine drums, and which MIDI pitch plays which of them.
 *
 * A class is a number from 0 to 8, in this order everywhere: kick, snare, closed hi-hat, open hi-hat, low tom, mid tom,
 * high tom, crash, ride. A drum map is a table from pitch to class. Some are built in; others are text files of lines
 *
 *     36 35, kick
 *     Acoustic Snare, snare     # General MIDI's name of a pitch, in place of its number
 *
 * in which the first pitch of a class is the one that is written for it. A pitch that is not listed plays nothing. */
#ifndef DRUMLINE_DATA_MIDI_DRUM_MAP_H
#define DRUMLINE_DATA_MIDI_DRUM_MAP_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum {
    NUM_DRUMS = 9,
    NUM_PITCHES = 128,
    DRUM_NONE = -1,
    DRUM_TAP = 3,            /* the class that `tapify` moves every hit to */
    DRUM_NOT_WRITTEN = 0xff, /* in `written`: the map has no pitch of that class */
    DRUM_MAP_NAME_SIZE = 128,
};

struct drum_map {
    char name[DRUM_MAP_NAME_SIZE]; /* of a built-in map, or of the file it was read from */
    int8_t classes[NUM_PITCHES];   /* a class, or DRUM_NONE */
    uint8_t written[NUM_DRUMS];    /* the pitch that stands for a class in what we write, or DRUM_NOT_WRITTEN */
};

/* A map that comes with the program. */
struct drum_map_entry {
    const char *name;   /* "general" */
    const char *title;  /* what plays so, in words */
    const char *source; /* where the pitches come from */
    const char *text;   /* the table, as in a file */
};

/* The built-in maps; `general` is the first. *count is their number. */
const struct drum_map_entry *drum_map_entries(size_t *count);

/* The built-in map of that name, which must be one. */
void drum_map_builtin(struct drum_map *map, const char *name);

/* The built-in map called `name`, else the map in the file of that path. On failure the message names the file and the
 * line, or says which maps there are. */
bool drum_map_find(struct drum_map *map, const char *name, struct error *error);

/* Reads a table from text. A pitch that is listed twice, a class that is none and a line of another form are errors. */
bool drum_map_parse(struct drum_map *map, const char *name, const char *text, struct error *error);

/* The table as drum_map_parse reads it, a line a class; owned by the caller. */
char *drum_map_text(const struct drum_map *map);

/* The class that `pitch` (0 to 127) plays, DRUM_NONE where it is none of them. */
int drum_class_of_pitch(const struct drum_map *map, uint8_t pitch);

/* Fails where the map has no pitch for one of the nine, so that it can't be written with. */
bool drum_map_check_written(const struct drum_map *map, struct error *error);

/* "kick", "closed hi-hat" ...; a string that lives as long as the program. */
const char *drum_name(int drum);

/* General MIDI's name of a percussion pitch (27 to 87, "Acoustic Snare"); NULL where it has none. */
const char *drum_pitch_name(uint8_t pitch);

/* That name; where there is none, the note's, with middle C (60) as C4: "C1" is pitch 24. */
enum { DRUM_PITCH_LABEL_SIZE = 32 };
void drum_pitch_label(char label[DRUM_PITCH_LABEL_SIZE], uint8_t pitch);

/* How often each pitch was played, and in how many files: what a map makes of a collection follows from it. */
struct pitch_census {
    uint64_t notes[NUM_PITCHES];
    uint64_t files[NUM_PITCHES];
};

/* Notes that a map keeps, and all there are. */
uint64_t pitch_census_kept(const struct pitch_census *census, const struct drum_map *map);
uint64_t pitch_census_total(const struct pitch_census *census);

/* A pitch that a map does not know. */
struct lost_pitch {
    uint64_t pitch, notes, files;
};

/* Those of the census, the most frequent first. Returns how many. */
size_t pitch_census_lost(struct lost_pitch lost[NUM_PITCHES], const struct pitch_census *census,
                         const struct drum_map *map);

/* Notes of a class under a map. */
uint64_t pitch_census_of_class(const struct pitch_census *census, const struct drum_map *map, int drum);

/* The built-in map that keeps most of the notes; of equals that which has both kick and snare, then the first. */
void pitch_census_best_map(struct drum_map *best, const struct pitch_census *census);

#endif
