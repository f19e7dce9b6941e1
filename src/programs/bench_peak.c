#include "programs/bench_peak.h"

#include "base/files.h"
#include "model/ops.h"

#include <stdlib.h>

static const struct {
    int rows, columns, inner;
} shapes[] = {
    {1024, 1024, 1024}, /* square */
    {512,  2048, 2048}, /* the gradient of a recurrent kernel: few results, long sums */
    {2048, 2048, 512 }, /* the inputs of all steps */
};
enum { NUM_SHAPES = sizeof shapes / sizeof *shapes, MOST_FLOATS = 2048 * 2048, LEAST_REPEATS = 3 };

/* A shape is repeated for so long. */
static const double seconds_of_a_shape = 0.25;

/* The best of several products on this rank, in FLOP/s. */
static double best_rate(float *out, const float *a, const float *b, int shape)
{
    int rows = shapes[shape].rows, columns = shapes[shape].columns, inner = shapes[shape].inner;
    double best = 0, started = clock_seconds(), now = started;
    for (int i = 0; i < LEAST_REPEATS || now - started < seconds_of_a_shape; i++) {
        double before = now;
        matmul(out, a, b, rows, columns, inner, OP_REPLACE);
        now = clock_seconds();
        double rate = 2.0 * rows * columns * inner / (now - before);
        if (rate > best)
            best = rate;
    }
    return best;
}

bool bench_peak_measure(double *flops_per_second, struct comm *comm, struct error *error)
{
    float *matrices = malloc(3 * (size_t)MOST_FLOATS * sizeof *matrices);
    bool ok = matrices || error_set(error, "no memory for three matrices of %d numbers", MOST_FLOATS);
    *flops_per_second = 0;
    ok = comm_all_ok(comm, ok, error);
    if (!ok)
        goto done;
    for (size_t i = 0; i < 3 * (size_t)MOST_FLOATS; i++)
        matrices[i] = (float)(i % 7) - 3;
    for (int shape = 0; shape < NUM_SHAPES; shape++) {
        comm_barrier(comm);
        double sum = best_rate(matrices, matrices + MOST_FLOATS, matrices + 2 * (size_t)MOST_FLOATS, shape);
        comm_sum_doubles(comm, &sum, 1);
        if (sum > *flops_per_second)
            *flops_per_second = sum;
    }
done:
    free(matrices);
    return ok;
}
