/* The table of a model's tensors. Offsets, initial values, checkpoints and the order of the gradient reduction all follow
 * from it. Which tensors a model has, model/vae/parameters.h says.
 *
 * All parameters lie in one array of floats, and so do their gradients and the optimizer's moments: a tensor has the same
 * offset in each. The rows stand in the order in which backward finishes their gradients (output first, encoder last), so
 * "final up to offset N" says all there is to say. */
#ifndef DRUMLINE_MODEL_NN_TENSORS_H
#define DRUMLINE_MODEL_NN_TENSORS_H

#include <stddef.h>
#include <stdint.h>

enum {
    TENSORS_MAX_ROWS = 128,
    TENSORS_ALIGNMENT = 16, /* floats: every tensor begins on a cache line; the gaps stay 0 */
    TENSOR_NAME_SIZE = 48,
};

enum tensor_initial {
    INITIAL_ZERO,
    INITIAL_GLOROT_UNIFORM, /* U(-a, a), a = sqrt(6 / (rows + columns)): Glorot and Bengio, AISTATS 2010 */
    INITIAL_SMALL_NORMAL,   /* N(0, 0.001): what MusicVAE gives the dense layers around z */
};

struct tensor {
    char name[TENSOR_NAME_SIZE]; /* "decoder/layer_0/kernel"; the name in a checkpoint too */
    int num_dims;                /* 1 or 2 */
    int rows, columns;           /* rows is 1 where num_dims is 1 */
    enum tensor_initial initial;
    size_t offset; /* floats from the start of the array */
    size_t count;  /* rows * columns */
};

struct tensor_table {
    int num_rows;
    size_t num_floats; /* of the whole array, gaps included */
    size_t num_values; /* without the gaps */
    struct tensor rows[TENSORS_MAX_ROWS];
};

/* Values of all tensors of a table, and what they are. */
struct tensor_group {
    const char *name; /* of the group in a checkpoint: "model", "optimizer/m" */
    float *values;    /* [num_floats]; not owned */
};

/* Appends a tensor [columns] (num_dims 1, rows 1) or [rows, columns] (num_dims 2). The table has room for TENSORS_MAX_ROWS. */
void tensors_add(struct tensor_table *table, const char *name, int num_dims, int64_t rows, int64_t columns,
                 enum tensor_initial initial);

/* Appends NAME/kernel [inputs, outputs] and NAME/bias [outputs], which begins at 0. */
void tensors_add_affine(struct tensor_table *table, const char *name, int64_t inputs, int64_t outputs,
                        enum tensor_initial initial);

/* The row of that name; aborts where there is none: names are ours. */
const struct tensor *tensors_find(const struct tensor_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* values[0..num_floats): initial values from `seed`, the gaps 0. */
void tensors_initialize(float *values, const struct tensor_table *table, uint64_t seed);

#endif
