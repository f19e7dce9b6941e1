/* drumline-train --mode=eval: losses and quality of one checkpoint on one split. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_EVAL_MODE_H
#define DRUMLINE_PROGRAMS_TRAIN_EVAL_MODE_H

#include "dist/comm.h"
#include "programs/train/options.h"

/* Evaluates --checkpoint_file, or a checkpoint of --run_dir by --checkpoint, prints what it found and, with --run_dir, appends
 * them to RUN/eval/metrics.jsonl. Returns the program's exit status, with the error set on failure. Collective. */
int eval_mode_run(const struct train_options *options, const struct config *config, struct comm *comm,
                  struct error *error);

#endif
