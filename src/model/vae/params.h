/* The table of a model's tensors. Offsets, initial values, checkpoints and the order of the gradient reduction all follow
 * from it.
 *
 * All parameters lie in one array of floats, and so do gradients and both moments of the optimizer: a tensor has the same
 * offset in each. The rows stand in the order in which backward finishes their gradients (output first, encoder last), so
 * "finished up to offset N" says all there is to say. */
#ifndef DRUMLINE_MODEL_VAE_PARAMS_H
#define DRUMLINE_MODEL_VAE_PARAMS_H

#include "model/vae/hparams.h"

enum {
    PARAMS_MAX_ROWS = 128,
    PARAMS_ALIGNMENT = 16, /* floats: every tensor begins on a cache line; the gaps stay 0 */
    PARAM_NAME_SIZE = 48,
};

enum param_initial {
    INITIAL_ZERO,
    INITIAL_GLOROT_UNIFORM, /* U(-a, a), a = sqrt(6 / (rows + columns)): Glorot and Bengio, AISTATS 2010 */
    INITIAL_SMALL_NORMAL,   /* N(0, 0.001): what MusicVAE gives the dense layers around z */
};

struct param {
    char name[PARAM_NAME_SIZE]; /* "decoder/layer_0/kernel"; the name in a checkpoint too */
    int num_dims;               /* 1 or 2 */
    int rows, columns;          /* rows is 1 where num_dims is 1 */
    enum param_initial initial;
    size_t offset; /* floats from the start of the array */
    size_t count;  /* rows * columns */
};

struct param_table {
    int num_rows;
    size_t num_floats; /* of the whole array, gaps included */
    size_t num_values; /* gaps left out */
    struct param rows[PARAMS_MAX_ROWS];
};

/* The tensors of the model that `hparams` describes. Fails where they would be too many or too large. */
bool params_describe(struct param_table *table, const struct hparams *hparams, struct error *error);

/* The row of that name; aborts where there is none: names are ours. */
const struct param *params_find(const struct param_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* values[0..num_floats): initial values from `seed`, the gaps 0. */
void params_initialize(float *values, const struct param_table *table, uint64_t seed);

#endif
