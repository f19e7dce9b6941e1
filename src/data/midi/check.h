/* Stands between the bytes of a MIDI file and libsmf.
 *
 * libsmf 1.3 trusts its input: it asserts on or reads past what is damaged, loses a whole track at an event it can't parse,
 * and misreads some valid files too (a meta event of 128 bytes or more, an escaped event, running status after a meta
 * event). So every byte is checked here first, after the Standard MIDI Files 1.0 specification (MIDI Manufacturers
 * Association, RP-001), and what goes on to libsmf is a clean copy that holds only what we read from it, spelled out in
 * full: note-ons, tempos, time signatures and track ends.
 *
 * What is valid but unusual passes in silence: chunks of unknown type, bytes after a track's end, a track that stops
 * without an end-of-track event, running status that goes on after a meta event, a header longer than six bytes. What
 * breaks the specification is repaired where that can be done without guessing at notes, and each repair is reported;
 * strict checking refuses it. */
#ifndef DRUMLINE_DATA_MIDI_CHECK_H
#define DRUMLINE_DATA_MIDI_CHECK_H

#include "base/error.h"
#include "data/midi/midi.h"

#include <stddef.h>
#include <stdint.h>

enum midi_fault {
    MIDI_VALID,
    MIDI_UNREADABLE,  /* the file system would not give it, or it is far too large */
    MIDI_DAMAGED,     /* no MIDI file, or one of which nothing can be read */
    MIDI_UNSUPPORTED, /* format 2 with several tracks, SMPTE division: valid, but nothing we can read */
};

enum {
    MIDI_MAX_BYTES = 16 << 20,     /* a whole night of drumming is below a megabyte */
    MIDI_MAX_EVENTS = 1 << 20,     /* kept events in one file: libsmf takes some 150 bytes for each */
    MIDI_MAX_TICK = 0x7fffffff,    /* libsmf counts ticks in an int */
    MIDI_MAX_TRACKS_READ = 1 << 8, /* tracks with kept events: libsmf looks at all of them for each event */
};

struct midi_copy {
    uint8_t *bytes;  /* owned: free() it */
    uint32_t format; /* of the file: 0, 1 or 2; what the copy says may differ */
    size_t size;
    uint32_t end_tick;         /* where the last track ends */
    struct midi_track *tracks; /* [num_tracks], owned: one for each track of the copy, in order */
    size_t num_tracks;
    struct midi_channels channels;
};

/* Checks `bytes[0..size)` and makes the clean copy. `repairs` is filled, and must be zeroed before. On failure *fault says
 * of which kind, the message says where and why (without the file's name), and *copy is empty. */
bool midi_check(struct midi_copy *copy, struct midi_repairs *repairs, const uint8_t *bytes, size_t size, bool strict,
                enum midi_fault *fault, struct error *error);

/* The same, but the copy holds every event of the file, spelled out in full (no running status), and every track, also those with
 * nothing in them. What is repaired is. Never strict. */
bool midi_check_whole(struct midi_copy *copy, struct midi_repairs *repairs, const uint8_t *bytes, size_t size,
                      enum midi_fault *fault, struct error *error);
void midi_copy_free(struct midi_copy *copy);

#endif
