/* Who makes matrix products of bf16 numbers with float32 sums: a library with instructions for them behind it, or float32
 * products that stand in for those.
 *
 * bf16 is the upper half of a float: its sign, its exponent and the first seven bits of its fraction. Here it travels as
 * uint16_t. Numbers are rounded to it by kernels->to_bf16, to the nearest and of two equally near to the even one. An
 * engine may take subnormal bf16 numbers, below 1.2e-38, for 0, as the processors' instructions do.
 *
 * A product is prepared once for its shape, which may take memory and milliseconds, and made any number of times after
 * that without either. bf16_products.h keeps what was prepared; only drumline-bench, which measures an engine,
 * calls its functions besides. */
#ifndef DRUMLINE_MODEL_NN_BF16_ENGINE_H
#define DRUMLINE_MODEL_NN_BF16_ENGINE_H

#include "base/error.h"
#include "model/nn/ops.h"

enum bf16_kind {
    BF16_WEIGHTS,            /* out = a weights, a [rows, inner], weights [inner, columns] */
    BF16_TRANSPOSED_WEIGHTS, /* out = a weights^T, a [rows, inner], weights [columns, inner] */
    BF16_KERNEL_GRADIENT,    /* out = a^T b, a [inner, rows], b [inner, columns] */
};

struct bf16_shape {
    enum bf16_kind kind;
    int rows, columns; /* of out */
    int inner;
    enum op_write write; /* whether out is replaced or added to */
};

enum { BF16_ENGINE_NAME_SIZE = 64 };

struct bf16_engine {
    char name[BF16_ENGINE_NAME_SIZE]; /* "oneDNN 2.6.3" */
    bool native;                      /* the processor has instructions for bf16, and they are used */

    /* A product of that shape; NULL and the error set where it can't be made. Freed with release, before the engine. */
    void *(*prepare)(struct bf16_engine *engine, const struct bf16_shape *shape, struct error *error);
    void (*release)(void *product);

    /* Rounds the weights and lays them out as the product wants them; not for BF16_KERNEL_GRADIENT. */
    void (*pack)(void *product, const float *weights);

    /* The product, in floats. b is NULL where the weights were packed. */
    void (*multiply)(void *product, float *out, const uint16_t *a, const uint16_t *b);

    void (*free)(struct bf16_engine *engine);
};

/* oneDNN's products, on as many threads as matmul_threads says. NULL and the error set where this program was built without
 * oneDNN, or where oneDNN makes no bf16 products on this processor. Free with engine->free. */
struct bf16_engine *bf16_engine_onednn(struct error *error);

/* The same products by rounded numbers held in floats: the same results up to the order of sums, on every processor, no
 * faster than float32. NULL and the error set where memory is short. */
struct bf16_engine *bf16_engine_float32(struct error *error);

/* oneDNN where the processor has instructions for bf16, else the float32 products; then *why, if not NULL, says why.
 * NULL and the error set where memory is short. */
struct bf16_engine *bf16_engine_best(char *why, size_t why_size, struct error *error);

#endif
