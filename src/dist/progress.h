/* How far each rank of a node has come, in memory that its ranks share: a rank that is stopped or hangs can't say so itself,
 * but the others of its node can see it. */
#ifndef DRUMLINE_DIST_PROGRESS_H
#define DRUMLINE_DIST_PROGRESS_H

#include "dist/comm.h"

#include <stdatomic.h>

/* One rank's; it alone writes it. */
struct progress_sign {
    atomic_int rank;
    atomic_int phase;      /* what it is at, in the caller's numbers */
    atomic_ullong step;    /* of the training */
    atomic_ullong done;    /* counts pieces of work */
    atomic_ullong beats;   /* counts signs of life of the process, whatever its main thread does */
    atomic_int ending;     /* whether it is about to end, in the caller's numbers */
    atomic_int is_waiting; /* in a call that returns when other ranks have come as far */
};

struct progress;

/* The signs of this node's ranks, all zero but `rank`. From here on the collective functions of `comm`, and those of what was made
 * from it, set is_waiting. NULL and the error set, on all ranks, where one has no memory. Collective. */
struct progress *progress_open(struct comm *comm, struct error *error);

/* This rank's place among those that it sees, and how many they are: 1 where the node has no shared memory. */
int progress_own_place(const struct progress *progress);
int progress_num_places(const struct progress *progress);
struct progress_sign *progress_sign_at(struct progress *progress, int place);

/* NULL does nothing. Collective. */
void progress_close(struct progress *progress);

#endif
