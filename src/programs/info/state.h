/* Where a run stands, from what lies in its folder: its metrics, its lock and the starts of its job. Also while it goes on. */
#ifndef DRUMLINE_PROGRAMS_INFO_STATE_H
#define DRUMLINE_PROGRAMS_INFO_STATE_H

#include "base/error.h"

#include <jansson.h>

#include <stdio.h>

struct info_state;

/* `run_dir` is copied; the folder need not be there yet. NULL where there is no memory. */
struct info_state *info_state_make(const char *run_dir);
void info_state_free(struct info_state *state);

/* Looks, which costs little when done again, and adds to the object, which has "checkpoints" (steps, newest first) and where
 * it is known "newest" (the newest sound one),
 *
 * - "state": "not begun"; "starting" (a job has the run, but has not told of its start); "running"; or how the last
 *   session ended: "done" (at num_steps), "halted" (asked to, with a checkpoint), "failed" (for a reason that it told), "killed";
 * - "holder": who has the run's lock, or has left it: "host", "pid", "slurm_job", "age" in seconds, "alive";
 * - "progress": "step", "num_steps", "checkpoint_step" (to go on from), and once a step was told of "windows_per_second",
 *   "seconds_per_step", "seconds_left" and "age" (both in seconds, now);
 * - "sessions", as metrics_reader_sessions tells; the last one's "steps_lost" too, where checkpoint_step lies before its last step
 *   and nothing runs;
 * - "starts": the lines of requeues.tsv: "slurm_job", "slurm_restarts", "step", "num_nodes", "num_ranks", "time";
 * - "train" and "eval": the last "lines" of numbers, and of train the last "event"; missing where there is nothing;
 * - to "damage" what can't be read. */
void info_state_read(struct info_state *state, json_t *object);

/* All of this in words; the table of the sessions has at most `most_sessions` lines, of which the last ones are shown. */
void info_print_state(FILE *out, const json_t *object);
void info_print_sessions(FILE *out, const json_t *object, size_t most_sessions);

/* On one line: the state, the step, the loss, the speed, the time left. */
void info_print_state_line(FILE *out, const json_t *object);

/* How the state is told in a few words: "halted by SIGTERM". */
void info_name_state(char *text, size_t size, const json_t *object);

#endif
