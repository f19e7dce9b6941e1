/* The charts of a report: one for each metric of training, with its evaluations beside it. */
#ifndef DRUMLINE_PROGRAMS_INFO_REPORT_CHARTS_H
#define DRUMLINE_PROGRAMS_INFO_REPORT_CHARTS_H

#include "run/metrics_history.h"

#include <stdio.h>

/* One metric of several runs in one chart, each run in the colour of its place; a run without the metric has no curve. */
enum { REPORT_MOST_OVERLAID = 8 };
void report_put_overlay(FILE *out, const char *metric, const struct metrics_history *histories,
                        const char *const *names, int count);

/* The charts, as SVG at rest, and the data from which the script draws them again. */
void report_put_charts(FILE *out, const struct metrics_history *history);

#endif
