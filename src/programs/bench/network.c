#include "programs/bench/network.h"

#include "base/clock.h"
#include "dist/allreduce_algorithm.h"
#include "dist/gradient_reducer.h"
#include "programs/bench/metrics.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_REPEATS = 5, MOST_REPEATS = 101 };

/* About how long one size is repeated. */
static const double seconds_of_a_size = 0.2;

static double sum_once(struct comm *comm, struct gradient_reducer *reducer, size_t count)
{
    comm_barrier(comm);
    double started = clock_seconds();
    gradient_reducer_start(reducer);
    gradient_reducer_ready(reducer, count);
    gradient_reducer_finish(reducer);
    return clock_seconds() - started;
}

/* The same on all ranks, from rank 0's clock. */
static int choose_repeats(struct comm *comm, double seconds)
{
    comm_broadcast(comm, &seconds, sizeof seconds, 0);
    double repeats = seconds_of_a_size / fmax(seconds, 1e-9);
    return repeats < LEAST_REPEATS ? LEAST_REPEATS : repeats > MOST_REPEATS ? MOST_REPEATS : (int)repeats;
}

/* The values grow with each allreduce, so they are reset before they overflow. */
static bool measure_size(double *median, struct comm *comm, float *values, size_t count, struct error *error)
{
    double seconds[MOST_REPEATS];
    struct gradient_reducer *reducer = gradient_reducer_make(comm, values, count, count * sizeof *values, error);
    if (!reducer)
        return false;
    sum_once(comm, reducer, count);
    int repeats = choose_repeats(comm, sum_once(comm, reducer, count));
    for (int i = 0; i < repeats; i++) {
        seconds[i] = sum_once(comm, reducer, count);
        for (size_t j = 0; j < count; j++)
            values[j] = 1;
    }
    comm_max_doubles(comm, seconds, (size_t)repeats);
    *median = bench_median(seconds, (size_t)repeats);
    gradient_reducer_free(reducer);
    return true;
}

bool bench_sums_measure(struct bench_sums *sums, struct comm *comm, struct error *error)
{
    *sums = (struct bench_sums){.ranks = comm_size(comm)};
    if (sums->ranks < 2)
        return error_set(error, "allreduce needs two or more ranks (mpirun -n 2 drumline-bench allreduce)");
    size_t most = BENCH_LARGEST_SUM / sizeof(float);
    float *values = malloc(BENCH_LARGEST_SUM);
    bool ok = comm_all_ok(comm, values || error_set(error, "no memory for %d bytes", BENCH_LARGEST_SUM), error);
    for (size_t i = 0; ok && i < most; i++)
        values[i] = 1;
    for (size_t bytes = BENCH_SMALLEST_SUM; ok && bytes <= BENCH_LARGEST_SUM; bytes *= 2) {
        sums->bytes[sums->count] = (double)bytes;
        ok = measure_size(&sums->seconds[sums->count++], comm, values, bytes / sizeof *values, error);
    }
    free(values);
    return ok;
}

struct line {
    double start, slope; /* t = start + slope n */
};

/* The line through sums [first, end) with the least sum of weights_i (start + slope n_i - t_i)^2 and a start that is
 * not negative. Where `known` is not negative, it is the start. */
static struct line weighted_line(const struct bench_sums *sums, int first, int end, const double *weights, double known)
{
    double w = 0, wn = 0, wnn = 0, wt = 0, wnt = 0;
    for (int i = first; i < end; i++) {
        double n = sums->bytes[i], t = sums->seconds[i];
        w += weights[i];
        wn += weights[i] * n;
        wnn += weights[i] * n * n;
        wt += weights[i] * t;
        wnt += weights[i] * n * t;
    }
    if (known >= 0)
        return (struct line){known, (wnt - known * wn) / wnn};
    double determinant = w * wnn - wn * wn;
    struct line line = {(wt * wnn - wnt * wn) / determinant, (wnt * w - wt * wn) / determinant};
    if (line.start < 0)
        line = (struct line){0, wnt / wnn};
    if (line.slope < 0)
        line = (struct line){wt / w, 0};
    return line;
}

/* Least squares of ln(fitted / measured), so that times of microseconds count as much as those of seconds and twice too
 * long as much as half: by weights that make each term's slope that of the squared logarithm, computed again from the line
 * before. */
static struct line fit_line(const struct bench_sums *sums, int first, int end, double known)
{
    enum { ROUNDS = 100 };
    double weights[BENCH_NUM_SUMS];
    for (int i = first; i < end; i++)
        weights[i] = 1 / (sums->seconds[i] * sums->seconds[i]);
    struct line line = weighted_line(sums, first, end, weights, known);
    for (int round = 0; round < ROUNDS && line.slope >= 0; round++) {
        for (int i = first; i < end; i++) {
            double fitted = line.start + line.slope * sums->bytes[i], off = sums->seconds[i] / fitted - 1;
            double slope = fabs(off) < 1e-6 ? 1 : log1p(off) / off;
            weights[i] = slope / (fitted * fitted);
        }
        line = weighted_line(sums, first, end, weights, known);
    }
    return line;
}

bool bench_network_fit(struct bench_network *network, const struct bench_sums *sums, struct error *error)
{
    struct allreduce_cost cost = allreduce_algorithm_cost(sums->ranks);
    int small = 0;
    while (small < sums->count && sums->bytes[small] <= BENCH_SMALL_SUM)
        small++;
    if (small < 2 || small == sums->count || sums->ranks < 2)
        return error_set(error, "can't fit latency and bandwidth to %d allreduces of %d ranks", sums->count,
                         sums->ranks);
    for (int i = 0; i < sums->count; i++)
        if (!(sums->seconds[i] > 0 && isfinite(sums->seconds[i])))
            return error_set(error, "the allreduce of %.0f bytes took %g s: no network can be fitted to that",
                             sums->bytes[i], sums->seconds[i]);
    double start = fit_line(sums, 0, small, -1).start;
    struct line line = fit_line(sums, small, sums->count, start);
    if (!(line.slope > 0 && isfinite(line.slope) && isfinite(line.start)))
        return error_set(error,
                         "allreduces of more bytes took no more time, so no network can be fitted; measure again, or "
                         "give --latency_us and --bandwidth_gbps");
    network->latency = line.start / cost.rounds;
    network->bandwidth = cost.passes / line.slope;
    return true;
}

double bench_network_sum_seconds(const struct bench_network *network, int ranks, double bytes)
{
    if (ranks == 1)
        return 0;
    struct allreduce_cost cost = allreduce_algorithm_cost(ranks);
    return cost.rounds * network->latency + cost.passes * bytes / network->bandwidth;
}

double bench_network_small_sum_seconds(const struct bench_network *network, int ranks)
{
    return ceil(log2(ranks)) * network->latency;
}
