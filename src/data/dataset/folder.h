/* How a data set comes into its folder: whole, or not at all.
 *
 * Shards and index are first written into a hidden folder inside ("staged"), then moved. The old index goes before any
 * shard is moved and the new one comes last, so at no moment does an index stand beside shards that are not its own.
 * Until the new data set is complete on disk, the old one is not touched; a job that is killed during the moves has
 * left the new one complete but half-way, and `dataset_folder_recover` finishes the moves. An index in a staging folder says
 * that all which is staged is on the disk, so it gets its name (base/io/atomic_file.h) once that is so. */
#ifndef DRUMLINE_DATA_DATASET_FOLDER_H
#define DRUMLINE_DATA_DATASET_FOLDER_H

#include "base/error.h"
#include "base/io/folder_lock.h"

#include <stdint.h>

/* Whether the folder holds an index. Fails where the system can't say. */
bool dataset_folder_holds_one(bool *holds, const char *folder, struct error *error);

/* Takes the folder for this job alone, and removes what killed jobs left of their locks. Of two jobs that would write into one
 * folder the second is refused, with the name of the first. To be taken by one process of a job before the functions below,
 * and released after them. */
bool dataset_folder_lock(struct folder_lock *lock, const char *folder, struct error *error);

/* Finishes the moves of a killed job, and removes what killed jobs staged in vain. To be called by the holder of the lock,
 * before it looks whether there is a data set. */
bool dataset_folder_recover(const char *folder, struct error *error);

/* Makes the folder to stage in, whose name no other job can have; *staging is its path, owned by the caller. */
bool dataset_folder_stage(char **staging, const char *folder, struct error *error);

/* Fails where one of `num_shards` staged shards is not there: the rank that wrote it runs on a host that does not share the
 * folder. */
bool dataset_folder_check(const char *staging, uint32_t num_shards, struct error *error);

/* Moves what is staged, an index and `num_shards` shards, into the folder, removes the shards of the data set that was there,
 * and the staging folder. Where it fails, what is staged stays, complete, for dataset_folder_recover. */
bool dataset_folder_commit(const char *folder, const char *staging, uint32_t num_shards, struct error *error);

/* Removes the staging folder with all in it. */
void dataset_folder_discard(const char *staging);

#endif
