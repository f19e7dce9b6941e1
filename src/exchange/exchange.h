/* What is exchanged with other programs: one model, in formats that are not ours. Weights, the latent density where there is
 * one, and notes: the config, hparams and origin as short texts, which every such format can hold. */
#ifndef DRUMLINE_EXCHANGE_EXCHANGE_H
#define DRUMLINE_EXCHANGE_EXCHANGE_H

#include "model/checkpoint.h"

/* What stands before a name, "mean" or "factor", where tensors of the latent density lie beside those of the model. */
#define EXCHANGE_LATENTS "latents/"

/* A model to write. All of it is the caller's. */
struct exchange_model {
    const struct checkpoint *checkpoint; /* hparams and notes */
    const struct tensor_table *table;    /* of its hparams */
    const float *values;                 /* [table->num_floats] */
    const struct latents *latents;       /* NULL: none */
};

#endif
