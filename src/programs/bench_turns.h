/* Times the same work made by one rank alone and by all together, by turns: a machine whose pace changes from minute to
 * minute meets both alike. */
#ifndef DRUMLINE_PROGRAMS_BENCH_TURNS_H
#define DRUMLINE_PROGRAMS_BENCH_TURNS_H

#include "dist/comm.h"

/* Works once on the ranks of `comm`, which are all of the job's or one, and sets *seconds. `number` counts the turns of
 * both kinds, and is the same on all ranks. Collective over `comm`; the error is the same on all of its ranks. */
typedef bool bench_turn(void *context, struct comm *comm, int number, double *seconds, struct error *error);

struct bench_turns {
    double alone, together; /* seconds of one rank and of the slowest of all: medians */
    double
        ratio; /* alone / together: the median over turns of all ranks, each held against the mean of the turns of one
                     rank before and after it */
};

/* `rounds` turns of all ranks and, where has_alone, a turn of a rank alone before and after each, while the others sleep;
 * one turn of each kind comes first and does not count. The ranks are alone in turn. Without turns alone, their figures
 * are 0. Collective; the error is the same on every rank. */
bool bench_turns_take(struct bench_turns *turns, bench_turn *turn, void *context, int rounds, bool has_alone,
                      struct comm *comm, struct error *error);

#endif
