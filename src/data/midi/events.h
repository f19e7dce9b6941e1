/* A MIDI file as its events, all of them, for changing notes in it and leaving everything else as it is: other tracks, tempos,
 * markers, controllers, system exclusive messages. reader.h is for those who only want to know what is played.
 *
 *     struct midi_events events;
 *     if (!midi_events_parse(&events, &repairs, bytes, size, error)) ...
 *     midi_events_move(&events, note, tick, velocity); ...
 *     ok = midi_events_write(&bytes, &size, &events, error);
 *     midi_events_free(&events);
 *
 * What is not changed is written in the same order at the same ticks. At one tick, note-offs that were moved come first, then
 * what was there, then note-ons that were moved or added. */
#ifndef DRUMLINE_DATA_MIDI_EVENTS_H
#define DRUMLINE_DATA_MIDI_EVENTS_H

#include "data/midi/check.h"

enum midi_event_rank { MIDI_RANK_OFF, MIDI_RANK_AS_READ, MIDI_RANK_ON };

struct midi_event {
    uint32_t tick;
    uint32_t place; /* among the track's, as read and then as added */
    enum midi_event_rank rank;
    bool removed;
    uint32_t size;
    const uint8_t *bytes; /* [size], from the status byte on; not owned. NULL: they are in `message` */
    uint8_t message[3];
};

struct midi_events_track {
    struct midi_event *events; /* [count], owned */
    size_t count, capacity;
    uint32_t end_tick;
};

enum { MIDI_NO_EVENT = UINT32_MAX };

struct midi_note {
    uint32_t tick;
    uint32_t track;
    uint32_t on, off; /* which of the track's events; `off` MIDI_NO_EVENT: it is never ended */
    uint8_t channel, pitch, velocity;
};

struct midi_events {
    struct midi_copy copy; /* that the events' bytes lie in */
    uint32_t ppq;
    uint8_t **texts; /* [num_texts], owned: the bytes of added meta events */
    size_t num_texts;
    struct midi_events_track *tracks; /* [num_tracks], owned */
    uint32_t num_tracks;
    struct midi_note *notes; /* [num_notes], owned: by tick, at one tick by track and then as in the file */
    size_t num_notes, capacity_notes;
};

/* Reads the bytes of a file as reader.h does: what breaks the specification is repaired, or skipped, and noted. On failure
 * *events is empty, and the message does not name the file. */
bool midi_events_parse(struct midi_events *events, struct midi_repairs *repairs, const uint8_t *bytes, size_t size,
                       struct error *error);
void midi_events_free(struct midi_events *events);

/* Moves note `number`, as long as it is but within its track, to `tick`, and sets its velocity (1 to 127). One that is where
 * it is wanted stays as it was, byte for byte. */
void midi_events_move(struct midi_events *events, size_t number, uint32_t tick, uint8_t velocity);

/* Takes a note out, with its end. */
void midi_events_remove(struct midi_events *events, size_t number);

/* Adds a note that ends after `ticks`, with the track, or where the next one of its channel and pitch
 * in this track begins. */
bool midi_events_add(struct midi_events *events, uint32_t track, uint8_t channel, uint8_t pitch, uint8_t velocity,
                     uint32_t tick, uint32_t ticks, struct error *error);

/* Adds a track with a name after the others, as long as the longest; *track is its number. */
bool midi_events_add_track(struct midi_events *events, uint32_t *track, const char *name, struct error *error);

/* Adds a text event to the beginning of the first track. Those that are there and begin with `prefix` are taken out. */
bool midi_events_set_text(struct midi_events *events, const char *prefix, const char *text, struct error *error);

/* The first text event that begins with `prefix`, as a string that the caller owns; NULL where there is none. */
char *midi_events_find_text(const struct midi_events *events, const char *prefix);

/* The whole file; owned by the caller. Notes of one track, channel and pitch that were apart are still: one that would last
 * into the next is ended there. */
bool midi_events_write(uint8_t **bytes, size_t *size, struct midi_events *events, struct error *error);

#endif
