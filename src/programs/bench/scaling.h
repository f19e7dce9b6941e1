/* Foretells how long a training step takes on more ranks than there are, from what was measured on those that are.
 *
 * A step is computation, the sums of gradients that computation does not hide, the small sum of losses, and the update.
 * Computation is known at a few numbers of windows a rank; between them a straight line is taken, above them the last
 * two go on, and below them the time goes with the line's start. Gradients become ready within the last micro-batch's
 * backward pass as they did in the measurement, at a pace that goes with that micro-batch's own computation. They are
 * cut into buckets as the reducer does, and the buckets are summed one after the other at the network's cost, each as
 * soon as it is ready and the one before it is done; what lies after the end of backward is exposed.
 *
 * What is left out: ranks that are slower than others, a network that others use too, cores that the sums take from
 * computation, rounds of a sum that wait until the rank looks after them between two products, and algorithms other than
 * the one asked for, where MPI or its settings choose another. */
#ifndef DRUMLINE_PROGRAMS_BENCH_SCALING_H
#define DRUMLINE_PROGRAMS_BENCH_SCALING_H

#include "programs/bench/network.h"
#include "programs/bench/training.h"

enum { BENCH_MOST_POINTS = 3 };

struct bench_compute {
    int num_points;
    double windows[BENCH_MOST_POINTS]; /* a rank's, growing */
    double seconds[BENCH_MOST_POINTS]; /* of all phases but the reduction and the optimizer */
    double update_seconds;             /* of the optimizer, whatever the batch */
    int micro_batch;                   /* most windows at a time */
    size_t bucket_bytes;
    struct bench_reports reports;
};

struct bench_prediction {
    double step;    /* seconds */
    double exposed; /* of which the sums that are not hidden */
};

/* Seconds of computation for so many windows a rank. */
double bench_compute_seconds(const struct bench_compute *compute, double windows);

/* A step of `ranks` ranks, the largest part of which is `windows` windows. */
struct bench_prediction bench_predict(const struct bench_compute *compute, const struct bench_network *network,
                                      int ranks, int64_t windows);

#endif
