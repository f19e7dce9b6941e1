/* What drumline-info says about a path: a JSON object, and the same as text.
 *
 * Everything is read and validated first. A checkpoint whose tensors are damaged, or a run with such checkpoints, is
 * described as far as possible: the object then has "damage", a list of messages. */
#ifndef DRUMLINE_PROGRAMS_INFO_INFO_H
#define DRUMLINE_PROGRAMS_INFO_INFO_H

#include "base/error.h"
#include "programs/common/renderings.h"

#include <jansson.h>

#include <stdio.h>

/* What kind of thing a path is: "dataset", "shard", "checkpoint", "run", "midi" or "sweep"; NULL with the error set where it is
 * none of these. Of what is in it, no more is read than that takes. *described becomes the path that stands for the whole, the
 * caller's: a data set's folder, also where its index was given. */
const char *info_kind(const char *path, char **described, struct error *error);

/* Describes a data set (its folder or its index.h5), a shard, a checkpoint, a run's folder, a folder of runs or a MIDI file: an
 * object with "path" and "kind", which the caller releases with json_decref. NULL with the error set where the path is none of
 * these or can't be read. */
json_t *info_describe(const char *path, struct error *error);

/* Prints what info_describe returned, at most 80 columns wide where names and paths allow. */
void info_print(FILE *out, const json_t *description);

/* Files that are to be made of a MIDI file. */
struct info_renderings {
    char *paths[NUM_RENDERINGS]; /* not owned; NULL: not wanted */
    const char *drum_map;        /* which pitch is which drum: a built-in map's name or a file */
    const char *soundfont;       /* NULL: as audio_renderer_make finds one */
    const char *device;          /* that it is played on; NULL: none */
    bool dark;
};

/* Draws a MIDI file, and plays its drums into files and then on the device; a signal that stops the latter ends the program
 * (programs/common/playback.h). Fails where it is no MIDI file, or one can't be made; those made before stay. */
bool info_render_midi(const char *path, const struct info_renderings *wanted, struct error *error);

#endif
