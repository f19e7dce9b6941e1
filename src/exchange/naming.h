/* What the tensors of a model are called, and shaped, in a file: as ours (docs/models.md), or as Magenta's variables. */
#ifndef DRUMLINE_EXCHANGE_NAMING_H
#define DRUMLINE_EXCHANGE_NAMING_H

#include "exchange/magenta_names.h"
#include "model/vae/hparams.h"

struct naming {
    bool is_magentas;
    struct tensor_table table;  /* of the model */
    struct magenta_names names; /* where is_magentas */
};

/* Of the model that `hparams` describes. Fails where it is too large. */
bool naming_make(struct naming *naming, const struct hparams *hparams, bool is_magentas, struct error *error);

/* The name and the shape of what holds row i of the table. */
const char *naming_name(const struct naming *naming, int row);
void naming_shape(int *num_dims, int dims[2], const struct naming *naming, int row);

/* The name of what holds our tensor `ours`, which the model has. */
const char *naming_of(const struct naming *naming, const char *ours);

#endif
