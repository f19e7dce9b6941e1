/* Plots of distributions in a report: bars, histograms and heat maps, each a figure that is whole without a script and whose
 * numbers are text too. */
#ifndef DRUMLINE_PROGRAMS_INFO_REPORT_PLOTS_H
#define DRUMLINE_PROGRAMS_INFO_REPORT_PLOTS_H

#include <stddef.h>
#include <stdio.h>

enum { REPORT_MOST_PARTS = 4 };

struct report_bar {
    const char *label;               /* any text */
    double parts[REPORT_MOST_PARTS]; /* side by side in one bar */
};

/* Bars one below the other, in the order given, each with its label, its sum and its share of all. `names` of the parts, [num_parts],
 * are the legend; none is shown for one part. */
void report_put_bars(FILE *out, const char *title, const struct report_bar *bars, size_t count,
                     const char *const *names, int num_parts);

/* What an axis says: texts at its left end, in its middle and at its right end; any may be NULL. */
struct report_axis {
    const char *left, *middle, *right;
};

/* Counts in `count` bins of equal width from `from` to `to`. */
void report_put_histogram(FILE *out, const char *title, const double *counts, size_t count, double from, double to,
                          const struct report_axis *axis);

/* counts [rows, columns], each row shaded by its own highest count; drums are named as rows. */
void report_put_heat_map(FILE *out, const char *title, const double *counts, const char *const *rows, size_t num_rows,
                         size_t num_columns, const struct report_axis *axis);

#endif
