#include "model/nn/bf16_gemms.h"

#include "base/array.h"

#include <stdio.h>
#include <stdlib.h>

struct entry {
    struct bf16_shape shape;
    const float *weights; /* NULL in a kernel's gradient */
    void *gemm;
    uint64_t packed; /* number of the pass in which the weights were packed */
};

struct bf16_gemms {
    struct bf16_engine *engine;
    struct entry *entries;
    size_t count, capacity;
    uint64_t pass; /* from 1 */
    bool recording;
    bool failed; /* while recording; then with this error */
    struct error error;
};

struct bf16_gemms *bf16_gemms_make(struct bf16_engine *engine, struct error *error)
{
    struct bf16_gemms *gemms = calloc(1, sizeof *gemms);
    if (!gemms) {
        error_set(error, "out of memory");
        engine->free(engine);
        return NULL;
    }
    gemms->engine = engine;
    gemms->pass = 1;
    return gemms;
}

void bf16_gemms_free(struct bf16_gemms *gemms)
{
    if (!gemms)
        return;
    for (size_t i = 0; i < gemms->count; i++)
        gemms->engine->release(gemms->entries[i].gemm);
    gemms->engine->free(gemms->engine);
    free(gemms->entries);
    free(gemms);
}

struct bf16_engine *bf16_gemms_engine(const struct bf16_gemms *gemms)
{
    return gemms->engine;
}

void bf16_gemms_begin_recording(struct bf16_gemms *gemms)
{
    gemms->recording = true;
    gemms->failed = false;
}

bool bf16_gemms_end_recording(struct bf16_gemms *gemms, struct error *error)
{
    gemms->recording = false;
    if (gemms->failed)
        *error = gemms->error;
    return !gemms->failed;
}

void bf16_gemms_begin_pass(struct bf16_gemms *gemms)
{
    gemms->pass++;
}

static bool same_shape(const struct bf16_shape *a, const struct bf16_shape *b)
{
    return a->kind == b->kind && a->rows == b->rows && a->columns == b->columns && a->inner == b->inner &&
           a->write == b->write;
}

static struct entry *find(struct bf16_gemms *gemms, const float *weights, const struct bf16_shape *shape)
{
    for (size_t i = 0; i < gemms->count; i++)
        if (gemms->entries[i].weights == weights && same_shape(&gemms->entries[i].shape, shape))
            return &gemms->entries[i];
    return NULL;
}

static bool make_room(struct bf16_gemms *gemms, struct error *error)
{
    struct entry *entries = array_grow(gemms->entries, &gemms->capacity, gemms->count, 1, sizeof *entries);
    if (!entries)
        return error_set(error, "out of memory");
    gemms->entries = entries;
    return true;
}

static void record(struct bf16_gemms *gemms, const float *weights, const struct bf16_shape *shape)
{
    if (gemms->failed || find(gemms, weights, shape))
        return;
    if (!make_room(gemms, &gemms->error)) {
        gemms->failed = true;
        return;
    }
    void *gemm = gemms->engine->prepare(gemms->engine, shape, &gemms->error);
    if (gemm)
        gemms->entries[gemms->count++] = (struct entry){*shape, weights, gemm, 0};
    else
        gemms->failed = true;
}

/* Gradients of kernels replace in a step's first micro-batch and are added in the others. */
static void record_both_writes(struct bf16_gemms *gemms, const struct bf16_shape *shape)
{
    struct bf16_shape both = *shape;
    both.write = OP_REPLACE;
    record(gemms, NULL, &both);
    both.write = OP_ADD;
    record(gemms, NULL, &both);
}

void bf16_gemm(struct bf16_gemms *gemms, float *out, const uint16_t *a, const float *weights, const uint16_t *b,
               const struct bf16_shape *shape)
{
    if (gemms->recording) {
        if (weights)
            record(gemms, weights, shape);
        else
            record_both_writes(gemms, shape);
        return;
    }
    struct entry *entry = find(gemms, weights, shape);
    if (!entry) {
        fprintf(stderr, "drumline: a bf16 gemm of [%d, %d] over %d was not recorded\n", shape->rows, shape->columns,
                shape->inner);
        abort();
    }
    if (weights && entry->packed != gemms->pass) {
        gemms->engine->pack(entry->gemm, weights);
        entry->packed = gemms->pass;
    }
    gemms->engine->multiply(entry->gemm, out, a, b);
}
