/* The bf16 products of a model: each shape is prepared when it is first noted, and weights are packed when a pass first
 * multiplies by them. */
#ifndef DRUMLINE_MODEL_NN_BF16_PRODUCTS_H
#define DRUMLINE_MODEL_NN_BF16_PRODUCTS_H

#include "model/nn/bf16_engine.h"

struct bf16_products;

/* Takes the engine over, also where it fails. NULL and the error set where memory is short. */
struct bf16_products *bf16_products_make(struct bf16_engine *engine, struct error *error);
void bf16_products_free(struct bf16_products *products);

struct bf16_engine *bf16_products_engine(const struct bf16_products *products); /* owned by the products */

/* From here on bf16_multiply prepares products instead of making them, until bf16_products_end_noting. That fails with the
 * first product's error that could not be prepared. */
void bf16_products_begin_noting(struct bf16_products *products);
bool bf16_products_end_noting(struct bf16_products *products, struct error *error);

/* The weights may have changed: each will be packed anew before it is used. */
void bf16_products_begin_pass(struct bf16_products *products);

/* out [rows, columns] = or += the product of that shape. `weights` are floats and stay where they are for as long as the
 * products live; a kernel's gradient has b instead. A product that was not noted aborts: it can only be a mistake of
 * ours. */
void bf16_multiply(struct bf16_products *products, float *out, const uint16_t *a, const float *weights,
                   const uint16_t *b, const struct bf16_shape *shape);

#endif
