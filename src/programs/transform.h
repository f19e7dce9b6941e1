/* From hparams, which belong to the model, to the transform that the data module applies. */
#ifndef DRUMLINE_PROGRAMS_TRANSFORM_H
#define DRUMLINE_PROGRAMS_TRANSFORM_H

#include "data/batch.h"
#include "model/hparams.h"

struct transform transform_of(const struct hparams *hparams);

#endif
