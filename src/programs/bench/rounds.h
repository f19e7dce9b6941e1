/* Times work on one rank alone and on all of them in interleaved rounds, so that a machine whose pace changes from minute to
 * minute slows both alike. What the work is, and so what the ratio means, the caller knows. */
#ifndef DRUMLINE_PROGRAMS_BENCH_ROUNDS_H
#define DRUMLINE_PROGRAMS_BENCH_ROUNDS_H

#include "dist/comm.h"

/* Works once on the ranks of `comm`, which are all of the job's or one, and sets *seconds. `number` counts the calls of a job,
 * those of single ranks too, and is the same on all ranks. Collective over `comm`; the error is the same on all of its
 * ranks. */
typedef bool bench_work(void *context, struct comm *comm, int number, double *seconds, struct error *error);

struct bench_rounds {
    double alone, together; /* seconds of one rank and of the slowest of all: medians */
    /* alone / together: the median over rounds, with `alone` the mean of the times before and after that of all ranks. */
    double ratio;
};

/* `count` rounds: the work of all ranks and, with beside_one, that of one rank before and after it, while the others sleep; it
 * is another rank each time. One warm-up of each kind comes first and does not count. Without beside_one, alone and ratio are
 * 0. Collective; the error is the same on every rank. */
bool bench_rounds_run(struct bench_rounds *rounds, bench_work *work, void *context, int count, bool beside_one,
                      struct comm *comm, struct error *error);

#endif
