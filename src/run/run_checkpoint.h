/* The checkpoint that a training resumes from, and models made of checkpoints. */
#ifndef DRUMLINE_RUN_RUN_CHECKPOINT_H
#define DRUMLINE_RUN_RUN_CHECKPOINT_H

#include "model/checkpoint.h"
#include "model/vae/model.h"

/* Reads the latest valid checkpoint of RUN/train, to resume from: its description into *checkpoint and its path into *path (the
 * caller's). A damaged one is warned of by name and skipped for the one before it. *path is NULL, and that is no error, where
 * the run has no checkpoint; it is an error where all are damaged, or where the latest valid one is a model without optimizer
 * state. All tensors are verified, and none is kept. */
bool run_newest_checkpoint(struct checkpoint *checkpoint, char **path, const char *run_dir, struct error *error);

/* Reads the groups of a checkpoint to resume from. Where it has no averaged weights and they are wanted, they begin at its
 * weights, which is the first group. */
bool run_read_state(const char *path, const struct tensor_table *table, const struct tensor_group *groups,
                    size_t num_groups, struct error *error);

/* A model with the weights of a checkpoint, the averaged ones where there are some, for up to max_batch windows; NULL and the
 * error set on failure. Describes the checkpoint in *checkpoint. Warns of a file without a seal. */
struct model *run_load_model(struct checkpoint *checkpoint, const char *checkpoint_path, int max_batch,
                             struct error *error);

/* The weights of another training into a model: those of a checkpoint or model file, or of a run's latest valid checkpoint. *path
 * (the caller's) is the file, *checkpoint its description. Fails where it is of another model. */
bool run_initialize_model(struct model *model, struct checkpoint *checkpoint, char **path, const char *file_or_run,
                          struct error *error);

/* Whether run_initialize_model would initialize a model of these hparams: all tensors are verified, and none is kept. */
bool run_check_initial(const struct hparams *hparams, const char *file_or_run, struct error *error);

#endif
