/* What drumline-bench measured, as one table of metrics: a value, the baseline that it is compared with, and their ratio. The
 * same rows are printed as a table and as JSON.
 *
 * The ratio is always value / baseline. So above 1 is better for rates (1/s, GFLOP/s), and worse for times (s, ms, us). */
#ifndef DRUMLINE_PROGRAMS_BENCH_METRICS_H
#define DRUMLINE_PROGRAMS_BENCH_METRICS_H

#include "base/error.h"

#include <stddef.h>

enum { BENCH_MAX_METRICS = 256 };

struct bench_metric {
    const char *mode; /* "train" */
    char name[48];    /* "encoder_forward": unique within its mode and unit */
    const char *unit; /* "GFLOP/s" */
    double value;
    const char *baseline; /* what it is compared with: "sgemm peak"; NULL: nothing */
    double baseline_value;
    double ratio; /* value / baseline_value */
};

struct bench_metrics {
    size_t count;
    struct bench_metric rows[BENCH_MAX_METRICS];
};

/* A new row, with printf's format for its name. mode and unit must outlive it. Aborts above BENCH_MAX_METRICS. */
struct bench_metric *bench_add(struct bench_metrics *metrics, const char *mode, const char *unit, double value,
                               const char *name, ...) __attribute__((format(printf, 5, 6)));

/* Gives the row its baseline, of the same unit. `baseline` must outlive it. */
void bench_compare(struct bench_metric *metric, const char *baseline, double baseline_value);

/* A row "WHAT_of_N_ranks_over_one": N ranks together do `speedup` times the work of one alone. Its baseline is N, so its ratio
 * is the parallel efficiency. */
void bench_add_speedup(struct bench_metrics *metrics, const char *mode, const char *what, double speedup, int ranks);

/* Where the metrics come from. */
struct bench_origin {
    const char *version, *host, *processor, *kernels, *config, *date;
    int ranks, hosts_ranks, threads; /* in all, on this host, and of each rank */
    long long batch_size;
};

/* To standard output, which must take all of it: a full disk or a closed pipe is an error. */
bool bench_print(const struct bench_metrics *metrics, const struct bench_origin *origin, struct error *error);
bool bench_print_json(const struct bench_metrics *metrics, const struct bench_origin *origin, struct error *error);

/* The middle of values[0..count), which are sorted; the mean of the two middle ones of an even count. count > 0. */
double bench_median(double *values, size_t count);

#endif
