/* The pages of the kinds of things that have one: report.c chooses among them. All write a whole page, or fail before they have
 * written any of it. */
#ifndef DRUMLINE_PROGRAMS_INFO_REPORT_PAGES_H
#define DRUMLINE_PROGRAMS_INFO_REPORT_PAGES_H

#include "base/error.h"

#include <stdio.h>

struct report_options {
    const char *soundfont; /* NULL: as audio_renderer_make finds one */
    double refresh;        /* seconds after which a browser reloads the page while the run is going; 0: never */
};

bool report_put_run(FILE *out, const char *run_dir, const struct report_options *options, struct error *error);
/* A part of it: the time by rank and phase of the newest session; nothing where the run has none that can be read. */
void report_put_ranks(FILE *out, const char *run_dir);

bool report_put_dataset(FILE *out, const char *folder, const struct report_options *options, struct error *error);
bool report_put_sweep(FILE *out, const char *folder, const struct report_options *options, struct error *error);

/* Of a checkpoint or a model file, with samples; a damaged one is described as far as possible. */
bool report_put_model(FILE *out, const char *path, const struct report_options *options, struct error *error);

#endif
