/* drumline-info --watch: a run until it ends.
 *
 * On a terminal, a page of the terminal's size that is drawn anew, without the terminal's own lines being touched: they are back
 * at the end, with the last page behind them. Elsewhere (a pipe, a file, TERM=dumb) a line for each look. Checkpoints are
 * counted, but not verified. */
#ifndef DRUMLINE_PROGRAMS_INFO_WATCH_H
#define DRUMLINE_PROGRAMS_INFO_WATCH_H

#include "base/error.h"

/* What *status becomes where the run was halted and can go on. */
enum { EXIT_RUN_HALTED = 3 };

/* Looks every so many seconds until the run has ended; one that has not begun yet is waited for. *status becomes the run's
 * outcome: EXIT_SUCCESS where it is done, EXIT_FAILURE where it failed or was killed, EXIT_RUN_HALTED. Fails where there is no
 * such run, or standard output can't be written. A signal that asks the program to end ends it, the terminal being as before. */
bool info_watch(const char *run_dir, double seconds, int *status, struct error *error);

#endif
