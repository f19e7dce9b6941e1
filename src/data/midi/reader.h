/* Reads Standard MIDI files of drumming, through libsmf, which is given a clean copy made by check.h. */
#ifndef DRUMLINE_DATA_MIDI_READER_H
#define DRUMLINE_DATA_MIDI_READER_H

#include "data/midi/check.h"
#include "data/midi/midi.h"

/* Reads all notes of a file; which of them are drums, drum_notes.h says. Notes of velocity 0 are note-offs. A file that
 * breaks the specification is read as far as it can be, with what was done in midi->repairs; with `strict` it is refused.
 *
 * On failure the message names the file and the reason, *fault (which may be NULL) says of which kind it is, and *midi
 * is empty. Nothing is printed, whatever the file holds. */
bool midi_load(struct midi *midi, const char *path, bool strict, enum midi_fault *fault, struct error *error);

/* The same for the bytes of a file; messages don't name it. */
bool midi_parse(struct midi *midi, const uint8_t *bytes, size_t size, bool strict, enum midi_fault *fault,
                struct error *error);

#endif
