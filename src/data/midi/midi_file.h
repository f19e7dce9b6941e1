/* Standard MIDI files of drumming: read through libsmf, written by midi_write.c.
 *
 * Times are ticks from the beginning of the file, `ppq` of them a quarter note; they are never turned into seconds, so
 * that what follows can be exact. */
#ifndef DRUMLINE_DATA_MIDI_MIDI_FILE_H
#define DRUMLINE_DATA_MIDI_MIDI_FILE_H

#include "base/io/atomic_file.h"
#include "data/midi/check.h"

#include <stddef.h>
#include <stdint.h>

enum {
    MIDI_DRUM_CHANNEL = 9,              /* channel 10, as musicians count */
    MIDI_WRITTEN_PPQ = 480,             /* of the files we write */
    MIDI_DEFAULT_TEMPO = 500000,        /* microseconds per quarter note where a file has no tempo: 120 a minute */
    MIDI_LONGEST_TEMPO = (1 << 24) - 1, /* what a tempo event can hold */
};

struct midi_onset {
    uint32_t tick;
    uint8_t channel;  /* 0 to 15 */
    uint8_t pitch;    /* 0 to 127 */
    uint8_t velocity; /* 1 to 127 */
};

struct midi_tempo {
    uint32_t tick;
    uint32_t microseconds_per_quarter; /* 1 to MIDI_LONGEST_TEMPO */
};

struct midi_time_signature {
    uint32_t tick;
    uint8_t numerator;   /* 1 to 255 */
    uint8_t denominator; /* 1, 2, 4 ... 128 */
};

struct midi {
    uint32_t ppq;              /* 1 to 32767 */
    uint32_t end_tick;         /* where the last track ends */
    struct midi_onset *onsets; /* [num_onsets], owned; by tick, of equal ones as they stand in the file */
    struct midi_tempo *tempos; /* [num_tempos], owned; by tick */
    struct midi_time_signature *time_signatures; /* [num_time_signatures], owned; by tick */
    size_t num_onsets, num_tempos, num_time_signatures;
    size_t num_melodic; /* onsets that were left out as melodic */
};

/* Reads the drums of a file. Where any note is on channel 10, the file follows General MIDI: what is on other channels
 * is melodic and left out (counted in num_melodic). Where none is, the file is taken to be drums alone, as drum
 * machines and pads export them, and every channel counts. Notes of velocity 0 are note-offs.
 *
 * On failure the message names the file and the reason, *fault (which may be NULL) says of which kind it is, and *midi
 * is empty. Nothing is printed, whatever the file holds. */
bool midi_load(struct midi *midi, const char *path, enum midi_fault *fault, struct error *error);

/* The same for the bytes of a file; messages don't name it. */
bool midi_parse(struct midi *midi, const uint8_t *bytes, size_t size, enum midi_fault *fault, struct error *error);

/* Writes `midi` as a format 0 file: track name, time signatures, tempos, and a note from each onset, which ends a
 * sixteenth after it or where the next of its channel and pitch begins. The track ends at end_tick, or with the last
 * note where that is later. The same `midi` gives the same bytes. Onsets, tempos and time signatures must be sorted by
 * tick.
 *
 * The file appears whole or not at all; one that is there is replaced if `replace` is set, else it is an error. */
bool midi_save(const struct midi *midi, const char *track_name, const char *path, bool replace, struct error *error);

/* The same bytes under a temporary name: what is left to do to `file` is to flush it and to give it its name
 * (base/io/atomic_file.h), which many files can do together. On failure there is nothing to abandon. */
bool midi_stage(struct atomic_file *file, const struct midi *midi, const char *track_name, const char *path,
                struct error *error);

void midi_free(struct midi *midi);

/* Quarter notes per minute of a tempo event, and back (rounded, and kept within what an event can hold). */
double midi_qpm(uint32_t microseconds_per_quarter);
uint32_t midi_tempo_of_qpm(double qpm);

#endif
