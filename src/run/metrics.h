/* metrics.jsonl: one JSON object a line, appended with one write each, so that readers see whole lines and those of several
 * writers do not mix. The file must be a regular one.
 *
 * A line with the key "event" reports a start, resumption or end; all others carry metrics (base/metric.h) of a step. After a
 * resumption the steps since the checkpoint are repeated, and written again. */
#ifndef DRUMLINE_RUN_METRICS_H
#define DRUMLINE_RUN_METRICS_H

#include "base/error.h"
#include "base/metric.h"

#include <jansson.h>

#include <stdint.h>

/* The metrics of one step: of training, or of an evaluation of a split. Metrics that do not apply are NaN. */
struct metrics_line {
    uint64_t step;
    const struct metric_set *set;
    struct metric_values values;
    const char *split;        /* "validation", ...; NULL: training */
    uint64_t skipped_windows; /* of an evaluation: silent ones (skip_silent); written and logged where there are any */
};

/* A line without any value. */
void metrics_line_start(struct metrics_line *line, const struct metric_set *set, uint64_t step, const char *split);

/* Appends to FOLDER/metrics.jsonl; makes the folder. Values that are not finite are skipped: JSON has none. What a full disk
 * cuts of a line of training is taken back, for one job alone may write those (run/run_lock.h). Several may append lines of
 * evaluations: one that is cut stays so, and the next, whoever writes it, begins on a line of its own. Readers must skip a
 * line that is no JSON. */
bool metrics_append(const char *folder, const struct metrics_line *line, struct error *error);

/* The same with more members, those of the object `more`, which stays the caller's. */
bool metrics_append_more(const char *folder, const struct metrics_line *line, json_t *more, struct error *error);

/* A start, a resumption or an end. The first two also have this process's host and number, and its Slurm job if any. */
struct metrics_event {
    const char *event; /* "start", "resume", "end" */
    uint64_t step, num_steps;
    int num_ranks;
    uint64_t
        skipped_windows; /* of a start or resumption: silent ones of the training split; written where there are any */
    const char *reason;  /* of an end; else NULL */
    const char *message; /* of an end with the reason METRICS_FAILED or METRICS_STALLED; else NULL */
};
#define METRICS_FAILED "failed"
#define METRICS_PATIENCE "patience" /* an end by --patience */
#define METRICS_PRUNED "pruned"     /* an end by --prune */
#define METRICS_STALLED "stalled"   /* hung, and ended by itself (programs/train/watchdog.h) */
bool metrics_append_event(const char *folder, const struct metrics_event *event, struct error *error);

/* The same metrics on one line of the log, on every rank: wait_share is each rank's own. num_steps: of a training. */
void metrics_log(const struct metrics_line *line, uint64_t num_steps);

#endif
