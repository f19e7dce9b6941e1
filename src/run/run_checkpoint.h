/* The checkpoint that a training goes on from, and models made of checkpoints. */
#ifndef DRUMLINE_RUN_RUN_CHECKPOINT_H
#define DRUMLINE_RUN_RUN_CHECKPOINT_H

#include "model/checkpoint.h"
#include "model/vae/model.h"

/* Reads the newest sound checkpoint of RUN/train: its description into *checkpoint and its path into *path (the caller's).
 * One that fails its checks is warned of by name and passed over for the one before it. *path is NULL, and that is no error,
 * where the run has no checkpoint; it is an error where all it has are damaged. The tensors are verified but not kept. */
bool run_newest_checkpoint(struct checkpoint *checkpoint, char **path, const char *run_dir, struct error *error);

/* A model with the parameters of a checkpoint, for up to max_batch windows; NULL and the error set on failure. Describes the
 * checkpoint in *checkpoint. */
struct model *run_load_model(struct checkpoint *checkpoint, const char *checkpoint_path, int max_batch,
                             struct error *error);

#endif
