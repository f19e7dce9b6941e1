/* Checkpoints without a training. */
#ifndef DRUMLINE_TESTS_MODEL_UNTRAINED_CHECKPOINT_H
#define DRUMLINE_TESTS_MODEL_UNTRAINED_CHECKPOINT_H

#include "base/error.h"

#include <stdint.h>

/* Writes a checkpoint of `config` with `changes` to its hparams, at `step`. Its weights are drawn at random, those around z and
 * the output's larger than a training would draw them, so that what is generated differs from z to z. */
bool untrained_checkpoint(const char *path, const char *config_name, const char *changes, uint64_t step,
                          struct error *error);

#endif
