/* Names the rank that the others wait for. Ranks train in lockstep, so one that is slow, for its processor is hot or shared, makes
 * all slow, and only shows as waiting on the others. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_SLOW_RANK_H
#define DRUMLINE_PROGRAMS_TRAIN_SLOW_RANK_H

#include "dist/stats.h"

struct slow_rank_sample;

struct slow_rank {
    struct slow_rank_sample *before, *now; /* rank 0: [ranks] at the last look, and now */
    double *values;                        /* rank 0: [ranks] scratch */
    double looked, warned;                 /* clock_seconds; warned: 0, never */
    int warned_rank;
};

/* `now`, here and below: clock_seconds. Collective. */
bool slow_rank_start(struct slow_rank *slow, const struct stats *stats, struct comm *comm, double now,
                     struct error *error);

/* At most every half a minute rank 0 compares what the ranks have spent their time with since the last look: all phases but
 * `waiting`. Where the slowest has worked longer than the median rank by more than a tenth of that time, rank 0 warns, and names
 * its rank, its host and the phase that differs most; of the same rank once in ten minutes. Collective. */
void slow_rank_look(struct slow_rank *slow, const struct stats *stats, int waiting, struct comm *comm, double now);

void slow_rank_free(struct slow_rank *slow);

#endif
