/* Predicts how long a training step takes on more ranks than there are, from measurements on those that are.
 *
 * A step is computation, the part of the gradient allreduce that computation does not hide, the small allreduce of losses,
 * and the update. Computation is measured at a few numbers of windows per rank, and is linear between and beyond them.
 * Gradients become ready during the last micro-batch's backward pass as they did in the measurement, at a pace that scales with
 * that micro-batch's computation. They are cut into buckets as the reducer does; buckets are reduced one after the other at
 * the network's cost, each as soon as it is ready and the one before it is done. What is left after the end of backward is
 * exposed.
 *
 * Not modelled: ranks that are slower than others, a network that is shared with others, cores that the allreduce takes from
 * computation, rounds of an allreduce that wait until the rank calls MPI between two GEMMs, and algorithms other than the
 * one that was requested, where MPI or its settings choose another. */
#ifndef DRUMLINE_PROGRAMS_BENCH_SCALING_H
#define DRUMLINE_PROGRAMS_BENCH_SCALING_H

#include "programs/bench/network.h"
#include "programs/bench/training.h"

enum { BENCH_MOST_POINTS = 3 };

struct bench_compute {
    int num_points;
    double windows[BENCH_MOST_POINTS]; /* a rank's, growing */
    double seconds[BENCH_MOST_POINTS]; /* of all phases except reduction and optimizer */
    double update_seconds;             /* of the optimizer, whatever the batch */
    int micro_batch;                   /* windows of the largest */
    size_t bucket_bytes;
    struct bench_reports reports;
};

struct bench_prediction {
    double step;    /* seconds */
    double exposed; /* the part of the allreduce that is not hidden */
};

/* Seconds of computation for that many windows per rank. */
double bench_compute_seconds(const struct bench_compute *compute, double windows);

/* A step of `ranks` ranks, the largest part of which is `windows` windows. */
struct bench_prediction bench_predict(const struct bench_compute *compute, const struct bench_network *network,
                                      int ranks, int64_t windows);

#endif
