#include "programs/bench/scaling.h"

#include <math.h>

double bench_compute_seconds(const struct bench_compute *compute, double windows)
{
    const double *x = compute->windows, *y = compute->seconds;
    int last = compute->num_points - 1, i = 0;
    if (last == 0)
        return y[0] * windows / x[0];
    while (i + 1 < last && windows > x[i + 1])
        i++;
    double slope = (y[i + 1] - y[i]) / (x[i + 1] - x[i]);
    return fmax(0, y[i] + slope * (windows - x[i]));
}

/* The windows of the last micro-batch. */
static int64_t last_micro_batch(const struct bench_compute *compute, int64_t windows)
{
    return windows - (windows - 1) / compute->micro_batch * compute->micro_batch;
}

/* Seconds that the allreduce takes beyond the end of backward. */
static double exposed_seconds(const struct bench_compute *compute, const struct bench_network *network, int ranks,
                              int64_t windows)
{
    const struct bench_reports *reports = &compute->reports;
    double measured = bench_compute_seconds(compute, reports->windows);
    double now = bench_compute_seconds(compute, (double)last_micro_batch(compute, windows));
    double pace = measured > 0 ? now / measured : 1, free_at = -INFINITY;
    size_t begun = 0, all = reports->count > 0 ? reports->ends[reports->count - 1] : 0;
    for (int i = 0; i < reports->count; i++) {
        size_t end = reports->ends[i], bytes = (end - begun) * sizeof(float);
        if (bytes == 0 || (bytes < compute->bucket_bytes && end < all))
            continue;
        double ready = -reports->before_end[i] * pace;
        free_at = fmax(ready, free_at) + bench_network_sum_seconds(network, ranks, (double)bytes);
        begun = end;
    }
    return fmax(0, free_at);
}

struct bench_prediction bench_predict(const struct bench_compute *compute, const struct bench_network *network,
                                      int ranks, int64_t windows)
{
    struct bench_prediction prediction = {0};
    if (ranks > 1)
        prediction.exposed =
            exposed_seconds(compute, network, ranks, windows) + bench_network_small_sum_seconds(network, ranks);
    prediction.step = bench_compute_seconds(compute, (double)windows) + prediction.exposed + compute->update_seconds;
    return prediction;
}
