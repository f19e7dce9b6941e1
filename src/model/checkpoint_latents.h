/* The group /latents of a checkpoint (docs/formats.md): model/latents/latents.h, written and read. */
#ifndef DRUMLINE_MODEL_CHECKPOINT_LATENTS_H
#define DRUMLINE_MODEL_CHECKPOINT_LATENTS_H

#include "base/hdf5/hdf5.h"
#include "model/latents/latents.h"

#define CHECKPOINT_LATENTS "latents"

/* As 32-bit floats, whatever the weights are. Names are attributes of the file. */
bool checkpoint_latents_write(hid_t file, const struct latents *latents, struct error *error);

/* What is there, for a model whose latent vector has `size` numbers and whose hits have `classes`; empty, and that is no failure,
 * where the file has no density. Files with one Gaussian alone are fine. Messages name the file as `path`. Free with
 * latents_free. */
bool checkpoint_latents_read(struct latents *latents, struct hdf5_reader *file, const char *path, int size, int classes,
                             struct error *error);

#endif
