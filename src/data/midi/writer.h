/* Writes Standard MIDI files. */
#ifndef DRUMLINE_DATA_MIDI_WRITER_H
#define DRUMLINE_DATA_MIDI_WRITER_H

#include "base/io/atomic_file.h"
#include "data/midi/midi.h"

/* Writes `midi` as a format 0 file: track name, time signatures, tempos, and a note from each onset, which ends a
 * sixteenth after it, where the next of its channel and pitch begins, or at end_tick, whichever comes first. The track ends
 * at end_tick, or with the last note where one begins there or later: with none, the file is a loop of exactly that length. The same `midi` gives the same bytes. Onsets, tempos and time signatures must be sorted by
 * tick.
 *
 * The file appears whole or not at all; one that is there is replaced if `replace` is set, else it is an error. */
bool midi_save(const struct midi *midi, const char *track_name, const char *path, bool replace, struct error *error);

/* The same bytes, and `text` as a text event where it is not NULL, under a temporary name: what is left to do to `file` is to flush it and to give it its name
 * (base/io/atomic_file.h), which many files can do together. On failure there is nothing to abandon. */
bool midi_stage(struct atomic_file *file, const struct midi *midi, const char *track_name, const char *text,
                const char *path, struct error *error);

#endif
