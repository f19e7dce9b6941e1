#include "model/optimizer/average.h"

#include <math.h>
#include <string.h>

bool average_make(struct weight_average *average, const struct tensor_table *table, struct error *error)
{
    *average = (struct weight_average){.count = table->num_floats, .arena = arena_measure()};
    arena_floats(&average->arena, average->count);
    if (!arena_reserve(&average->arena, error))
        return error_prefix(error, "the average of weights");
    average->values = arena_floats(&average->arena, average->count);
    return true;
}

void average_free(struct weight_average *average)
{
    arena_free(&average->arena);
}

void average_start(struct weight_average *average, const float *weights)
{
    memcpy(average->values, weights, average->count * sizeof *weights);
}

/* Pointers of their own, so that the compiler may take `restrict` at its word. */
static void move(float *restrict values, const float *restrict weights, float rate, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] += rate * (weights[i] - values[i]);
}

void average_update(struct weight_average *average, const float *weights, double ema_decay, uint64_t updates)
{
    double n = (double)updates;
    move(average->values, weights, (float)(1 - fmin(ema_decay, (1 + n) / (10 + n))), average->count);
}
