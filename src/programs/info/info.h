/* What drumline-info tells of a path: a JSON object, and the same in words.
 *
 * Everything is read and checked first, so that what is told is known to be sound. A checkpoint whose tensors are damaged,
 * or a run with such checkpoints, is described as far as it goes: the object then has "damage", a list of messages. */
#ifndef DRUMLINE_PROGRAMS_INFO_INFO_H
#define DRUMLINE_PROGRAMS_INFO_INFO_H

#include "base/error.h"

#include <jansson.h>

#include <stdio.h>

/* Describes a data set (its folder or its index.h5), a shard, a checkpoint or a run's folder: an object with "path" and "kind"
 * ("dataset", "shard", "checkpoint", "run"), which the caller gives back with json_decref. NULL and the error set where the
 * path is none of these or can't be read. */
json_t *info_describe(const char *path, struct error *error);

/* Prints what info_describe made, in words, at most 80 columns wide where names and paths allow. */
void info_print(FILE *out, const json_t *description);

#endif
