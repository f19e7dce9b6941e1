/* From hparams, which belong to the model, to the representation's converter and the transform that the data module applies. */
#ifndef DRUMLINE_PROGRAMS_COMMON_TRANSFORM_H
#define DRUMLINE_PROGRAMS_COMMON_TRANSFORM_H

#include "data/dataset/converter.h"
#include "model/vae/hparams.h"

/* Fails where the hparams ask for a transform that their representation does not have. */
bool transform_of(struct transform *transform, const struct hparams *hparams, struct error *error);

#endif
