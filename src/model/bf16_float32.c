/* bf16 products by float32 ones: the operands are rounded as ever, widened again and multiplied as floats. A product of two
 * bf16 numbers is exact in a float, so only the order of sums can differ from a processor's own bf16 instructions. */
#include "model/bf16_engine.h"

#include "model/kernels/kernels.h"

#include <stdlib.h>

/* Rows that are widened at a time, so that they are still in cache when they are multiplied. */
enum { CHUNK_ROWS = 512 };

struct engine {
    struct bf16_engine base;
    const struct kernels *kernels;
    float *a, *b; /* widened rows */
    size_t room_a, room_b;
};

struct product {
    struct engine *engine;
    struct bf16_shape shape;
    float *weights;    /* rounded; as the parameters lie, or in panels on one thread */
    uint16_t *rounded; /* what they are rounded through */
    float *panels;     /* NULL where the library makes the product */
};

static bool reserve(float **floats, size_t *room, size_t count, struct error *error)
{
    if (count <= *room)
        return true;
    free(*floats);
    *room = 0;
    *floats = malloc(count * sizeof **floats);
    if (!*floats)
        return error_set(error, "no memory for %.1f MiB of widened bf16 numbers",
                         (double)count * sizeof **floats / (1 << 20));
    *room = count;
    return true;
}

static size_t weight_count(const struct bf16_shape *shape)
{
    return (size_t)shape->inner * (size_t)shape->columns;
}

static void release(void *context)
{
    struct product *product = context;
    if (!product)
        return;
    free(product->weights);
    free(product->rounded);
    free(product->panels);
    free(product);
}

static bool take_weights(struct product *product, struct error *error)
{
    const struct bf16_shape *shape = &product->shape;
    size_t count = weight_count(shape);
    bool panels = !matmul_is_threaded();
    product->weights = malloc(count * sizeof *product->weights);
    product->rounded = malloc(count * sizeof *product->rounded);
    if (panels)
        product->panels = malloc(kernels_panel_floats(shape->inner, shape->columns) * sizeof *product->panels);
    if (!product->weights || !product->rounded || (panels && !product->panels))
        return error_set(error, "no memory for %zu rounded weights", count);
    return true;
}

static void *prepare(struct bf16_engine *base, const struct bf16_shape *shape, struct error *error)
{
    struct engine *engine = (struct engine *)base;
    struct product *product = calloc(1, sizeof *product);
    bool gradient = shape->kind == BF16_KERNEL_GRADIENT;
    size_t width = (size_t)(gradient ? shape->rows : shape->inner);
    bool ok = product || error_set(error, "out of memory");
    ok = ok && reserve(&engine->a, &engine->room_a, CHUNK_ROWS * width, error);
    if (ok) {
        product->engine = engine;
        product->shape = *shape;
        ok = gradient ? reserve(&engine->b, &engine->room_b, CHUNK_ROWS * (size_t)shape->columns, error)
                      : take_weights(product, error);
    }
    if (ok)
        return product;
    release(product);
    return NULL;
}

static void pack(void *context, const float *weights)
{
    struct product *product = context;
    const struct bf16_shape *shape = &product->shape;
    const struct kernels *kernels = product->engine->kernels;
    kernels->to_bf16(product->rounded, weights, weight_count(shape));
    kernels->from_bf16(product->weights, product->rounded, weight_count(shape));
    if (!product->panels)
        return;
    bool transposed = shape->kind == BF16_TRANSPOSED_WEIGHTS;
    kernels->panel_pack(product->panels, product->weights, shape->inner, shape->columns,
                        transposed ? 1 : (size_t)shape->columns, transposed ? (size_t)shape->inner : 1);
}

/* `rows` rows of a product by weights. */
static void multiply_rows(const struct product *product, float *out, const float *a, int rows)
{
    const struct bf16_shape *shape = &product->shape;
    struct kernels_rows left = {.first = a, .first_size = shape->inner};
    if (product->panels)
        product->engine->kernels->panel_product(out, left, product->panels, shape->inner, rows, shape->columns,
                                                shape->write == OP_ADD);
    else if (shape->kind == BF16_WEIGHTS)
        matmul(out, a, product->weights, rows, shape->columns, shape->inner, shape->write);
    else
        matmul_transposed_b(out, a, product->weights, rows, shape->columns, shape->inner, shape->write);
}

static void multiply(void *context, float *out, const uint16_t *a, const uint16_t *b)
{
    struct product *product = context;
    struct engine *engine = product->engine;
    const struct bf16_shape *shape = &product->shape;
    bool gradient = shape->kind == BF16_KERNEL_GRADIENT;
    int all = gradient ? shape->inner : shape->rows;
    size_t width = (size_t)(gradient ? shape->rows : shape->inner), columns = (size_t)shape->columns;
    for (int first = 0; first < all; first += CHUNK_ROWS) {
        int rows = all - first < CHUNK_ROWS ? all - first : CHUNK_ROWS;
        engine->kernels->from_bf16(engine->a, a + (size_t)first * width, (size_t)rows * width);
        if (!gradient) {
            multiply_rows(product, out + (size_t)first * columns, engine->a, rows);
            continue;
        }
        engine->kernels->from_bf16(engine->b, b + (size_t)first * columns, (size_t)rows * columns);
        matmul_transposed_a(out, engine->a, engine->b, shape->rows, shape->columns, rows,
                            first > 0 ? OP_ADD : shape->write);
    }
}

static void free_engine(struct bf16_engine *base)
{
    struct engine *engine = (struct engine *)base;
    free(engine->a);
    free(engine->b);
    free(engine);
}

struct bf16_engine *bf16_engine_float32(struct error *error)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine) {
        error_set(error, "out of memory");
        return NULL;
    }
    engine->base = (struct bf16_engine){"float32 products", false, prepare, release, pack, multiply, free_engine};
    engine->kernels = kernels_best();
    return &engine->base;
}
