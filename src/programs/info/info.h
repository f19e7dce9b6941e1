/* What drumline-info says about a path: a JSON object, and the same as text.
 *
 * Everything is read and validated first. A checkpoint whose tensors are damaged, or a run with such checkpoints, is
 * described as far as possible: the object then has "damage", a list of messages. */
#ifndef DRUMLINE_PROGRAMS_INFO_INFO_H
#define DRUMLINE_PROGRAMS_INFO_INFO_H

#include "base/error.h"

#include <jansson.h>

#include <stdio.h>

/* Describes a data set (its folder or its index.h5), a shard, a checkpoint or a run's folder: an object with "path" and "kind"
 * ("dataset", "shard", "checkpoint", "run"), which the caller releases with json_decref. NULL with the error set where
 * the path is none of these or can't be read. */
json_t *info_describe(const char *path, struct error *error);

/* Prints what info_describe returned, at most 80 columns wide where names and paths allow. */
void info_print(FILE *out, const json_t *description);

#endif
