/* What drumline-bench found, as one table: a figure, its value, what it is held against, and the ratio of the two. The
 * same rows are printed for people and as JSON. */
#ifndef DRUMLINE_PROGRAMS_BENCH_FIGURES_H
#define DRUMLINE_PROGRAMS_BENCH_FIGURES_H

#include <stddef.h>

enum { BENCH_MAX_FIGURES = 256 };

struct bench_figure {
    const char *mode; /* "train" */
    char name[48];    /* "encoder_forward": unique within its mode and unit */
    const char *unit; /* "GFLOP/s" */
    double value;
    const char *reference; /* what it is held against: "sgemm's peak"; NULL: nothing */
    double reference_value;
    double ratio; /* 1: as good as the reference */
};

struct bench_figures {
    size_t count;
    struct bench_figure rows[BENCH_MAX_FIGURES];
};

/* A new row, with printf's format for its name. mode and unit must outlive it. Aborts above BENCH_MAX_FIGURES. */
struct bench_figure *bench_add(struct bench_figures *figures, const char *mode, const char *unit, double value,
                               const char *name, ...) __attribute__((format(printf, 5, 6)));

/* Holds the row against something: its own value / reference_value is the ratio. `reference` must outlive it. */
void bench_hold_against(struct bench_figure *figure, const char *reference, double reference_value);

/* The same for times, where less is better: reference_value / value. */
void bench_hold_time_against(struct bench_figure *figure, const char *reference, double reference_value);

/* A row "WHAT_of_N_ranks_over_one": all ranks make `times` what one makes alone, held against their number. */
void bench_add_times_of_one(struct bench_figures *figures, const char *mode, const char *what, double times, int ranks);

/* Where the figures come from. */
struct bench_origin {
    const char *version, *host, *processor, *kernels, *config, *date;
    int ranks, hosts_ranks, threads; /* in all, on this host, and of each rank */
    long long batch_size;
};

/* To standard output. */
void bench_print(const struct bench_figures *figures, const struct bench_origin *origin);
void bench_print_json(const struct bench_figures *figures, const struct bench_origin *origin);

/* The middle of values[0..count), which are sorted; the mean of the two middle ones of an even count. count > 0. */
double bench_median(double *values, size_t count);

#endif
