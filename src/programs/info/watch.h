/* drumline-info --watch: follows a run until it ends.
 *
 * On a terminal, a full-screen page on the alternate screen, redrawn in place, with the curves of loss and val_loss where there
 * is room; the last page stays when it ends. Elsewhere (a pipe, a file, TERM=dumb) one line per refresh. Checkpoints are
 * counted, not verified. */
#ifndef DRUMLINE_PROGRAMS_INFO_WATCH_H
#define DRUMLINE_PROGRAMS_INFO_WATCH_H

#include "base/error.h"

/* What *status becomes where the run was halted and can be resumed. */
enum { EXIT_RUN_HALTED = 3 };

/* Someone else who looks at every refresh, and once more at the end: false and the error set ends the watch. */
struct info_watcher {
    bool (*refresh)(void *context, struct error *error);
    void *context;
};

/* Refreshes every `seconds` until the run has ended; waits for one that has not begun yet. *status becomes the run's outcome:
 * EXIT_SUCCESS where it is done or was pruned, EXIT_FAILURE where it failed or was killed, EXIT_RUN_HALTED. Fails where there is no such
 * run, or can't write to standard output. A terminating signal ends the program and restores the terminal.
 * `watcher` may be NULL. */
bool info_watch(const char *run_dir, double seconds, const struct info_watcher *watcher, int *status,
                struct error *error);

#endif
