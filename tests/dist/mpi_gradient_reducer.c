/* The reducer against sums known beforehand: small whole numbers, which floats add exactly in any order. */
#include "base/random.h"
#include "dist/gradient_reducer.h"
#include "tests/dist/mpi_check.h"

enum { MAX_COUNT = 20011, NUM_STEPS = 40 };

static float gradients[MAX_COUNT];

static float own_value(int rank, size_t i, int step)
{
    return (float)((rank + 1) * (int)(i % 97) + step);
}

static float summed_value(int size, size_t i, int step)
{
    return (float)(size * (size + 1) / 2 * (int)(i % 97) + size * step);
}

/* Reports gradients[0..count) in pieces of uneven size, some of them empty. */
static void reduce_in_pieces(struct gradient_reducer *reducer, size_t count, int step)
{
    struct random_stream stream;
    random_stream_start(&stream, 7, 1, (uint32_t)step, 0);
    size_t end = 0;
    gradient_reducer_start(reducer);
    while (end < count) {
        end += random_below(&stream, (uint32_t)count / 5 + 2);
        if (end > count)
            end = count;
        gradient_reducer_ready(reducer, end);
        gradient_reducer_progress(reducer);
    }
    gradient_reducer_ready(reducer, count);
    gradient_reducer_finish(reducer);
}

static void check_sums(struct comm *comm, size_t count, size_t bucket_bytes)
{
    struct error error = {.message = ""};
    struct gradient_reducer *reducer = gradient_reducer_make(comm, gradients, count, bucket_bytes, &error);
    CHECK(comm, reducer);
    for (int step = 0; step < NUM_STEPS; step++) {
        for (size_t i = 0; i < count; i++)
            gradients[i] = own_value(comm_rank(comm), i, step);
        reduce_in_pieces(reducer, count, step);
        for (size_t i = 0; i < count; i++)
            CHECK(comm, gradients[i] == summed_value(comm_size(comm), i, step));
        CHECK(comm, gradient_reducer_exposed_seconds(reducer) >= 0.0);
    }
    gradient_reducer_free(reducer);
}

/* Fractions: the same bits on every rank, and again in a second run. */
static void check_repeatable(struct comm *comm)
{
    static float first[MAX_COUNT];
    struct error error = {.message = ""};
    struct gradient_reducer *reducer = gradient_reducer_make(comm, gradients, MAX_COUNT, 5000, &error);
    CHECK(comm, reducer);
    for (int run = 0; run < 2; run++) {
        struct random_stream stream;
        random_stream_start(&stream, 3, 1, 0, (uint32_t)comm_rank(comm));
        random_fill_normal(gradients, MAX_COUNT, &stream);
        reduce_in_pieces(reducer, MAX_COUNT, 1);
        CHECK(comm, comm_all_equal(comm, gradients, sizeof gradients));
        for (size_t i = 0; i < MAX_COUNT; i++) {
            CHECK(comm, run == 0 || gradients[i] == first[i]);
            first[i] = gradients[i];
        }
    }
    gradient_reducer_free(reducer);
}

int main(int argc, char **argv)
{
    static const size_t counts[] = {0, 1, 2, 1001, MAX_COUNT};
    static const size_t buckets[] = {0, 4, 999, 4096, 28001, (size_t)1 << 40};
    struct comm *comm = comm_start(&argc, &argv);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (size_t j = 0; j < sizeof buckets / sizeof *buckets; j++)
            check_sums(comm, counts[i], buckets[j]);
    check_repeatable(comm);
    comm_finish(comm);
    return EXIT_SUCCESS;
}
