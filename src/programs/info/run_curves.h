/* A run's loss and val_loss by step, drawn for a terminal while the run goes on. */
#ifndef DRUMLINE_PROGRAMS_INFO_RUN_CURVES_H
#define DRUMLINE_PROGRAMS_INFO_RUN_CURVES_H

#include "programs/info/curves.h"

struct run_curves;

/* `run_dir` is copied; the run may have no metrics yet. NULL when out of memory. */
struct run_curves *run_curves_make(const char *run_dir);
void run_curves_free(struct run_curves *curves);

/* Reads the metrics again, but spends at most about a tenth of the time with it: so the curves of a run of very many steps may be
 * some seconds old. With `now` they are not. Metrics that can't be read have no curves. */
void run_curves_read(struct run_curves *curves, bool now);

/* As curves_print; nothing before there is a step. */
void run_curves_print(FILE *out, const struct run_curves *curves, const struct curves_canvas *canvas);

#endif
