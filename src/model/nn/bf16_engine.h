/* GEMMs of bf16 numbers with float32 sums: by oneDNN, which uses the processor's instructions for them, or emulated by float32
 * GEMMs.
 *
 * bf16 is the upper half of a float: its sign, its exponent and the first seven bits of its fraction. Here it travels as
 * uint16_t. Numbers are rounded to it by kernels->to_bf16, to the nearest and of two equally near to the even one. An
 * engine may take subnormal bf16 numbers, below 1.2e-38, for 0, as the processors' instructions do.
 *
 * A GEMM is prepared once for its shape, which may take memory and milliseconds, and computed any number of times
 * after that without either. bf16_gemms.h keeps what was prepared; only drumline-bench, which measures an engine,
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

    /* A GEMM of that shape; NULL and the error set where it can't be prepared. Freed with release, before the engine. */
    void *(*prepare)(struct bf16_engine *engine, const struct bf16_shape *shape, struct error *error);
    void (*release)(void *gemm);

    /* Rounds the weights and lays them out as the GEMM wants them; not for BF16_KERNEL_GRADIENT. */
    void (*pack)(void *gemm, const float *weights);

    /* The GEMM, in floats. b is NULL where the weights were packed. */
    void (*multiply)(void *gemm, float *out, const uint16_t *a, const uint16_t *b);

    void (*free)(struct bf16_engine *engine);
};

/* oneDNN's GEMMs, on as many threads as matmul_threads says. NULL and the error set where this program was built without
 * oneDNN, or where oneDNN has no bf16 GEMM for this processor. Free with engine->free. */
struct bf16_engine *bf16_engine_onednn(struct error *error);

/* The same GEMMs of rounded numbers held in floats: the same results up to the order of sums, on every processor, no
 * faster than float32. NULL and the error set where memory is short. */
struct bf16_engine *bf16_engine_float32(struct error *error);

/* oneDNN where the processor has instructions for bf16, else the float32 GEMMs; then *why, if not NULL, says why.
 * NULL and the error set where memory is short. */
struct bf16_engine *bf16_engine_best(char *why, size_t why_size, struct error *error);

#endif
