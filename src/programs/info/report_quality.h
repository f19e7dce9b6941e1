/* The quality of a run's model in its report: what the last --mode=eval found, as tables and small plots. */
#ifndef DRUMLINE_PROGRAMS_INFO_REPORT_QUALITY_H
#define DRUMLINE_PROGRAMS_INFO_REPORT_QUALITY_H

#include <stdio.h>

/* Writes the section, and nothing where RUN/eval/metrics.jsonl has no such line or can't be read. */
void report_put_quality(FILE *out, const char *run_dir);

#endif
