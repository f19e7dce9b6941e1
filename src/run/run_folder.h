/* A run's folder: RUN/train with checkpoints and metrics, RUN/eval with the metrics of evaluations. */
#ifndef DRUMLINE_RUN_RUN_FOLDER_H
#define DRUMLINE_RUN_RUN_FOLDER_H

#include "base/error.h"

#include <stdint.h>

/* Paths owned by the caller. */
char *run_train_folder(const char *run_dir);
char *run_eval_folder(const char *run_dir);

#define RUN_METRICS_NAME "metrics.jsonl"
#define RUN_RANKS_NAME "rank_times.json"
#define RUN_TENSORS_NAME "tensors.jsonl" /* --log_tensors */
#define RUN_BEST_NAME "best.h5"          /* in RUN/train: the model of the lowest val_loss, without optimizer state */
#define RUN_STARTS_NAME "requeues.tsv"   /* in RUN itself: the starts of its job, by jobs/train.sh */

/* Someone who tries to use a checkpoint: false and the error set where it can't. The error's number says why: 0, the
 * checkpoint is damaged; else the system failed (base/error.h). */
struct run_checkpoint_user {
    bool (*use)(void *context, const char *path, struct error *error);
    void *context;
};

/* Offers the checkpoints of RUN/train, the newest first, until one is used; *path (the caller's) is that one's. One that is
 * damaged is skipped with a warning in favour of the one before it. *path is NULL, and that is no error, where the run has no
 * checkpoint. It is an error where all are damaged, and where the system can't read one (EACCES, EIO, ENOMEM, EMFILE): that
 * one may be valid, so no older one takes its place. */
bool run_use_newest_checkpoint(const struct run_checkpoint_user *user, char **path, const char *run_dir,
                               struct error *error);

struct checkpoint;

/* Logs a warning where a file that was read has no seal: then only what its values show was checked. */
void run_warn_unsealed(const struct checkpoint *checkpoint, const char *path);

/* Offers RUN/train/best.h5 first, and where there is none, or a damaged one, the checkpoints as above. One that the system
 * can't read is an error. */
bool run_use_best_checkpoint(const struct run_checkpoint_user *user, char **path, const char *run_dir,
                             struct error *error);

/* Sets the error, and is false: why a run folder in which no checkpoint was found has none. */
bool run_refuse_without_checkpoint(const char *run_dir, struct error *error);

/* Which checkpoint of a run is used where none is named: --checkpoint of the programs that do not train. */
enum run_checkpoint_choice { RUN_CHECKPOINT_BEST, RUN_CHECKPOINT_NEWEST };
#define RUN_CHECKPOINT_CHOICES "best|newest"
bool run_use_checkpoint(const struct run_checkpoint_user *user, char **path, const char *run_dir,
                        enum run_checkpoint_choice choice, struct error *error);

/* Renames the checkpoints of RUN/train above `newest_step`, which were skipped, to NAME.damaged: so they are no longer
 * counted among those to keep, and stay for whoever wants to look at them. For a training that has the run's lock. */
bool run_set_damaged_aside(const char *train_folder, uint64_t newest_step, struct error *error);

#endif
