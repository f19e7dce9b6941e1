/* rank_times.json in RUN/train: what each rank of a run's newest session has spent its time with, phase by phase. */
#ifndef DRUMLINE_RUN_RANK_TIMES_H
#define DRUMLINE_RUN_RANK_TIMES_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { RANK_TIMES_MAX_PHASES = 24, RANK_TIMES_NAME_SIZE = 64, RANK_TIMES_MAX_RANKS = 1 << 20 };

struct rank_time {
    char host[RANK_TIMES_NAME_SIZE];
    double seconds[RANK_TIMES_MAX_PHASES];
};

struct rank_times {
    uint64_t from_step, step; /* from where to where the session has come */
    int num_phases;
    char phases[RANK_TIMES_MAX_PHASES][RANK_TIMES_NAME_SIZE];
    int waiting; /* the phase in which a rank waits for others */
    size_t num_ranks;
    struct rank_time *ranks; /* [num_ranks] */
};

/* Below this share of its time a rank is not slow. */
#define RANK_TIMES_SLOW_SHARE 0.01

/* The rank that has worked longest: in all phases but `waiting`. */
struct slowest_rank {
    size_t rank;
    double longer; /* seconds than the median rank, the lower one of two */
    double share;  /* of all its time */
    int phase;     /* in which it differs most from the median rank */
};

/* What rank `rank` has worked, in seconds. */
double rank_times_worked(const struct rank_times *times, size_t rank);

/* `scratch` [num_ranks]. There must be a rank. */
void rank_times_find_slowest(struct slowest_rank *slowest, const struct rank_times *times, double *scratch);

/* Writes FOLDER/rank_times.json, whole or not at all. */
bool rank_times_write(const char *folder, const struct rank_times *times, struct error *error);

/* Reads it; where there is none, `times` has no ranks. On failure the message names the file, and `times` is empty. Free with
 * rank_times_free. */
bool rank_times_read(struct rank_times *times, const char *folder, struct error *error);
void rank_times_free(struct rank_times *times);

#endif
