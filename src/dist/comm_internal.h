/* The inside of struct comm, for the modules of dist that talk MPI themselves. */
#ifndef DRUMLINE_DIST_COMM_INTERNAL_H
#define DRUMLINE_DIST_COMM_INTERNAL_H

#include "base/host.h"
#include "dist/comm.h"

#include <mpi.h>
#include <stdatomic.h>

/* Where `size` is 1 nothing calls MPI but comm_start, comm_finish and comm_abort, and these only where MPI was started. */
struct comm {
    bool has_mpi;
    MPI_Comm ranks; /* a duplicate of MPI_COMM_WORLD; MPI_COMM_NULL without MPI */
    int rank, size;
    int local_rank, local_size;
    atomic_int *is_waiting; /* not owned; NULL where nobody wants to know (dist/progress.h) */
    char library[MPI_MAX_LIBRARY_VERSION_STRING];
    char host[MPI_MAX_PROCESSOR_NAME + HOST_NAME_SIZE];
};

/* Around each call of MPI that waits for other ranks. */
static inline void comm_wait_begin(struct comm *comm)
{
    if (comm->is_waiting)
        atomic_store_explicit(comm->is_waiting, 1, memory_order_relaxed);
}

static inline void comm_wait_end(struct comm *comm)
{
    if (comm->is_waiting)
        atomic_store_explicit(comm->is_waiting, 0, memory_order_relaxed);
}

/* A zeroed block that the caller frees; ends the job with a message where there is no memory for it. */
void *comm_must_allocate(struct comm *comm, size_t count, size_t size);

#endif
