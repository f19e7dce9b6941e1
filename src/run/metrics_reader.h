/* Reads a metrics.jsonl that may be growing: its last lines of numbers, and the sessions in which the run was made.
 *
 * A session is what one job has made of the run, from a "start" or "resume" to its "end", or where it was killed to the session
 * after it. Reading again costs only what has been added. The file may hold anything: a line that is half written, is no
 * JSON object or has members of other types is skipped. */
#ifndef DRUMLINE_RUN_METRICS_READER_H
#define DRUMLINE_RUN_METRICS_READER_H

#include "base/error.h"

#include <jansson.h>

struct metrics_reader;

/* `path` is copied, and need not be there yet. */
struct metrics_reader *metrics_reader_make(const char *path);
void metrics_reader_free(struct metrics_reader *reader);

/* Reads on; from the beginning where another file has come in the place of the one before. No file is no error and holds
 * nothing. */
bool metrics_reader_read(struct metrics_reader *reader, struct error *error);

/* The last lines of numbers, at most five, as they stand in the file, without those of steps that a later session has made
 * again: a new array. */
json_t *metrics_reader_lines(const struct metrics_reader *reader);

/* The last event as it stands in the file, NULL where there is none; the reader's. */
json_t *metrics_reader_event(const struct metrics_reader *reader);

/* The sessions, oldest first, the last thousand: a new array of objects. "from_step", "num_steps", "num_ranks", "began" (UTC)
 * and "last_step" are always there; "last_time" once a line of metrics was written; "host", "pid", "slurm_job" and "slurm_restarts" where
 * the event had them; "reason", "ended" and perhaps "message" once it has ended; "steps_lost" where the session after it began
 * at a step before its last. */
json_t *metrics_reader_sessions(const struct metrics_reader *reader);

/* The number of a metric (base/metric.h), called "loss" in a line of training and "val_loss" or so in one of an evaluation;
 * NULL where the line has none. The line's. */
const json_t *metrics_reader_value(const json_t *line, const char *name);

#endif
