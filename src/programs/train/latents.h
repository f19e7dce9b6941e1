/* Fits a model's latent density to the train split of a data set. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_LATENTS_H
#define DRUMLINE_PROGRAMS_TRAIN_LATENTS_H

#include "model/vae/hparams.h"
#include "model/vae/latent_density.h"

/* Encodes every non-overlapping window of the split, as an input without note dropout, on the calling process alone. `values`
 * are all of the table's. `density` is the caller's; empty on failure. */
bool latents_fit(struct latent_density *density, const struct hparams *hparams, const struct tensor_table *table,
                 const float *values, const char *examples_path, struct error *error);

#endif
