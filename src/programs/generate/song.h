/* A whole MIDI file that a model is applied to: its drums as grids, and its events, in which what the model gives is put.
 *
 * Every stretch of the file in bars of 16 sixteenths is worked on, at its own tempo; others stay as they are. */
#ifndef DRUMLINE_PROGRAMS_GENERATE_SONG_H
#define DRUMLINE_PROGRAMS_GENERATE_SONG_H

#include "data/midi/drum_notes.h"
#include "data/midi/events.h"
#include "data/music/grid.h"
#include "programs/generate/input.h"

struct song {
    const char *path; /* not owned */
    uint8_t *bytes;   /* of the file, owned */
    size_t size;
    struct midi midi; /* its drums */
    struct drum_map map;
    struct drum_finding finding;
    struct grid_list list;     /* of its drums */
    struct midi_events events; /* all there is; notes may be changed */
    uint32_t *notes;           /* [midi.num_onsets], owned: which of the events' notes each onset is */
    bool has_added_track;      /* since the last reset */
    uint32_t added_track;      /* which of the events' tracks that is */
};

/* Which notes are to be written. */
struct song_voice {
    const struct drum_map *map; /* where the song has no note of a drum; has a pitch for each */
    bool of_song;               /* pitches that the song's own notes of a drum have come first */
    int channel;                /* from 0; -1: that of the song's drums, else channel 10 */
};

/* Reads a file. Says what was repaired and skipped. Fails where it can't be read, where nothing says which of its notes are
 * drums (but for `rules->taps`), where it has none, and where none lie in bars of 16 sixteenths. */
bool song_read(struct song *song, const char *path, const struct generate_input_rules *rules, struct error *error);
void song_free(struct song *song);

/* Takes back all changes. */
bool song_reset(struct song *song, struct error *error);

/* Whether a stretch is worked on. */
bool song_uses(const struct grid_part *part);

/* Gives each hit of part `p` the velocity and the timing of the same cell in `model`, a grid of the same steps: by `amount`, from
 * 0, which changes nothing, to 1. Where several notes of a drum lie in one step, the loudest, of equal ones the first, is the
 * hit; the others keep their distance to it in time and their part of its velocity. Returns how many hits there are. */
uint64_t song_set_feel(struct song *song, size_t p, const struct grid *model, double amount, struct error *error);

/* Adds the model's hits of the drums in the mask in every bar in which the part has a hit of any drum, up to the song's end. Adds
 * their number to *count. */
bool song_add(struct song *song, size_t p, const struct grid *model, uint32_t drums, const struct song_voice *voice,
              uint64_t *count, struct error *error);

/* Takes all hits of the part out. Where nothing says that they are drums they stay. */
void song_remove(struct song *song, size_t p);

/* The whole file with its changes, and with `text` as a text event in place of those that begin with `prefix`; the caller's. */
bool song_write(uint8_t **bytes, size_t *size, struct song *song, const char *prefix, const char *text,
                struct error *error);

#endif
