/* Which checkpoints of a run are deleted. */
#ifndef DRUMLINE_RUN_RETENTION_H
#define DRUMLINE_RUN_RETENTION_H

#include "base/error.h"

#include <stddef.h>

/* remove[0..count) says of each checkpoint, newest first, whether it goes. times[i] in seconds. The newest `to_keep` stay;
 * of the others, where `hours` is above 0, the oldest and then one for every `hours` hours. */
void retention_choose(bool *remove, const double *times, size_t count, size_t to_keep, double hours);

/* Deletes those checkpoints of `folder`. False where one can't be deleted, or the folder can't be read; the others are deleted
 * all the same. */
bool retention_apply(const char *folder, size_t to_keep, double hours, struct error *error);

#endif
