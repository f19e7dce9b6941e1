#include "programs/bench/figures.h"

#include <jansson.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_COLUMNS = 34, NUMBER_SIZE = 32 };

struct bench_figure *bench_add(struct bench_figures *figures, const char *mode, const char *unit, double value,
                               const char *name, ...)
{
    if (figures->count == BENCH_MAX_FIGURES)
        abort();
    struct bench_figure *figure = &figures->rows[figures->count++];
    *figure = (struct bench_figure){.mode = mode, .unit = unit, .value = value};
    va_list arguments;
    va_start(arguments, name);
    vsnprintf(figure->name, sizeof figure->name, name, arguments);
    va_end(arguments);
    return figure;
}

void bench_hold_against(struct bench_figure *figure, const char *reference, double reference_value)
{
    figure->reference = reference;
    figure->reference_value = reference_value;
    figure->ratio = figure->value / reference_value;
}

void bench_hold_time_against(struct bench_figure *figure, const char *reference, double reference_value)
{
    figure->reference = reference;
    figure->reference_value = reference_value;
    figure->ratio = reference_value / figure->value;
}

void bench_add_times_of_one(struct bench_figures *figures, const char *mode, const char *what, double times, int ranks)
{
    bench_hold_against(bench_add(figures, mode, "times", times, "%s_of_%d_ranks_over_one", what, ranks), "ranks",
                       ranks);
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

static void print_row(const struct bench_figure *figure)
{
    char name[sizeof figure->name], value[NUMBER_SIZE], reference[NUMBER_SIZE];
    snprintf(name, sizeof name, "%s", figure->name);
    for (char *c = name; *c; c++)
        if (*c == '_')
            *c = ' ';
    printf("  %-*s %12s %-9s", NAME_COLUMNS, name, number_text(value, figure->value), figure->unit);
    if (figure->reference)
        printf(" %12s %-22s %8.3f", number_text(reference, figure->reference_value), figure->reference, figure->ratio);
    putchar('\n');
}

void bench_print(const struct bench_figures *figures, const struct bench_origin *origin)
{
    printf("drumline-bench %s, %s\n", origin->version, origin->date);
    printf("%s: %s, %s kernels; %d rank%s (%d on this host) of %d thread%s; %s, batch_size %lld\n", origin->host,
           origin->processor, origin->kernels, origin->ranks, origin->ranks == 1 ? "" : "s", origin->hosts_ranks,
           origin->threads, origin->threads == 1 ? "" : "s", origin->config, origin->batch_size);
    printf("\n  %-*s %12s %-9s %12s %-22s %8s\n", NAME_COLUMNS, "figure", "value", "", "reference", "", "ratio");
    const char *mode = "";
    for (size_t i = 0; i < figures->count; i++) {
        if (strcmp(figures->rows[i].mode, mode) != 0)
            printf("%s\n", figures->rows[i].mode);
        mode = figures->rows[i].mode;
        print_row(&figures->rows[i]);
    }
    fflush(stdout);
}

/* JSON has no infinity: a number that is none is null. */
static json_t *json_number_of(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *json_row(const struct bench_figure *figure)
{
    json_t *row = json_object();
    json_object_set_new(row, "mode", json_string(figure->mode));
    json_object_set_new(row, "name", json_string(figure->name));
    json_object_set_new(row, "unit", json_string(figure->unit));
    json_object_set_new(row, "value", json_number_of(figure->value));
    if (figure->reference) {
        json_object_set_new(row, "reference", json_string(figure->reference));
        json_object_set_new(row, "reference_value", json_number_of(figure->reference_value));
        json_object_set_new(row, "ratio", json_number_of(figure->ratio));
    }
    return row;
}

void bench_print_json(const struct bench_figures *figures, const struct bench_origin *origin)
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
    for (size_t i = 0; i < figures->count; i++)
        json_array_append_new(rows, json_row(&figures->rows[i]));
    json_object_set_new(object, "figures", rows);
    json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    putchar('\n');
    fflush(stdout);
    json_decref(object);
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

double bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}
