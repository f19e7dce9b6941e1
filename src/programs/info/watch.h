/* drumline-info --watch: follows a run until it ends.
 *
 * On a terminal, a full-screen page on the alternate screen, redrawn in place; the last page stays when it ends. Elsewhere
 * (a pipe, a file, TERM=dumb) one line per refresh. Checkpoints are counted, not verified. */
#ifndef DRUMLINE_PROGRAMS_INFO_WATCH_H
#define DRUMLINE_PROGRAMS_INFO_WATCH_H

#include "base/error.h"

/* What *status becomes where the run was halted and can be resumed. */
enum { EXIT_RUN_HALTED = 3 };

/* Refreshes every `seconds` until the run has ended; waits for one that has not begun yet. *status becomes the run's outcome:
 * EXIT_SUCCESS where it is done, EXIT_FAILURE where it failed or was killed, EXIT_RUN_HALTED. Fails where there is no such
 * run, or standard output can't be written. A terminating signal ends the program and restores the terminal. */
bool info_watch(const char *run_dir, double seconds, int *status, struct error *error);

#endif
