/* A MIDI file as the rest of the program sees it: onsets, tempos and time signatures.
 *
 * Times are ticks from the beginning of the file, `ppq` of them a quarter note; they are never converted to seconds, so
 * that everything after can be exact. reader.h makes one from a file, writer.h a file from one. */
#ifndef DRUMLINE_DATA_MIDI_MIDI_H
#define DRUMLINE_DATA_MIDI_MIDI_H

#include <stddef.h>
#include <stdint.h>

enum {
    MIDI_DRUM_CHANNEL = 9,              /* channel 10, as musicians count */
    MIDI_WRITTEN_PPQ = 480,             /* of the files we write */
    MIDI_DEFAULT_TEMPO = 500000,        /* microseconds per quarter note where a file has no tempo: 120 a minute */
    MIDI_LONGEST_TEMPO = (1 << 24) - 1, /* what a tempo event can hold */
};

enum { NUM_CHANNELS = 16, MIDI_TRACK_NAME_SIZE = 64, NO_PROGRAM = 0xff };

struct midi_onset {
    uint32_t tick;
    uint8_t channel;  /* 0 to 15 */
    uint8_t pitch;    /* 0 to 127 */
    uint8_t velocity; /* 1 to 127 */
};

struct midi_track {
    char name[MIDI_TRACK_NAME_SIZE]; /* printable ASCII, other bytes as '?'; "" where it has none */
};

/* What a file says of its channels. */
struct midi_channels {
    uint8_t programs[NUM_CHANNELS]; /* the first program change of each, 0 to 127, or NO_PROGRAM */
    uint16_t rhythm;                /* bit c: GS or XG system exclusive, or a bank, makes channel c a rhythm part */
    uint16_t melodic;               /* bit c: the same makes it a melodic one */
};

/* How a file that breaks the specification was read all the same. */
enum midi_repair {
    MIDI_EVENT_SKIPPED,
    MIDI_EVENT_CLIPPED,
    MIDI_TRACK_CUT,
    MIDI_CHUNK_LENGTH,
    MIDI_TRACK_COUNT,
    MIDI_WRAPPER,
    MIDI_TRAILING_BYTES,
    MIDI_HEADER,
    NUM_MIDI_REPAIRS
};

/* "event skipped": what a table of counts says. */
const char *midi_repair_words(enum midi_repair repair);

enum { MIDI_REPAIRS_DESCRIBED = 8, MIDI_REPAIR_TEXT_SIZE = 192 };

struct midi_repairs {
    uint32_t counts[NUM_MIDI_REPAIRS];
    uint32_t num_described; /* the first ones, in words: track, byte and what was done */
    char texts[MIDI_REPAIRS_DESCRIBED][MIDI_REPAIR_TEXT_SIZE]; /* [num_described] */
};

uint32_t midi_repairs_total(const struct midi_repairs *repairs);

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
    uint8_t *onset_tracks; /* [num_onsets], owned: the track of each onset; NULL where there are none */
    size_t num_onsets, num_tempos, num_time_signatures;
    struct midi_track *tracks; /* [num_tracks], owned; those with any onset, tempo or time signature */
    size_t num_tracks;
    struct midi_channels channels;
    struct midi_repairs repairs;
};

/* Frees the arrays; *midi is empty afterwards. */
void midi_free(struct midi *midi);

/* Writes a delta time as a variable-length quantity (RP-001: seven bits a byte, all but the last with the highest bit set), at
 * most MIDI_DELTA_BYTES bytes; returns the place behind it. ticks <= MIDI_LONGEST_DELTA. */
enum { MIDI_DELTA_BYTES = 4, MIDI_LONGEST_DELTA = (1 << 28) - 1 };
uint8_t *midi_put_delta(uint8_t *to, uint32_t ticks);

/* Quarter notes per minute of a tempo event, and back (rounded, and kept within what an event can hold). */
double midi_qpm(uint32_t microseconds_per_quarter);
uint32_t midi_tempo_of_qpm(double qpm);

#endif
