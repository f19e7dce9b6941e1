/* Reads Standard MIDI files of drumming, through libsmf, which is given a clean copy made by check.h. */
#ifndef DRUMLINE_DATA_MIDI_READER_H
#define DRUMLINE_DATA_MIDI_READER_H

#include "data/midi/check.h"
#include "data/midi/midi.h"

/* Reads the drums of a file. Where any note is on channel 10, the file follows General MIDI: what is on other channels
 * is melodic and left out (counted in num_melodic). Where none is, the file is taken to be drums alone, as drum
 * machines and pads export them, and every channel counts. Notes of velocity 0 are note-offs.
 *
 * On failure the message names the file and the reason, *fault (which may be NULL) says of which kind it is, and *midi
 * is empty. Nothing is printed, whatever the file holds. */
bool midi_load(struct midi *midi, const char *path, enum midi_fault *fault, struct error *error);

/* The same for the bytes of a file; messages don't name it. */
bool midi_parse(struct midi *midi, const uint8_t *bytes, size_t size, enum midi_fault *fault, struct error *error);

#endif
