/* Which tensors a model has. */
#ifndef DRUMLINE_MODEL_VAE_PARAMETERS_H
#define DRUMLINE_MODEL_VAE_PARAMETERS_H

#include "base/error.h"
#include "model/nn/tensors.h"
#include "model/vae/hparams.h"

/* The tensors of the model that `hparams` describes. Fails where one would be too large. */
bool parameters_describe(struct tensor_table *table, const struct hparams *hparams, struct error *error);

#endif
