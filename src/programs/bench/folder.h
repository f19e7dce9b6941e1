/* A folder for what a benchmark writes, removed when it is over. */
#ifndef DRUMLINE_PROGRAMS_BENCH_FOLDER_H
#define DRUMLINE_PROGRAMS_BENCH_FOLDER_H

#include "base/error.h"

/* A new empty folder in `parent` (NULL: in TMPDIR, else in /tmp): its path, owned by the caller. NULL and the error set
 * where it can't be made. */
char *bench_folder_make(const char *parent, struct error *error);

/* Removes the folder with all that is in it, and frees its path; NULL is allowed. Warns where something stays. */
void bench_folder_remove(char *path);

#endif
