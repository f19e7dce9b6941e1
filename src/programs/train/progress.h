/* How a training comes on between the lines of metrics: a line of the log after every --log_secs without another, and on a
 * terminal a bar that is drawn again and again. Both say how far a long step has come, the first one too. For rank 0; the others'
 * log prints none of it. Reads the clock and nothing else, so that results do not depend on it. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_PROGRESS_H
#define DRUMLINE_PROGRAMS_TRAIN_PROGRESS_H

#include <stdint.h>

struct train_progress {
    uint64_t first_step, num_steps; /* of this session, which goes on from first_step to num_steps */
    double line_seconds;            /* 0: no lines */
    double started;                 /* clock_seconds of this session's first step */
    double lined, drawn;            /* when the last line and the last bar were printed */
};

/* `now`, here and below: clock_seconds. */
void train_progress_start(struct train_progress *progress, uint64_t first_step, uint64_t num_steps, double line_seconds,
                          double now);

/* `done` of this rank's `count` windows of step `step` (from 1) have been worked on. */
void train_progress_at(struct train_progress *progress, uint64_t step, uint64_t done, uint64_t count, double now);

/* Another line of the log says how far the training is. */
void train_progress_said(struct train_progress *progress, double now);

#endif
