#include "programs/bench/metrics.h"

#include "base/array.h"
#include "base/text.h"

#include <jansson.h>

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_COLUMNS = 34, NUMBER_SIZE = 32 };

struct bench_metric *bench_add(struct bench_metrics *metrics, const char *mode, const char *unit, double value,
                               const char *name, ...)
{
    if (metrics->count == BENCH_MAX_METRICS)
        abort();
    struct bench_metric *metric = &metrics->rows[metrics->count++];
    *metric = (struct bench_metric){.mode = mode, .unit = unit, .value = value};
    va_list arguments;
    va_start(arguments, name);
    vsnprintf(metric->name, sizeof metric->name, name, arguments);
    va_end(arguments);
    return metric;
}

void bench_compare(struct bench_metric *metric, const char *baseline, double baseline_value)
{
    metric->baseline = baseline;
    metric->baseline_value = baseline_value;
    metric->ratio = metric->value / baseline_value;
}

void bench_add_speedup(struct bench_metrics *metrics, const char *mode, const char *what, double speedup, int ranks)
{
    bench_compare(bench_add(metrics, mode, "x", speedup, "%s_of_%d_ranks_over_one", what, ranks), "ranks", ranks);
}

/* About four digits, never an exponent that a table is hard to read with. */
static const char *number_text(char text[NUMBER_SIZE], double value)
{
    double size = fabs(value);
    int decimals = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4;
    if (size < 1e9 && (size >= 0.001 || size <= 0))
        snprintf(text, NUMBER_SIZE, "%.*f", decimals, value);
    else
        snprintf(text, NUMBER_SIZE, "%.3g", value);
    return text;
}

static void print_row(const struct bench_metric *metric)
{
    char name[sizeof metric->name], value[NUMBER_SIZE], baseline[NUMBER_SIZE];
    snprintf(name, sizeof name, "%s", metric->name);
    for (char *c = name; *c; c++)
        if (*c == '_')
            *c = ' ';
    printf("  %-*s %12s %-9s", NAME_COLUMNS, name, number_text(value, metric->value), metric->unit);
    if (metric->baseline)
        printf(" %12s %-22s %8.3f", number_text(baseline, metric->baseline_value), metric->baseline, metric->ratio);
    putchar('\n');
}

/* Whether all that was printed is out. */
static bool finish(struct error *error)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    return error_set_errno(error, errno ? errno : EIO, "can't write to standard output");
}

bool bench_print(const struct bench_metrics *metrics, const struct bench_origin *origin, struct error *error)
{
    printf("drumline-bench %s, %s\n", origin->version, origin->date);
    printf("%s: %s, %s kernels; %d rank%s (%d on this host) of %d thread%s; %s, batch_size %lld\n", origin->host,
           origin->processor, origin->kernels, origin->ranks, PLURAL(origin->ranks), origin->hosts_ranks,
           origin->threads, PLURAL(origin->threads), origin->config, origin->batch_size);
    printf("\n  %-*s %12s %-9s %12s %-22s %s\n", NAME_COLUMNS, "metric", "value", "", "baseline", "", "value/baseline");
    const char *mode = "";
    for (size_t i = 0; i < metrics->count; i++) {
        if (strcmp(metrics->rows[i].mode, mode) != 0)
            printf("%s\n", metrics->rows[i].mode);
        mode = metrics->rows[i].mode;
        print_row(&metrics->rows[i]);
    }
    return finish(error);
}

/* JSON has no infinity: a number that is none is null. */
static json_t *json_number_of(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *json_row(const struct bench_metric *metric)
{
    json_t *row = json_object();
    json_object_set_new(row, "mode", json_string(metric->mode));
    json_object_set_new(row, "name", json_string(metric->name));
    json_object_set_new(row, "unit", json_string(metric->unit));
    json_object_set_new(row, "value", json_number_of(metric->value));
    if (metric->baseline) {
        json_object_set_new(row, "baseline", json_string(metric->baseline));
        json_object_set_new(row, "baseline_value", json_number_of(metric->baseline_value));
        json_object_set_new(row, "ratio", json_number_of(metric->ratio));
    }
    return row;
}

bool bench_print_json(const struct bench_metrics *metrics, const struct bench_origin *origin, struct error *error)
{
    json_t *object = json_object(), *rows = json_array();
    json_object_set_new(object, "version", json_string(origin->version));
    json_object_set_new(object, "date", json_string(origin->date));
    json_object_set_new(object, "host", json_string(origin->host));
    json_object_set_new(object, "processor", json_string(origin->processor));
    json_object_set_new(object, "kernels", json_string(origin->kernels));
    json_object_set_new(object, "config", json_string(origin->config));
    json_object_set_new(object, "ranks", json_integer(origin->ranks));
    json_object_set_new(object, "ranks_on_host", json_integer(origin->hosts_ranks));
    json_object_set_new(object, "threads", json_integer(origin->threads));
    json_object_set_new(object, "batch_size", json_integer(origin->batch_size));
    for (size_t i = 0; i < metrics->count; i++)
        json_array_append_new(rows, json_row(&metrics->rows[i]));
    json_object_set_new(object, "metrics", rows);
    json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(object);
    return finish(error);
}

double bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_doubles);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}
