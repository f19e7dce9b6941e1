/* The cost of an allreduce: measured, and as a model of two numbers.
 *
 * The model is that of the algorithm which the reducer requests (dist/allreduce_algorithm.h): p ranks reduce n bytes in
 *
 *     t(p, n) = rounds * latency + passes * n / bandwidth,
 *
 * with the rounds and passes of allreduce_algorithm_cost(p): those of a ring as in Patarasuk and Yuan, "Bandwidth optimal all-reduce
 * algorithms for clusters of workstations" (Journal of Parallel and Distributed Computing 69, 2009), and those of recursive
 * halving-doubling (Rabenseifner) as in Thakur, Rabenseifner and Gropp, "Optimization of Collective Communication Operations in
 * MPICH" (International Journal of High Performance Computing Applications 19, 2005). There, ranks beyond a power of two first
 * fold theirs into others', in two rounds with half of the bytes each, and get the result in one more round with all of them.
 * The time of the additions is part of the bandwidth. A few bytes go by recursive doubling (same paper): ceil(log2 p)
 * latencies. */
#ifndef DRUMLINE_PROGRAMS_BENCH_NETWORK_H
#define DRUMLINE_PROGRAMS_BENCH_NETWORK_H

#include "dist/comm.h"

enum { BENCH_SMALLEST_SUM = 4 << 10, BENCH_SMALL_SUM = 64 << 10, BENCH_LARGEST_SUM = 64 << 20, BENCH_NUM_SUMS = 15 };

/* Seconds of an allreduce of that many bytes: the median over repetitions of the slowest rank's. The same on all ranks. */
struct bench_sums {
    int ranks, count;
    double bytes[BENCH_NUM_SUMS], seconds[BENCH_NUM_SUMS];
};

/* From 4 KiB to 64 MiB by doubling, through the reducer that training uses, with nothing else going on. Needs two ranks
 * or more. Collective. */
bool bench_sums_measure(struct bench_sums *sums, struct comm *comm, struct error *error);

struct bench_network {
    double latency;   /* seconds of an empty message */
    double bandwidth; /* bytes a second */
};

/* Fits the network to the times, by least squares of logarithms: its latency to those up to BENCH_SMALL_SUM, where it shows,
 * then its bandwidth to the larger ones, which often do not go at the pace of the small. sums->bytes grow. Fails where the
 * times are not positive and finite, or do not grow with the bytes. */
bool bench_network_fit(struct bench_network *network, const struct bench_sums *sums, struct error *error);

/* t(p, n) of the formula above; 0 for one rank. */
double bench_network_sum_seconds(const struct bench_network *network, int ranks, double bytes);

/* An allreduce of a few bytes. */
double bench_network_small_sum_seconds(const struct bench_network *network, int ranks);

#endif
