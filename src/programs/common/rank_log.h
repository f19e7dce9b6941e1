/* --log_dir: a log of its own for each rank, DIR/rank-0003-HOST.log, with everything that the rank says at level debug.
 *
 * A job that is restarted appends to the same files. Each start has a head: the program and its version, rank, host and
 * process, the Slurm job, the processors that the rank may use and the command line. The last line of a rank that ended
 * normally gives its exit status; without it the rank was killed. */
#ifndef DRUMLINE_PROGRAMS_COMMON_RANK_LOG_H
#define DRUMLINE_PROGRAMS_COMMON_RANK_LOG_H

#include "base/cli/options.h"
#include "dist/comm.h"

/* The row of the setting `log_dir` in the table of a program with the options struct `owner`. */
#define RANK_LOG_ROW(owner)                                                                                            \
    SETTING_ROW(                                                                                                       \
        owner, log_dir, SETTING_STRING, NULL, 0, 0, NULL, "DIR",                                                       \
        "Write a log for each rank, at level debug and with times, to DIR/rank-0003-HOST.log; made if missing.")

/* Opens this rank's log in `folder`, which is made if missing, and writes the head. Nothing where `folder` is NULL. Fails on
 * all ranks where one can't write. Collective. */
bool rank_log_start(struct comm *comm, const char *folder, const struct program *program, int argc, char **argv,
                    struct error *error);

/* Writes the last line. */
void rank_log_end(int status);

#endif
