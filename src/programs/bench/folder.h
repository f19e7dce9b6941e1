/* A folder for what a benchmark writes, removed when it is over. One that is killed leaves it; the next one that makes a folder in
 * the same place, on the same host and for the same user, removes it. */
#ifndef DRUMLINE_PROGRAMS_BENCH_FOLDER_H
#define DRUMLINE_PROGRAMS_BENCH_FOLDER_H

#include "base/error.h"

struct bench_folder;

/* A new empty folder in `parent` (NULL: in TMPDIR, else in /tmp). NULL and the error set where it can't be made. */
struct bench_folder *bench_folder_make(const char *parent, struct error *error);

/* Owned by the folder. */
const char *bench_folder_path(const struct bench_folder *folder);

/* Removes the folder with all that is in it, and frees; NULL is allowed. Warns where something stays. */
void bench_folder_remove(struct bench_folder *folder);

#endif
