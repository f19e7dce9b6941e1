/* Magenta's names for the tensors of a model, in both directions.
 *
 * Magenta's MusicVAE, in Python and in JavaScript, has the same layers as ours, so a table says all there is to say: which of
 * its variables holds which of our tensors, and in which order of rows. The columns of an LSTM kernel are the gates
 * (i, j, f, o) in both: what Magenta calls j is our candidate c~, and both add 1 to f when they compute it, not in the bias.
 *
 * Rows of an LSTM kernel are its inputs and then h. They differ where
 * - a core decoder's lowest layer has controls: [x, z, controls, h] there, [x, controls, z, h] here;
 * - the conductor is fed a number that is always 0: [0, h] there, [h] here;
 * - a model has input_as_controls: Magenta.js feeds controls to the encoder too, so its kernel gets rows of zeros for them:
 *   [x, controls, h] there, [x, h] here. */
#ifndef DRUMLINE_EXCHANGE_MAGENTA_NAMES_H
#define DRUMLINE_EXCHANGE_MAGENTA_NAMES_H

#include "base/error.h"
#include "model/nn/tensors.h"
#include "model/vae/hparams.h"

enum { MAGENTA_NAME_SIZE = 128, MAGENTA_MAX_BLOCKS = 4 };

enum magenta_rows {
    MAGENTA_ROWS_OURS,   /* rows of our tensor */
    MAGENTA_ROWS_UNUSED, /* their input is always 0: written as 0, any value is read */
    MAGENTA_ROWS_ZERO,   /* 0 */
};

/* Consecutive rows of a variable. */
struct magenta_block {
    enum magenta_rows kind;
    int count;
    int first; /* the first of our rows, where they are ours */
};

struct magenta_variable {
    char name[MAGENTA_NAME_SIZE]; /* "encoder/mu/kernel" */
    int tensor;                   /* number of the row of our table */
    int num_dims, rows, columns;  /* its own sizes; rows is 1 where num_dims is 1 */
    int num_blocks;
    struct magenta_block blocks[MAGENTA_MAX_BLOCKS]; /* from the top; their counts add up to `rows` */
};

/* Variable i holds the tensor of row i of our table. */
struct magenta_names {
    int count;
    struct magenta_variable variables[TENSORS_MAX_ROWS];
};

/* The variables of the model that `hparams` describes; `table` is that model's (model/vae/parameters.h). */
void magenta_names_make(struct magenta_names *names, const struct hparams *hparams, const struct tensor_table *table);

/* The variable of that name; NULL where the model has none. */
const struct magenta_variable *magenta_names_find(const struct magenta_names *names, const char *name);

/* Numbers in a variable: rows * columns. */
size_t magenta_variable_count(const struct magenta_variable *variable);

/* out [rows, columns] of the variable, from the values [num_floats] of our table. */
void magenta_variable_write(float *out, const struct magenta_variable *variable, const struct tensor_table *table,
                            const float *values);

/* The other way: `in` [rows, columns] of the variable to its place in values. Fails where rows that have to be 0 are not. */
bool magenta_variable_read(float *values, const struct magenta_variable *variable, const struct tensor_table *table,
                           const float *in, struct error *error);

#endif
