/* The state of a run, from the files in its folder: metrics, lock and the starts of its Slurm job. Works while it runs. */
#ifndef DRUMLINE_PROGRAMS_INFO_STATE_H
#define DRUMLINE_PROGRAMS_INFO_STATE_H

#include "base/error.h"

#include <jansson.h>

#include <stdio.h>

struct info_state;

/* `run_dir` is copied; the folder need not exist yet. NULL when out of memory. */
struct info_state *info_state_make(const char *run_dir);
void info_state_free(struct info_state *state);

/* Reads the state; calling it again costs only what has changed. `object` has "checkpoints" (steps, newest first) and, where
 * known, "newest" (the latest valid one). Adds
 *
 * - "state": "not begun"; "starting" (a job holds the run, but has not logged its start); "running"; or how the last
 *   session ended: "done" (at num_steps, or by --patience), "pruned" (by --prune), "halted" (asked to, with a checkpoint),
 *   "failed" (with a message), "killed";
 * - "holder": who holds the run's lock, or left it behind: "host", "pid", "slurm_job", "age" in seconds, "alive";
 * - "progress": "step", "num_steps", "checkpoint_step" (to resume from), and once a step was logged "windows_per_second",
 *   "step_time", "seconds_left" and "age" (both in seconds, now);
 * - "sessions", as metrics_reader_sessions returns them; the last one's "steps_lost" too, where its last step is after checkpoint_step
 *   and nothing runs;
 * - "starts": the lines of requeues.tsv: "slurm_job", "slurm_restarts", "step", "num_nodes", "num_ranks", "time";
 * - "train" and "eval": the last "lines" of numbers, and of train the last "event"; missing where there is nothing;
 * - to "damage" what can't be read. */
void info_state_read(struct info_state *state, json_t *object);

/* Prints all of this; the table shows the last `most_sessions` sessions. */
void info_print_state(FILE *out, const json_t *object);
void info_print_sessions(FILE *out, const json_t *object, size_t most_sessions);

/* On one line: the state, the step, the loss, the speed, the time left. */
void info_print_state_line(FILE *out, const json_t *object);

/* The state in a few words: "halted by SIGTERM". */
void info_name_state(char *text, size_t size, const json_t *object);

#endif
