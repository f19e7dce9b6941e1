/* Times a piece of work on one rank alone and on all of them, by turns: a machine whose pace changes from minute to minute
 * meets both alike. What each piece is, and so what the ratio means, the caller knows. */
#ifndef DRUMLINE_PROGRAMS_BENCH_TURNS_H
#define DRUMLINE_PROGRAMS_BENCH_TURNS_H

#include "dist/comm.h"

/* Works once on the ranks of `comm`, which are all of the job's or one, and sets *seconds. `number` counts turns, also those
 * of one rank that are left out, and is the same on all ranks. Collective over `comm`; the error is the same on all of its
 * ranks. */
typedef bool bench_turn(void *context, struct comm *comm, int number, double *seconds, struct error *error);

struct bench_turns {
    double alone, together; /* seconds of one rank and of the slowest of all: medians */
    /* alone / together: the median over turns of all ranks, each held against the mean of one rank's before and after. */
    double ratio;
};

/* `rounds` turns of all ranks and, with beside_one, a turn of one rank before and after each, while the others sleep; it is
 * another rank each time. One turn of each kind comes first and does not count. Without beside_one, one rank's figures
 * are 0. Collective; the error is the same on every rank. */
bool bench_turns_take(struct bench_turns *turns, bench_turn *turn, void *context, int rounds, bool beside_one,
                      struct comm *comm, struct error *error);

#endif
