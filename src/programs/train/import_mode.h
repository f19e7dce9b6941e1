/* drumline-train --mode=import: a model file from a model of another program. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_IMPORT_MODE_H
#define DRUMLINE_PROGRAMS_TRAIN_IMPORT_MODE_H

#include "dist/comm.h"
#include "programs/train/options.h"

/* Reads --input_file (exchange/foreign_reader.h) and writes --output_file: the weights with the hparams that it says or that
 * follow from its tensors, --config and --hparams, and --licence and --attribution. Returns the program's exit status, with the
 * error set on failure. Rank 0 does the work. Collective. */
int import_mode_run(const struct train_options *options, const struct config *config, struct comm *comm,
                    struct error *error);

#endif
