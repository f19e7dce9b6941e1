/* The ranks of a job. One `struct comm` owns a duplicate of MPI_COMM_WORLD and is handed to whoever must talk to the other
 * ranks; no other module names MPI_COMM_WORLD. Functions marked collective must be called by every rank, in the same order.
 *
 * MPI's own errors are fatal: MPI prints them and ends the job. What this module's functions report are our errors. */
#ifndef DRUMLINE_DIST_COMM_H
#define DRUMLINE_DIST_COMM_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct comm;

/* Starts MPI (MPI_THREAD_FUNNELED) and duplicates the world. Where no launcher started this process (dist/launcher.h), it is
 * the only rank, and MPI is not started at all: that alone takes longer than many a job of one rank. `mpirun -n 1` starts
 * it. Sets the log's rank. Collective. */
struct comm *comm_start(int *argc, char ***argv);

/* Ends MPI, where it was started, and frees. Collective. */
void comm_finish(struct comm *comm);

/* Ends the whole job at once with `status`, from one rank alone; does not return. For failures at a place where the other
 * ranks can't be asked. Say why with log_error first. */
_Noreturn void comm_abort(struct comm *comm, int status);

int comm_rank(const struct comm *comm);
int comm_size(const struct comm *comm);

/* The name of this rank's host; owned by comm. */
const char *comm_host(const struct comm *comm);

/* The MPI library and its version: "Open MPI v4.1.4, ..."; "no MPI" in a job that was started without it. */
const char *comm_library(const struct comm *comm);

/* Ranks on this rank's host, and this rank's number among them. */
int comm_local_size(const struct comm *comm);
int comm_local_rank(const struct comm *comm);

/* True where `ok` is true on every rank. Elsewhere *error on every rank becomes the message of the lowest rank that
 * failed, with "rank N (HOST): " before it where there are several ranks. Collective. */
bool comm_all_ok(struct comm *comm, bool ok, struct error *error);

#if defined(__clang_analyzer__) && !defined(DRUMLINE_DIST_COMM_C) /* where all are well this rank is, too */
static inline bool comm_all_ok_and_this(struct comm *comm, bool ok, struct error *error)
{
    return comm_all_ok(comm, ok, error) && ok;
}
#define comm_all_ok comm_all_ok_and_this
#endif

/* Element-wise over ranks, in place, the same result on every rank. Collective. */
void comm_sum_doubles(struct comm *comm, double *values, size_t count);
void comm_sum_counts(struct comm *comm, uint64_t *values, size_t count);
void comm_max_doubles(struct comm *comm, double *values, size_t count);
void comm_min_doubles(struct comm *comm, double *values, size_t count);

/* From rank `root` to all; any size. Collective. */
void comm_broadcast(struct comm *comm, void *bytes, size_t size, int root);

/* Every rank's `size` bytes one after another in *all on rank 0, with the sizes in *sizes [comm_size]; both owned by the
 * caller there and NULL elsewhere. Collective. */
void comm_gather(struct comm *comm, const void *bytes, size_t size, uint8_t **all, size_t **sizes);

/* True on every rank where all ranks hold the same `size` bytes, by a hash of 128 bits (XXH3): what differs by accident is
 * found. Collective. */
bool comm_all_equal(struct comm *comm, const void *bytes, size_t size);

void comm_barrier(struct comm *comm);

/* As comm_barrier, but who waits sleeps and looks up every fifth of a millisecond, so that the ranks that are waited for
 * have the machine to themselves. Collective. */
void comm_barrier_asleep(struct comm *comm);

/* This rank as the only one of a job of its own: what is given it talks to no other rank. Free with comm_free_alone while
 * `comm` lives; comm_finish is not for it. NULL without memory. */
struct comm *comm_make_alone(const struct comm *comm);
void comm_free_alone(struct comm *alone);

#endif
