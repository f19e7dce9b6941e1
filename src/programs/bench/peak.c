#include "programs/bench/peak.h"

#include "base/clock.h"
#include "model/kernels/kernels.h"
#include "model/nn/ops.h"
#include "programs/bench/rounds.h"

#include <math.h>
#include <stdlib.h>

static const struct {
    int rows, columns, inner;
} shapes[] = {
    {1024, 1024, 1024}, /* square */
    {512,  2048, 2048}, /* the gradient of a recurrent kernel: few outputs, long dot products */
    {2048, 2048, 512 }, /* the inputs of all steps */
};
enum { NUM_SHAPES = sizeof shapes / sizeof *shapes, MOST_FLOATS = 2048 * 2048, LEAST_REPEATS = 3 };

/* A shape is repeated for so long. */
static const double seconds_of_a_shape = 0.25;

/* One GEMM that is measured, in either precision. */
struct measured {
    int rows, columns, inner;
    float *out, *a, *b;         /* room for the largest shape's */
    struct bf16_engine *engine; /* NULL: floats */
    uint16_t *rounded;          /* a in bf16 */
    void *gemm;                 /* the engine's */
};

/* Three matrices of so many numbers each, filled; NULL without memory. */
static float *make_matrices(size_t count)
{
    float *matrices = malloc(3 * count * sizeof *matrices);
    for (size_t i = 0; matrices && i < 3 * count; i++)
        matrices[i] = (float)(i % 7) - 3;
    return matrices;
}

static bool prepare(struct measured *measured, struct error *error)
{
    const struct bf16_shape shape = {BF16_WEIGHTS, measured->rows, measured->columns, measured->inner, OP_REPLACE};
    if (!measured->engine)
        return true;
    measured->gemm = measured->engine->prepare(measured->engine, &shape, error);
    if (measured->gemm)
        measured->engine->pack(measured->gemm, measured->b);
    return measured->gemm != NULL;
}

static void multiply(const struct measured *measured)
{
    if (measured->engine)
        measured->engine->multiply(measured->gemm, measured->out, measured->rounded, NULL);
    else
        matmul(measured->out, measured->a, measured->b, measured->rows, measured->columns, measured->inner, OP_REPLACE);
}

/* The best of several GEMMs on this rank, in FLOP/s. */
static double best_rate(const struct measured *measured)
{
    double best = 0, started = clock_seconds(), now = started;
    for (int i = 0; i < LEAST_REPEATS || now - started < seconds_of_a_shape; i++) {
        double before = now;
        multiply(measured);
        now = clock_seconds();
        double rate = 2.0 * measured->rows * measured->columns * measured->inner / (now - before);
        if (rate > best)
            best = rate;
    }
    return best;
}

/* Collective. */
static bool measure_shape(double *flops_per_second, struct measured *measured, struct comm *comm, struct error *error)
{
    bool ok = comm_all_ok(comm, prepare(measured, error), error);
    if (ok) {
        comm_barrier(comm);
        double sum = best_rate(measured);
        comm_sum_doubles(comm, &sum, 1);
        if (sum > *flops_per_second)
            *flops_per_second = sum;
    }
    if (measured->engine)
        measured->engine->release(measured->gemm);
    return ok;
}

bool bench_peak_measure(double *flops_per_second, struct bf16_engine *engine, struct comm *comm, struct error *error)
{
    float *matrices = make_matrices(MOST_FLOATS);
    uint16_t *rounded = malloc((size_t)MOST_FLOATS * sizeof *rounded);
    bool ok = (matrices && rounded) || error_set(error, "no memory for four matrices of %d numbers", MOST_FLOATS);
    *flops_per_second = 0;
    ok = comm_all_ok(comm, ok, error);
    if (ok)
        kernels_best()->to_bf16(rounded, matrices + MOST_FLOATS, MOST_FLOATS);
    for (int i = 0; ok && i < NUM_SHAPES; i++) {
        struct measured measured = {
            .rows = shapes[i].rows,
            .columns = shapes[i].columns,
            .inner = shapes[i].inner,
            .out = matrices,
            .a = matrices + MOST_FLOATS,
            .b = matrices + 2 * (size_t)MOST_FLOATS,
            .engine = engine,
            .rounded = rounded,
        };
        ok = measure_shape(flops_per_second, &measured, comm, error);
    }
    free(matrices);
    free(rounded);
    return ok;
}

/* The same GEMM, `repeats` times. */
struct repeated {
    struct measured measured;
    int repeats;
};

static bool run_once(void *context, struct comm *comm, int number, double *seconds, struct error *error)
{
    const struct repeated *repeated = context;
    double started = clock_seconds();
    (void)comm;
    (void)number;
    (void)error;
    for (int i = 0; i < repeated->repeats; i++)
        multiply(&repeated->measured);
    *seconds = clock_seconds() - started;
    return true;
}

bool bench_peak_speedup(double *times, double seconds, int rounds, struct comm *comm, struct error *error)
{
    enum { SIDE = 1024, COUNT = SIDE * SIDE };
    struct bench_rounds result;
    float *matrices = make_matrices(COUNT);
    if (!comm_all_ok(comm, matrices || error_set(error, "no memory for three matrices of %d numbers", COUNT), error)) {
        free(matrices);
        return false;
    }
    struct repeated repeated = {
        .measured = {SIDE, SIDE, SIDE, .out = matrices, .a = matrices + COUNT, .b = matrices + (size_t)2 * COUNT},
    };
    double flops = 2.0 * SIDE * SIDE * SIDE;
    repeated.repeats = (int)fmin(1e6, ceil(seconds * best_rate(&repeated.measured) / flops));
    comm_broadcast(comm, &repeated.repeats, sizeof repeated.repeats, 0);
    bool ok = bench_rounds_run(&result, run_once, &repeated, rounds, true, comm, error);
    if (ok)
        *times = result.ratio * comm_size(comm);
    free(matrices);
    return ok;
}
