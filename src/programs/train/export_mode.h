/* drumline-train --mode=export: a model file from a checkpoint. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_EXPORT_MODE_H
#define DRUMLINE_PROGRAMS_TRAIN_EXPORT_MODE_H

#include "dist/comm.h"
#include "programs/train/options.h"

/* Writes the weights of --checkpoint_file, or the chosen one of --run_dir (--checkpoint), to --output_file: without optimizer
 * state, the averaged weights where there are some, with their hparams, --licence, --attribution and the command that trains
 * them. With --examples_path the latents are fitted by all ranks (programs/train/latents.h). Returns the program's exit status, with the error set on failure. Rank 0 does the rest. Collective. */
int export_mode_run(const struct train_options *options, const struct config *config, struct comm *comm,
                    struct error *error);

#endif
