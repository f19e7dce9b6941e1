/* Times of all ranks: which rank the others wait for, and a file in the run's folder that shows it. Ranks train in lockstep, so
 * one that is slow, for its processor is hot or shared, makes all slow, and only shows as waiting on the others. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_SLOW_RANK_H
#define DRUMLINE_PROGRAMS_TRAIN_SLOW_RANK_H

#include "dist/stats.h"
#include "run/rank_times.h"

struct slow_rank {
    struct rank_times now, between; /* rank 0: since the start, and since the last look */
    struct rank_time *before;       /* rank 0: [ranks] at the last look */
    double *scratch;                /* rank 0: [ranks] */
    double looked, warned;          /* clock_seconds; warned: 0, never */
    int warned_rank;
};

/* `waiting`: the phase in which a rank waits for others. `step`: where the training stands. `now`, here and below:
 * clock_seconds. Collective. */
bool slow_rank_start(struct slow_rank *slow, const struct stats *stats, int waiting, uint64_t step, struct comm *comm,
                     double now, struct error *error);

/* Gathers all ranks' times. The answer, on rank 0, is whether they are to be stored: every half a minute, and where
 * `is_last`. Every half a minute rank 0 also compares what the ranks have worked since it last did: where the slowest
 * has worked longer than the median rank by more than a tenth of that time, it warns, and names its rank, its host and
 * the phase that differs most; of the same rank once in ten minutes. Collective. */
bool slow_rank_look(struct slow_rank *slow, const struct stats *stats, uint64_t step, bool is_last, struct comm *comm,
                    double now);

void slow_rank_free(struct slow_rank *slow);

#endif
