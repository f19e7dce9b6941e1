/* From hparams, which belong to the model, to the transform that the data module applies. */
#ifndef DRUMLINE_PROGRAMS_COMMON_TRANSFORM_H
#define DRUMLINE_PROGRAMS_COMMON_TRANSFORM_H

#include "data/dataset/batch.h"
#include "model/vae/hparams.h"

struct transform transform_of(const struct hparams *hparams);

#endif
