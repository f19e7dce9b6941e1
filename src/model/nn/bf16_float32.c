/* bf16 GEMMs by float32 ones: the operands are rounded as ever, widened again and multiplied as floats. The product of two
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

struct gemm {
    struct engine *engine;
    struct bf16_shape shape;
    float *weights; /* rounded, as the parameters lie; NULL where the GEMM is packed */
    float *panels;  /* rounded, in panels; NULL where OpenBLAS multiplies */
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
    struct gemm *gemm = context;
    if (!gemm)
        return;
    free(gemm->weights);
    free(gemm->panels);
    free(gemm);
}

static bool take_weights(struct gemm *gemm, struct error *error)
{
    struct engine *engine = gemm->engine;
    const struct bf16_shape *shape = &gemm->shape;
    size_t count = weight_count(shape);
    engine->halves = reserved(engine->halves, &engine->room_halves, count * sizeof *engine->halves, error);
    if (!engine->halves)
        return false;
    if (!gemm_is_packed(engine->kernels)) {
        gemm->weights = malloc(count * sizeof *gemm->weights);
        return gemm->weights || error_set(error, "no memory for %zu bf16 weights", count);
    }
    gemm->panels = malloc(kernels_packed_floats(shape->inner, shape->columns) * sizeof *gemm->panels);
    if (!gemm->panels)
        return error_set(error, "no memory for %zu bf16 weights", count);
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
    struct gemm *gemm = calloc(1, sizeof *gemm);
    if (!gemm) {
        error_set(error, "out of memory");
        return NULL;
    }
    gemm->engine = (struct engine *)base;
    gemm->shape = *shape;
    if (take_rows(gemm->engine, shape, error) && (shape->kind == BF16_KERNEL_GRADIENT || take_weights(gemm, error)))
        return gemm;
    release(gemm);
    return NULL;
}

static void pack(void *context, const float *weights)
{
    struct gemm *gemm = context;
    const struct bf16_shape *shape = &gemm->shape;
    const struct kernels *kernels = gemm->engine->kernels;
    struct engine *engine = gemm->engine;
    float *rounded = gemm->panels ? engine->rounded : gemm->weights;
    kernels->to_bf16(engine->halves, weights, weight_count(shape));
    kernels->from_bf16(rounded, engine->halves, weight_count(shape));
    if (!gemm->panels)
        return;
    bool transposed = shape->kind == BF16_TRANSPOSED_WEIGHTS;
    kernels->gemm_pack(gemm->panels, rounded, shape->inner, shape->columns, transposed ? 1 : (size_t)shape->columns,
                       transposed ? (size_t)shape->inner : 1);
}

/* `rows` rows of a GEMM with weights. */
static void multiply_rows(const struct gemm *gemm, float *out, const float *a, int rows)
{
    const struct bf16_shape *shape = &gemm->shape;
    struct kernels_rows left = {.first = a, .first_size = shape->inner, .first_stride = shape->inner};
    if (gemm->panels)
        gemm->engine->kernels->gemm_packed(out, (size_t)shape->columns, left, gemm->panels, shape->inner, rows,
                                           shape->columns, shape->write == OP_ADD);
    else if (shape->kind == BF16_WEIGHTS)
        matmul(out, a, gemm->weights, rows, shape->columns, shape->inner, shape->write);
    else
        matmul_transposed_b(out, a, gemm->weights, rows, shape->columns, shape->inner, shape->write);
}

static void multiply(void *context, float *out, const uint16_t *a, const uint16_t *b)
{
    struct gemm *gemm = context;
    struct engine *engine = gemm->engine;
    const struct bf16_shape *shape = &gemm->shape;
    bool gradient = shape->kind == BF16_KERNEL_GRADIENT;
    int all = gradient ? shape->inner : shape->rows;
    size_t width = (size_t)(gradient ? shape->rows : shape->inner), columns = (size_t)shape->columns;
    for (int first = 0; first < all; first += CHUNK_ROWS) {
        int rows = all - first < CHUNK_ROWS ? all - first : CHUNK_ROWS;
        engine->kernels->from_bf16(engine->a, a + (size_t)first * width, (size_t)rows * width);
        if (!gradient) {
            multiply_rows(gemm, out + (size_t)first * columns, engine->a, rows);
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
    engine->base = (struct bf16_engine){"float32 GEMMs", false, prepare, release, pack, multiply, free_engine};
    engine->kernels = kernels_best();
    return &engine->base;
}
