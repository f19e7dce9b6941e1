/* bf16 products by float32 ones: the operands are rounded as ever, widened again and multiplied as floats. A product of two
 * bf16 numbers is exact in a float, so only the order of sums can differ from a processor's own bf16 instructions. */
#include "model/nn/bf16_engine.h"

#include "model/kernels/kernels.h"

#include <stdlib.h>

/* Rows that are widened at a time, so that they are still in cache when they are multiplied. */
enum { CHUNK_ROWS = 512 };

struct engine {
    struct bf16_engine base;
    const struct kernels *kernels;
    float *a, *b; /* widened rows */
    size_t room_a, room_b;
    float *rounded; /* weights on their way into panels */
    size_t room_rounded;
    uint16_t *halves; /* what weights are rounded through */
    size_t room_halves;
};

struct product {
    struct engine *engine;
    struct bf16_shape shape;
    float *weights; /* rounded, as the parameters lie; NULL on one thread */
    float *panels;  /* rounded, in panels; NULL on several, where the library makes the product */
};

/* Makes *memory hold `bytes`; what it held is lost. */
static void *reserved(void *memory, size_t *room, size_t bytes, struct error *error)
{
    if (bytes <= *room)
        return memory;
    free(memory);
    memory = malloc(bytes);
    *room = memory ? bytes : 0;
    if (!memory)
        error_set(error, "no memory for %.1f MiB of bf16 numbers", (double)bytes / (1 << 20));
    return memory;
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
    free(product->panels);
    free(product);
}

static bool take_weights(struct product *product, struct error *error)
{
    struct engine *engine = product->engine;
    const struct bf16_shape *shape = &product->shape;
    size_t count = weight_count(shape);
    engine->halves = reserved(engine->halves, &engine->room_halves, count * sizeof *engine->halves, error);
    if (!engine->halves)
        return false;
    if (matmul_is_threaded()) {
        product->weights = malloc(count * sizeof *product->weights);
        return product->weights || error_set(error, "no memory for %zu rounded weights", count);
    }
    product->panels = malloc(kernels_panel_floats(shape->inner, shape->columns) * sizeof *product->panels);
    if (!product->panels)
        return error_set(error, "no memory for %zu rounded weights", count);
    engine->rounded = reserved(engine->rounded, &engine->room_rounded, count * sizeof *engine->rounded, error);
    return engine->rounded != NULL;
}

/* Room for the rows that multiply widens at a time. */
static bool take_rows(struct engine *engine, const struct bf16_shape *shape, struct error *error)
{
    bool gradient = shape->kind == BF16_KERNEL_GRADIENT;
    size_t width = (size_t)(gradient ? shape->rows : shape->inner), row = CHUNK_ROWS * sizeof(float);
    engine->a = reserved(engine->a, &engine->room_a, row * width, error);
    if (engine->a && gradient)
        engine->b = reserved(engine->b, &engine->room_b, row * (size_t)shape->columns, error);
    return engine->a && (!gradient || engine->b);
}

static void *prepare(struct bf16_engine *base, const struct bf16_shape *shape, struct error *error)
{
    struct product *product = calloc(1, sizeof *product);
    if (!product) {
        error_set(error, "out of memory");
        return NULL;
    }
    product->engine = (struct engine *)base;
    product->shape = *shape;
    if (take_rows(product->engine, shape, error) &&
        (shape->kind == BF16_KERNEL_GRADIENT || take_weights(product, error)))
        return product;
    release(product);
    return NULL;
}

static void pack(void *context, const float *weights)
{
    struct product *product = context;
    const struct bf16_shape *shape = &product->shape;
    const struct kernels *kernels = product->engine->kernels;
    struct engine *engine = product->engine;
    float *rounded = product->panels ? engine->rounded : product->weights;
    kernels->to_bf16(engine->halves, weights, weight_count(shape));
    kernels->from_bf16(rounded, engine->halves, weight_count(shape));
    if (!product->panels)
        return;
    bool transposed = shape->kind == BF16_TRANSPOSED_WEIGHTS;
    kernels->panel_pack(product->panels, rounded, shape->inner, shape->columns, transposed ? 1 : (size_t)shape->columns,
                        transposed ? (size_t)shape->inner : 1);
}

/* `rows` rows of a product by weights. */
static void multiply_rows(const struct product *product, float *out, const float *a, int rows)
{
    const struct bf16_shape *shape = &product->shape;
    struct kernels_rows left = {.first = a, .first_size = shape->inner, .first_stride = shape->inner};
    if (product->panels)
        product->engine->kernels->panel_product(out, (size_t)shape->columns, left, product->panels, shape->inner, rows,
                                                shape->columns, shape->write == OP_ADD);
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
        matmul_transposed_a(out, engine->a, shape->rows, engine->b, shape->rows, shape->columns, rows,
                            first > 0 ? OP_ADD : shape->write);
    }
}

static void free_engine(struct bf16_engine *base)
{
    struct engine *engine = (struct engine *)base;
    free(engine->a);
    free(engine->b);
    free(engine->rounded);
    free(engine->halves);
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
