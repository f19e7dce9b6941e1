/* A sweep: a folder of runs, which differ in hparams. */
#ifndef DRUMLINE_RUN_SWEEP_FOLDER_H
#define DRUMLINE_RUN_SWEEP_FOLDER_H

#include "base/error.h"

#include <stddef.h>

/* Whether the folder is a run's: it holds train, eval or requeues.tsv. */
bool sweep_folder_is_run(const char *folder);

/* The names of the runs right below a folder, sorted, hidden folders skipped, ten thousand at most: [*count], freed by
 * sweep_folder_free. NULL and the error set on failure. */
char **sweep_folder_list(const char *folder, size_t *count, struct error *error);
void sweep_folder_free(char **names, size_t count);

/* The folder that a run's lies in, by its path alone; owned by the caller. */
char *sweep_folder_of(const char *run_dir);

#endif
