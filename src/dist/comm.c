#define DRUMLINE_DIST_COMM_C
#include "dist/comm.h"
#include "base/host.h"
#include "base/log.h"
#include "dist/comm_internal.h"
#include "dist/launcher.h"
#include "dist/leftovers.h"

#include <xxhash.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    MESSAGE_MAX = 1 << 30, /* elements of one call: MPI counts with int */
    GATHER_TAG = 1,
};

static void find_local_ranks(struct comm *comm)
{
    MPI_Comm local;
    MPI_Comm_split_type(comm->ranks, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &local);
    MPI_Comm_rank(local, &comm->local_rank);
    MPI_Comm_size(local, &comm->local_size);
    MPI_Comm_free(&local);
}

static void start_mpi(struct comm *comm, int *argc, char ***argv)
{
    int provided, host_length, library_length;
    MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided);
    if (provided < MPI_THREAD_FUNNELED) {
        log_error("this MPI library does not support threads (MPI_THREAD_FUNNELED)");
        MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
        exit(EXIT_FAILURE);
    }
    comm->has_mpi = true;
    MPI_Comm_dup(MPI_COMM_WORLD, &comm->ranks);
    MPI_Comm_rank(comm->ranks, &comm->rank);
    MPI_Comm_size(comm->ranks, &comm->size);
    MPI_Get_processor_name(comm->host, &host_length);
    MPI_Get_library_version(comm->library, &library_length);
    find_local_ranks(comm);
}

static void start_alone(struct comm *comm)
{
    comm->ranks = MPI_COMM_NULL;
    comm->size = 1;
    comm->local_size = 1;
    host_name(comm->host);
}

struct comm *comm_start(int *argc, char ***argv)
{
    struct comm *comm = calloc(1, sizeof *comm);
    if (!comm) {
        /* Other ranks would wait for this one in MPI_Init; a launcher ends them when a process fails before it. */
        log_error("out of memory at startup");
        exit(EXIT_FAILURE);
    }
    if (launcher_variable())
        start_mpi(comm, argc, argv);
    else
        start_alone(comm);
    log_set_rank(comm->rank, comm->size, comm->host);
    if (comm->has_mpi && comm->local_rank == 0)
        leftovers_sweep("/dev/shm");
    return comm;
}

void comm_finish(struct comm *comm)
{
    bool has_mpi = comm->has_mpi;
    if (has_mpi)
        MPI_Comm_free(&comm->ranks);
    free(comm);
    if (has_mpi)
        MPI_Finalize();
}

_Noreturn void comm_abort(struct comm *comm, int status)
{
    if (comm->has_mpi)
        MPI_Abort(comm->ranks, status);
    _Exit(status);
}

void *comm_must_allocate(struct comm *comm, size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size);
    if (memory)
        return memory;
    log_error("no memory for %zu times %zu bytes", count, size);
    comm_abort(comm, EXIT_FAILURE);
}

int comm_rank(const struct comm *comm)
{
    return comm->rank;
}

int comm_size(const struct comm *comm)
{
    return comm->size;
}

const char *comm_library(const struct comm *comm)
{
    return comm->has_mpi ? comm->library : "no MPI";
}

const char *comm_host(const struct comm *comm)
{
    return comm->host;
}

int comm_local_size(const struct comm *comm)
{
    return comm->local_size;
}

int comm_local_rank(const struct comm *comm)
{
    return comm->local_rank;
}

/* On the failing rank: its message with its name before it. */
static void name_rank(const struct comm *comm, struct error *error)
{
    if (comm->size > 1)
        error_prefix(error, "rank %d (%s)", comm->rank, comm->host);
}

bool comm_all_ok(struct comm *comm, bool ok, struct error *error)
{
    if (comm->size == 1)
        return ok;
    int lowest = ok ? comm->size : comm->rank;
    comm_wait_begin(comm);
    MPI_Allreduce(MPI_IN_PLACE, &lowest, 1, MPI_INT, MPI_MIN, comm->ranks);
    comm_wait_end(comm);
    if (lowest == comm->size)
        return true;
    struct error message = {.message = ""};
    if (comm->rank == lowest) {
        message = *error;
        name_rank(comm, &message);
    }
    MPI_Bcast(message.message, ERROR_MESSAGE_SIZE, MPI_CHAR, lowest, comm->ranks);
    *error = message;
    return false;
}

/* The part of what is left that one call of MPI can take. */
static int part_of(size_t left)
{
    return (int)(left < MESSAGE_MAX ? left : MESSAGE_MAX);
}

static void reduce_doubles(struct comm *comm, double *values, size_t count, MPI_Op operation)
{
    comm_wait_begin(comm);
    for (size_t done = 0; comm->size > 1 && done < count; done += MESSAGE_MAX)
        MPI_Allreduce(MPI_IN_PLACE, values + done, part_of(count - done), MPI_DOUBLE, operation, comm->ranks);
    comm_wait_end(comm);
}

void comm_sum_doubles(struct comm *comm, double *values, size_t count)
{
    reduce_doubles(comm, values, count, MPI_SUM);
}

void comm_sum_counts(struct comm *comm, uint64_t *values, size_t count)
{
    comm_wait_begin(comm);
    for (size_t done = 0; comm->size > 1 && done < count; done += MESSAGE_MAX)
        MPI_Allreduce(MPI_IN_PLACE, values + done, part_of(count - done), MPI_UINT64_T, MPI_SUM, comm->ranks);
    comm_wait_end(comm);
}

void comm_max_doubles(struct comm *comm, double *values, size_t count)
{
    reduce_doubles(comm, values, count, MPI_MAX);
}

void comm_min_doubles(struct comm *comm, double *values, size_t count)
{
    reduce_doubles(comm, values, count, MPI_MIN);
}

void comm_broadcast(struct comm *comm, void *bytes, size_t size, int root)
{
    comm_wait_begin(comm);
    for (size_t done = 0; comm->size > 1 && done < size; done += MESSAGE_MAX)
        MPI_Bcast((char *)bytes + done, part_of(size - done), MPI_BYTE, root, comm->ranks);
    comm_wait_end(comm);
}

static void send_to_root(struct comm *comm, const void *bytes, size_t size)
{
    for (size_t done = 0; done < size; done += MESSAGE_MAX)
        MPI_Send((const char *)bytes + done, part_of(size - done), MPI_BYTE, 0, GATHER_TAG, comm->ranks);
}

static void receive_from(struct comm *comm, uint8_t *bytes, size_t size, int rank)
{
    for (size_t done = 0; done < size; done += MESSAGE_MAX)
        MPI_Recv(bytes + done, part_of(size - done), MPI_BYTE, rank, GATHER_TAG, comm->ranks, MPI_STATUS_IGNORE);
}

/* Point to point, because MPI_Gatherv counts all ranks' bytes together with int. */
void comm_gather(struct comm *comm, const void *bytes, size_t size, uint8_t **all, size_t **sizes)
{
    uint64_t own_size = size;
    uint64_t *received = comm->rank == 0 ? comm_must_allocate(comm, (size_t)comm->size, sizeof *received) : NULL;
    *all = NULL;
    *sizes = NULL;
    assert(comm->size > 1 || comm->rank == 0);
    if (comm->size == 1)
        received[0] = own_size;
    else
        MPI_Gather(&own_size, 1, MPI_UINT64_T, received, 1, MPI_UINT64_T, 0, comm->ranks);
    if (comm->rank != 0) {
        send_to_root(comm, bytes, size);
        return;
    }
    size_t total = 0;
    *sizes = comm_must_allocate(comm, (size_t)comm->size, sizeof **sizes);
    for (int rank = 0; rank < comm->size; rank++) {
        (*sizes)[rank] = (size_t)received[rank];
        total += (*sizes)[rank];
    }
    *all = comm_must_allocate(comm, total, 1);
    if (size > 0)
        memcpy(*all, bytes, size);
    size_t offset = size;
    for (int rank = 1; rank < comm->size; rank++) {
        receive_from(comm, *all + offset, (*sizes)[rank], rank);
        offset += (*sizes)[rank];
    }
    free(received);
}

bool comm_all_equal(struct comm *comm, const void *bytes, size_t size)
{
    if (comm->size == 1)
        return true;
    XXH128_hash_t hash = XXH3_128bits(bytes, size);
    /* The largest number and the largest complement are those of one number only where all are the same. */
    uint64_t found[] = {size, hash.high64, hash.low64, ~(uint64_t)size, ~hash.high64, ~hash.low64};
    comm_wait_begin(comm);
    MPI_Allreduce(MPI_IN_PLACE, found, 6, MPI_UINT64_T, MPI_MAX, comm->ranks);
    comm_wait_end(comm);
    return found[0] == ~found[3] && found[1] == ~found[4] && found[2] == ~found[5];
}

void comm_barrier(struct comm *comm)
{
    comm_wait_begin(comm);
    if (comm->size > 1)
        MPI_Barrier(comm->ranks);
    comm_wait_end(comm);
}

void comm_barrier_asleep(struct comm *comm)
{
    MPI_Request request = MPI_REQUEST_NULL;
    int is_done = 0;
    if (comm->size == 1)
        return;
    MPI_Ibarrier(comm->ranks, &request);
    for (MPI_Test(&request, &is_done, MPI_STATUS_IGNORE); !is_done; MPI_Test(&request, &is_done, MPI_STATUS_IGNORE))
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

struct comm *comm_make_alone(const struct comm *comm)
{
    struct comm *alone = malloc(sizeof *alone);
    if (!alone)
        return NULL;
    /* MPI's communicator stays that of all ranks: comm_abort ends them all. */
    *alone = *comm;
    alone->rank = 0;
    alone->size = 1;
    alone->local_rank = 0;
    alone->local_size = 1;
    return alone;
}

void comm_free_alone(struct comm *alone)
{
    free(alone);
}
