/* Agreement, sums, gathering and broadcasting. With the word "abort", the last rank ends the job while the others wait. */
#include "base/clock.h"
#include "dist/launcher.h"
#include "tests/dist/mpi_check.h"

#include <mpi.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void check_sums(struct comm *comm)
{
    enum { COUNT = 10007 };
    const int rank = comm_rank(comm), size = comm_size(comm);
    double values[3] = {0, rank, -rank};
    uint64_t counts[2] = {0, UINT64_C(1) << 40};
    for (int i = rank; i < COUNT; i += size) {
        values[0] += i;
        counts[0]++;
    }
    comm_sum_doubles(comm, values, 1);
    comm_sum_counts(comm, counts, 2);
    CHECK(comm, values[0] == COUNT * (COUNT - 1.0) / 2);
    CHECK(comm, counts[0] == COUNT && counts[1] == (uint64_t)size << 40);
    comm_max_doubles(comm, values + 1, 2);
    CHECK(comm, values[1] == size - 1 && values[2] == 0);
    double least[2] = {rank, -rank};
    comm_min_doubles(comm, least, 2);
    CHECK(comm, least[0] == 0 && least[1] == 1 - size);
    comm_sum_doubles(comm, NULL, 0);
}

/* Sums of fractions must at least be the same bits on every rank. */
static void check_same_bits(struct comm *comm)
{
    double values[1000];
    for (int i = 0; i < 1000; i++)
        values[i] = 1.0 / (1 + i + 17 * comm_rank(comm));
    comm_sum_doubles(comm, values, 1000);
    CHECK(comm, comm_all_equal(comm, values, sizeof values));
}

static void check_agreement(struct comm *comm)
{
    const int rank = comm_rank(comm), size = comm_size(comm);
    struct error error = {.message = "untouched"};
    CHECK(comm, comm_all_ok(comm, true, &error));
    CHECK(comm, strcmp(error.message, "untouched") == 0);
    for (int first = 0; first < size; first++) {
        char expected[ERROR_MESSAGE_SIZE];
        error_set(&error, "reason of %d", rank);
        CHECK(comm, !comm_all_ok(comm, rank < first, &error));
        if (size > 1)
            snprintf(expected, sizeof expected, "rank %d (%s): reason of %d", first, comm_host(comm), first);
        else
            snprintf(expected, sizeof expected, "reason of 0");
        CHECK(comm, strcmp(error.message, expected) == 0);
    }
    for (int alone = 0; alone < size; alone++) {
        char wanted[64];
        error_set(&error, "only %d", rank);
        CHECK(comm, !comm_all_ok(comm, rank != alone, &error));
        snprintf(wanted, sizeof wanted, "only %d", alone);
        CHECK(comm, strstr(error.message, wanted));
    }
}

static void check_gather(struct comm *comm)
{
    const int rank = comm_rank(comm), size = comm_size(comm);
    size_t own_size = rank == 1 ? 0 : 1000 * (size_t)rank + 3;
    uint8_t own[4096], *all;
    size_t *sizes;
    memset(own, 'a' + rank, sizeof own);
    comm_gather(comm, own, own_size, &all, &sizes);
    CHECK(comm, (rank == 0) == (all && sizes));
    if (rank != 0)
        return;
    size_t offset = 0;
    for (int from = 0; from < size; from++) {
        CHECK(comm, sizes[from] == (from == 1 ? 0 : 1000 * (size_t)from + 3));
        for (size_t i = 0; i < sizes[from]; i++)
            CHECK(comm, all[offset + i] == 'a' + from);
        offset += sizes[from];
    }
    free(all);
    free(sizes);
}

static void check_equality(struct comm *comm)
{
    enum { SIZE = 70001 };
    static char bytes[SIZE];
    const int rank = comm_rank(comm), size = comm_size(comm);
    CHECK(comm, comm_all_equal(comm, bytes, SIZE));
    CHECK(comm, comm_all_equal(comm, NULL, 0));
    if (size == 1)
        return;
    bytes[SIZE - 1] = (char)(rank == size - 1);
    CHECK(comm, !comm_all_equal(comm, bytes, SIZE));
    CHECK(comm, comm_all_equal(comm, bytes, SIZE - 1));
    CHECK(comm, !comm_all_equal(comm, bytes, rank == size - 1 ? 5 : 6));
}

static void check_broadcast(struct comm *comm)
{
    static char bytes[100003];
    for (int root = 0; root < comm_size(comm); root++) {
        memset(bytes, 'a' + comm_rank(comm), sizeof bytes);
        comm_broadcast(comm, bytes, sizeof bytes, root);
        for (size_t i = 0; i < sizeof bytes; i++)
            CHECK(comm, bytes[i] == 'a' + root);
    }
}

/* Under a launcher there are as many ranks as it started; without one there is no MPI. */
static void check_start(struct comm *comm)
{
    static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    int has_mpi;
    MPI_Initialized(&has_mpi);
    CHECK(comm, (has_mpi != 0) == (launcher_variable() != NULL));
    CHECK(comm, has_mpi || comm_size(comm) == 1);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        CHECK(comm, !getenv(sizes[i]) || atoi(getenv(sizes[i])) == comm_size(comm));
}

static void check_places(struct comm *comm)
{
    CHECK(comm, comm_rank(comm) >= 0 && comm_rank(comm) < comm_size(comm));
    CHECK(comm, comm_local_size(comm) >= 1 && comm_local_size(comm) <= comm_size(comm));
    CHECK(comm, comm_local_rank(comm) >= 0 && comm_local_rank(comm) < comm_local_size(comm));
    CHECK(comm, comm_host(comm)[0] != '\0');
}

/* Who arrives early sleeps until the last one is there. */
static void check_sleeping_barrier(struct comm *comm)
{
    enum { LATE_MILLISECONDS = 300 };
    bool is_late = comm_rank(comm) == comm_size(comm) - 1;
    comm_barrier(comm);
    double started = clock_seconds(), used = (double)clock();
    if (is_late)
        nanosleep(&(struct timespec){.tv_nsec = LATE_MILLISECONDS * 1000000L}, NULL);
    comm_barrier_asleep(comm);
    used = ((double)clock() - used) / CLOCKS_PER_SEC;
    double waited = clock_seconds() - started;
    CHECK(comm, comm_size(comm) == 1 || is_late || waited > 0.3e-3 * LATE_MILLISECONDS);
    CHECK(comm, used < 0.5 * fmax(waited, 1e-3 * LATE_MILLISECONDS));
}

/* One rank alone need not be met by the others. */
static void check_alone(struct comm *comm)
{
    struct error error;
    double value = comm_rank(comm) + 5;
    struct comm *alone = comm_make_alone(comm);
    if (comm_rank(comm) == comm_size(comm) - 1) {
        CHECK(comm, comm_rank(alone) == 0 && comm_size(alone) == 1);
        CHECK(comm, comm_local_rank(alone) == 0 && comm_local_size(alone) == 1);
        comm_sum_doubles(alone, &value, 1);
        comm_barrier(alone);
        comm_barrier_asleep(alone);
        CHECK(comm, value >= comm_rank(comm) + 5 && value <= comm_rank(comm) + 5);
        CHECK(comm, !comm_all_ok(alone, error_set(&error, "alone"), &error));
    }
    comm_free_alone(alone);
}

int main(int argc, char **argv)
{
    struct comm *comm = comm_start(&argc, &argv);
    if (argc > 1 && strcmp(argv[1], "abort") == 0) {
        if (comm_rank(comm) == comm_size(comm) - 1) {
            log_error("this rank has had enough");
            comm_abort(comm, 3);
        }
        comm_barrier(comm);
    }
    check_start(comm);
    check_places(comm);
    check_sums(comm);
    check_same_bits(comm);
    check_agreement(comm);
    check_gather(comm);
    check_equality(comm);
    check_broadcast(comm);
    check_sleeping_barrier(comm);
    check_alone(comm);
    comm_barrier(comm);
    comm_finish(comm);
    return EXIT_SUCCESS;
}
