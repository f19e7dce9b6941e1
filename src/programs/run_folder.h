/* A run's folder: RUN/train with checkpoints and metrics, RUN/eval with the metrics of evaluations. */
#ifndef DRUMLINE_PROGRAMS_RUN_FOLDER_H
#define DRUMLINE_PROGRAMS_RUN_FOLDER_H

#include "model/checkpoint.h"
#include "model/model.h"

/* Paths owned by the caller. */
char *run_train_folder(const char *run_dir);
char *run_eval_folder(const char *run_dir);

#define RUN_METRICS_NAME "metrics.jsonl"
#define RUN_STARTS_NAME "requeues.tsv" /* in RUN itself: the starts of its job, by jobs/train.sh */

/* Reads the newest sound checkpoint of RUN/train: its description into *checkpoint and its path into *path (the caller's).
 * One that fails its checks is warned of by name and passed over for the one before it. *path is NULL, and that is no error,
 * where the run has no checkpoint; it is an error where all it has are damaged. The tensors are verified but not kept. */
bool run_newest_checkpoint(struct checkpoint *checkpoint, char **path, const char *run_dir, struct error *error);

/* Renames the checkpoints of RUN/train above `newest_step`, which were passed over, to NAME.damaged: so they are no longer
 * counted among those to keep, and stay for whoever wants to look at them. For a training that has the run's lock. */
bool run_set_damaged_aside(const char *train_folder, uint64_t newest_step, struct error *error);

/* A model with the parameters of a checkpoint, for up to max_batch windows; NULL and the error set on failure. Describes the
 * checkpoint in *checkpoint. */
struct model *run_load_model(struct checkpoint *checkpoint, const char *checkpoint_path, int max_batch,
                             struct error *error);

#endif
