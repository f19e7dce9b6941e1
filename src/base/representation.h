/* Representations: how music is laid out as steps of D numbers for a model. Each is a row of one table, and what depends on it
 * follows from that row: shapes of tensors, losses, metrics, windows, sampling.
 *
 * A row's columns belong to output heads, from left to right. src/model has an implementation of each kind of head
 * (model/vae/output_head.h), src/data a converter for each row (data/dataset/converter.h). A new representation is a row here,
 * its converter and, where it needs one, a new kind of head. */
#ifndef DRUMLINE_BASE_REPRESENTATION_H
#define DRUMLINE_BASE_REPRESENTATION_H

#include "base/error.h"

#include <stddef.h>

enum { REPRESENTATION_MAX_HEADS = 8 };

/* Kinds of heads. */
#define HEAD_BERNOULLI "bernoulli" /* independent bits; logits; cross entropy */
#define HEAD_SIGMOID "sigmoid"     /* numbers from 0 to 1; squared error */
#define HEAD_TANH "tanh"           /* numbers from -1 to 1; squared error */

struct representation_head {
    const char *name; /* its metrics are called after it: hits_loss, hits_f1 */
    const char *kind;
    int width; /* columns */
    const char
        *gate; /* a Bernoulli head of the same width before this one: where its bit is 0, so is this one's value when
                         music is sampled. NULL: none */
};

struct representation {
    const char *name; /* as in --hparams=representation=NAME and in the attributes of data sets and checkpoints */
    int steps_per_bar;
    int depth;        /* D: numbers a step, the sum of the heads' widths */
    int num_controls; /* with hits_as_controls: so many of a step's first columns are given to the model */
    int num_heads;
    struct representation_head heads[REPRESENTATION_MAX_HEADS];
};

/* The rows. The first is "groove": nine drum classes, each with a hit, a velocity and an offset at every sixteenth (Gillick et
 * al., "Learning to Groove with Inverse Sequence Transformations", ICML 2019). */
extern const struct representation representation_table[];
extern const size_t representation_count;

/* "groove|...": the names in the order of the table, as a setting's choices. */
extern const char representation_choices[];

/* The row of that name; NULL and, unless `error` is NULL, an error where there is none. */
const struct representation *representation_find(const char *name, struct error *error);

/* The number of the head of that name, -1 where there is none. */
int representation_head_find(const struct representation *representation, const char *name);

/* Fails where a row contradicts itself: widths that do not add up to the depth, a gate that is no Bernoulli head of the same
 * width before the gated one, names that are missing or there twice, more controls than columns. */
bool representation_check(const struct representation *representation, struct error *error);

#endif
