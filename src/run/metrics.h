/* metrics.jsonl: one JSON object a line, appended with one write each, so that readers see whole lines.
 *
 * A line with the key "event" tells of a start, resumption or end; all others carry a step's numbers. After a resumption the
 * steps since the checkpoint are made, and written, again. */
#ifndef DRUMLINE_RUN_METRICS_H
#define DRUMLINE_RUN_METRICS_H

#include "base/error.h"
#include "model/vae/model.h"

/* Everything that a line of the log tells. Fields that do not apply are NaN and left out. */
struct metrics_line {
    uint64_t step;
    struct model_losses losses;
    double beta, learning_rate, global_norm;
    double windows_per_second, seconds_per_step, wait_share, seconds_left;
    uint64_t epoch, skipped;
    bool training; /* else an evaluation: losses alone, with hits_f1 */
};

/* Appends to FOLDER/metrics.jsonl; makes the folder. */
bool metrics_append(const char *folder, const struct metrics_line *line, struct error *error);

/* A start, a resumption or an end. The first two also tell this process's host and number, and its Slurm job if any. */
struct metrics_event {
    const char *event; /* "start", "resume", "end" */
    uint64_t step, num_steps;
    int num_ranks;
    const char *reason;  /* of an end; else NULL */
    const char *message; /* of an end with the reason METRICS_FAILED; else NULL */
};
#define METRICS_FAILED "failed"
bool metrics_append_event(const char *folder, const struct metrics_event *event, struct error *error);

/* The same for people, on one line of the log; said on every rank, of which each has a wait_share of its own. */
void metrics_log(const struct metrics_line *line, uint64_t num_steps);

#endif
