/* drumline-info --report and --csv: a run, a data set and the like as one self-contained HTML page, and a run's metrics as a
 * table for other programs.
 *
 * The page fetches nothing: styles, script, pictures and audio are in it, and its content security policy forbids the rest. Without a
 * script it shows the same charts, at rest. */
#ifndef DRUMLINE_PROGRAMS_INFO_REPORT_H
#define DRUMLINE_PROGRAMS_INFO_REPORT_H

#include "programs/info/report_pages.h"

/* Writes the page of `what`, a run, a folder of runs, a data set or a checkpoint (report_pages.h), to `path`, whole or not at all; one that is there is
 * replaced. Samples of a run are drawn from its best checkpoint, else its latest valid one; where there is none, or audio can't
 * be made, the page says so. */
bool report_write(const char *what, const char *path, const struct report_options *options, struct error *error);

/* Prints the run's metrics as CSV (RFC 4180): "step" and one column a metric, empty where a step has none. */
bool report_print_csv(FILE *out, const char *run_dir, struct error *error);

#endif
