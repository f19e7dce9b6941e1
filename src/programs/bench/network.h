/* What a sum over ranks costs: measured, and as a model of two numbers.
 *
 * The model is that of the algorithm which the reducer asks for (dist/sum_algorithm.h): p ranks sum n bytes in
 *
 *     t(p, n) = rounds latency + passes n / bandwidth,
 *
 * with the rounds and passes of sum_algorithm_cost(p): those of a ring as in Patarasuk and Yuan, "Bandwidth optimal all-reduce
 * algorithms for clusters of workstations" (Journal of Parallel and Distributed Computing 69, 2009), and those of halving and
 * doubling as in Thakur, Rabenseifner and Gropp, "Optimization of Collective Communication Operations in MPICH" (International
 * Journal of High Performance Computing Applications 19, 2005). There ranks beyond a power of two fold theirs into others'
 * first, in two rounds with half of the bytes each, and are told the result in another with all of them. The time that the
 * additions take is part of the bandwidth. A handful of bytes goes by recursive doubling (same paper): ceil(log2 p) latencies. */
#ifndef DRUMLINE_PROGRAMS_BENCH_NETWORK_H
#define DRUMLINE_PROGRAMS_BENCH_NETWORK_H

#include "dist/comm.h"

enum { BENCH_SMALLEST_SUM = 4 << 10, BENCH_SMALL_SUM = 64 << 10, BENCH_LARGEST_SUM = 64 << 20, BENCH_NUM_SUMS = 15 };

/* Seconds of the sum of so many bytes: the median over repetitions of the slowest rank's. The same on all ranks. */
struct bench_sums {
    int ranks, count;
    double bytes[BENCH_NUM_SUMS], seconds[BENCH_NUM_SUMS];
};

/* From 4 KiB to 64 MiB by doubling, through the reducer that training uses, with nothing else going on. Needs two ranks
 * or more. Collective. */
bool bench_sums_measure(struct bench_sums *sums, struct comm *comm, struct error *error);

struct bench_network {
    double latency;   /* seconds of a message beside its bytes */
    double bandwidth; /* bytes a second */
};

/* The network that comes nearest to the sums, by least squares of logarithms: its latency from those up to
 * BENCH_SMALL_SUM, where it shows, then its bandwidth from the larger ones, which often do not go at the pace of the
 * small. sums->bytes grow. Fails where the times are not positive and finite, or do not grow with the bytes. */
bool bench_network_fit(struct bench_network *network, const struct bench_sums *sums, struct error *error);

/* t(p, n) of the formula above; 0 for one rank. */
double bench_network_sum_seconds(const struct bench_network *network, int ranks, double bytes);

/* A sum of a handful of bytes. */
double bench_network_small_sum_seconds(const struct bench_network *network, int ranks);

#endif
