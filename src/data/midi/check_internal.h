/* What check.c, which reads chunks, and check_events.c, which reads the events of a track, share. */
#ifndef DRUMLINE_DATA_MIDI_CHECK_INTERNAL_H
#define DRUMLINE_DATA_MIDI_CHECK_INTERNAL_H

#include "data/midi/check.h"

enum { META_END_OF_TRACK = 0x2f };

/* The clean copy in the making, and what is noted on the way. */
struct midi_checker {
    bool strict;
    bool whole; /* every event is kept */
    uint32_t format;
    struct midi_repairs *repairs;
    bool fatal; /* the error is none that skipping something can mend */
    uint8_t *bytes;
    size_t size, capacity;
    uint32_t num_events;
    uint64_t end_tick;
    struct midi_track *tracks; /* [capacity_tracks] */
    size_t num_tracks, capacity_tracks;
    struct midi_channels channels;
};

/* One track's bytes as they are read, and what has been kept of them. */
struct midi_track_reader {
    const uint8_t *bytes; /* the whole file, so that messages can name a byte's place in it */
    size_t position, end;
    uint32_t number; /* of the track, from 1 */
    uint64_t tick;
    uint64_t kept_tick; /* of the last event that was kept */
    int running_status; /* 0: none yet */
    bool ended;
    bool hit_end; /* an event reached past `end` */
    struct midi_track track;
};

/* An unsigned number of `count` bytes, the highest first. */
uint32_t midi_big_endian(const uint8_t *bytes, int count);

/* Notes a repair in words; only the first few of a file are kept. */
void midi_note_repair(struct midi_checker *checker, enum midi_repair repair, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Marks the error as one that no skipping can mend, and returns false. */
bool midi_check_fail(struct midi_checker *checker);

/* Makes room for `count` more bytes of the copy. */
bool midi_copy_make_room(struct midi_checker *checker, size_t count, struct error *error);
void midi_copy_put(struct midi_checker *checker, const uint8_t *bytes, size_t count);

/* Writes `event` to the copy, at the reader's tick. */
bool midi_copy_event(struct midi_checker *checker, struct midi_track_reader *reader, const uint8_t *event, size_t count,
                     struct error *error);

/* Reads the event at the reader's position, and keeps what is read of it. Where it is broken: strictly, false; else it is
 * skipped or clipped, with a note, and false only where what follows it can't be found. */
bool midi_check_event(struct midi_checker *checker, struct midi_track_reader *reader, struct error *error);

#endif
