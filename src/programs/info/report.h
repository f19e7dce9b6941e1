/* drumline-info --report and --csv: a run as one self-contained HTML page, and its metrics as a table for other programs.
 *
 * The page fetches nothing: styles, script, pictures and audio are in it, and its content security policy forbids the rest. Without a
 * script it shows the same charts, at rest. */
#ifndef DRUMLINE_PROGRAMS_INFO_REPORT_H
#define DRUMLINE_PROGRAMS_INFO_REPORT_H

#include "base/error.h"

#include <stdio.h>

struct report_options {
    const char *soundfont; /* NULL: as audio_renderer_make finds one */
    double refresh;        /* seconds after which a browser reloads the page while the run is going; 0: never */
};

/* Writes the page of a run to `path`, whole or not at all; one that is there is replaced. Samples are drawn from the best
 * checkpoint, else the latest valid one; where there is none, or audio can't be made, the page says so. */
bool report_write(const char *run_dir, const char *path, const struct report_options *options, struct error *error);

/* Prints the run's metrics as CSV (RFC 4180): "step" and one column a metric, empty where a step has none. */
bool report_print_csv(FILE *out, const char *run_dir, struct error *error);

#endif
