#include "model/nn/bf16_products.h"

#include "base/array.h"

#include <stdio.h>
#include <stdlib.h>

struct entry {
    struct bf16_shape shape;
    const float *weights; /* NULL in a kernel's gradient */
    void *product;
    uint64_t packed; /* number of the pass in which the weights were packed */
};

struct bf16_products {
    struct bf16_engine *engine;
    struct entry *entries;
    size_t count, capacity;
    uint64_t pass; /* from 1 */
    bool noting;
    bool failed; /* while noting; then with this error */
    struct error error;
};

struct bf16_products *bf16_products_make(struct bf16_engine *engine, struct error *error)
{
    struct bf16_products *products = calloc(1, sizeof *products);
    if (!products) {
        error_set(error, "out of memory");
        engine->free(engine);
        return NULL;
    }
    products->engine = engine;
    products->pass = 1;
    return products;
}

void bf16_products_free(struct bf16_products *products)
{
    if (!products)
        return;
    for (size_t i = 0; i < products->count; i++)
        products->engine->release(products->entries[i].product);
    products->engine->free(products->engine);
    free(products->entries);
    free(products);
}

struct bf16_engine *bf16_products_engine(const struct bf16_products *products)
{
    return products->engine;
}

void bf16_products_begin_noting(struct bf16_products *products)
{
    products->noting = true;
    products->failed = false;
}

bool bf16_products_end_noting(struct bf16_products *products, struct error *error)
{
    products->noting = false;
    if (products->failed)
        *error = products->error;
    return !products->failed;
}

void bf16_products_begin_pass(struct bf16_products *products)
{
    products->pass++;
}

static bool same_shape(const struct bf16_shape *a, const struct bf16_shape *b)
{
    return a->kind == b->kind && a->rows == b->rows && a->columns == b->columns && a->inner == b->inner &&
           a->write == b->write;
}

static struct entry *find(struct bf16_products *products, const float *weights, const struct bf16_shape *shape)
{
    for (size_t i = 0; i < products->count; i++)
        if (products->entries[i].weights == weights && same_shape(&products->entries[i].shape, shape))
            return &products->entries[i];
    return NULL;
}

static bool make_room(struct bf16_products *products, struct error *error)
{
    struct entry *entries = array_grow(products->entries, &products->capacity, products->count, 1, sizeof *entries);
    if (!entries)
        return error_set(error, "out of memory");
    products->entries = entries;
    return true;
}

static void note(struct bf16_products *products, const float *weights, const struct bf16_shape *shape)
{
    if (products->failed || find(products, weights, shape))
        return;
    if (!make_room(products, &products->error)) {
        products->failed = true;
        return;
    }
    void *product = products->engine->prepare(products->engine, shape, &products->error);
    if (product)
        products->entries[products->count++] = (struct entry){*shape, weights, product, 0};
    else
        products->failed = true;
}

/* Gradients of kernels replace in a step's first micro-batch and are added in the others. */
static void note_both_writes(struct bf16_products *products, const struct bf16_shape *shape)
{
    struct bf16_shape both = *shape;
    both.write = OP_REPLACE;
    note(products, NULL, &both);
    both.write = OP_ADD;
    note(products, NULL, &both);
}

void bf16_multiply(struct bf16_products *products, float *out, const uint16_t *a, const float *weights,
                   const uint16_t *b, const struct bf16_shape *shape)
{
    if (products->noting) {
        if (weights)
            note(products, weights, shape);
        else
            note_both_writes(products, shape);
        return;
    }
    struct entry *entry = find(products, weights, shape);
    if (!entry) {
        fprintf(stderr, "drumline: a bf16 product of [%d, %d] over %d was not noted\n", shape->rows, shape->columns,
                shape->inner);
        abort();
    }
    if (weights && entry->packed != products->pass) {
        products->engine->pack(entry->product, weights);
        entry->packed = products->pass;
    }
    products->engine->multiply(entry->product, out, a, b);
}
