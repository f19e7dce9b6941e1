#include "dist/node.h"

#include "base/log.h"
#include "dist/comm_internal.h"

#include <xxhash.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    MIB = 1 << 20,
    FOLDER_SIZE = 4096,
    ALIGNMENT = 64,          /* bytes; MPI promises none */
    BROADCAST_MAX = 1 << 30, /* bytes of one call: MPI counts with int */
};

struct node {
    struct comm *comm; /* not owned */
    MPI_Comm ranks;    /* MPI_COMM_NULL where this rank is the only one */
    int rank, num_ranks;
    MPI_Win window;   /* MPI_WIN_NULL while nothing is shared */
    void *own_memory; /* owned; NULL where memory is shared */
};

/* Splits the ranks of one node by a hash of what each gives as its name. */
static void split_by_name(struct node *node, MPI_Comm local, const char *name)
{
    XXH128_hash_t own = XXH3_128bits(name, strlen(name));
    int rank, num_ranks, first = 0;
    MPI_Comm_rank(local, &rank);
    MPI_Comm_size(local, &num_ranks);
    XXH128_hash_t *all = comm_must_allocate(node->comm, (size_t)num_ranks, sizeof *all);
    MPI_Allgather(&own, sizeof own, MPI_BYTE, all, sizeof own, MPI_BYTE, local);
    while (!XXH128_isEqual(all[first], own))
        first++;
    free(all);
    MPI_Comm_split(local, first, rank, &node->ranks);
    MPI_Comm_rank(node->ranks, &node->rank);
    MPI_Comm_size(node->ranks, &node->num_ranks);
}

struct node *node_join(struct comm *comm, const char *name)
{
    struct node *node = comm_must_allocate(comm, 1, sizeof *node);
    *node = (struct node){.comm = comm, .ranks = MPI_COMM_NULL, .num_ranks = 1, .window = MPI_WIN_NULL};
    if (comm->size == 1)
        return node;
    MPI_Comm local;
    MPI_Comm_split_type(comm->ranks, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &local);
    split_by_name(node, local, name);
    MPI_Comm_free(&local);
    return node;
}

int node_rank(const struct node *node)
{
    return node->rank;
}

int node_num_ranks(const struct node *node)
{
    return node->num_ranks;
}

void node_broadcast(struct node *node, void *bytes, size_t size)
{
    comm_wait_begin(node->comm);
    for (size_t done = 0; node->num_ranks > 1 && done < size; done += BROADCAST_MAX) {
        size_t left = size - done;
        MPI_Bcast((char *)bytes + done, (int)(left < BROADCAST_MAX ? left : BROADCAST_MAX), MPI_BYTE, 0, node->ranks);
    }
    comm_wait_end(node->comm);
}

/* Where Open MPI puts shared memory: the value of its parameter; "/dev/shm" where there is none of that name. */
static void find_folder(char folder[FOLDER_SIZE])
{
    int provided, index, count;
    MPI_T_cvar_handle handle;
    snprintf(folder, FOLDER_SIZE, "/dev/shm");
    if (MPI_T_init_thread(MPI_THREAD_SINGLE, &provided) != MPI_SUCCESS)
        return;
    if (MPI_T_cvar_get_index("osc_sm_backing_directory", &index) == MPI_SUCCESS &&
        MPI_T_cvar_handle_alloc(index, NULL, &handle, &count) == MPI_SUCCESS) {
        char *value = count > 0 ? calloc((size_t)count + 1, 1) : NULL;
        if (value && MPI_T_cvar_read(handle, value) == MPI_SUCCESS && value[0] != '\0')
            snprintf(folder, FOLDER_SIZE, "%s", value);
        free(value);
        MPI_T_cvar_handle_free(&handle);
    }
    MPI_T_finalize();
}

/* Open MPI itself wants a twentieth more than it takes. */
static bool has_room(size_t size, struct error *reason)
{
    char folder[FOLDER_SIZE];
    struct statvfs status;
    double needed = 1.06 * (double)size + MIB;
    find_folder(folder);
    if (statvfs(folder, &status) != 0 || access(folder, W_OK) != 0)
        return error_set_errno(reason, errno, "%s, where memory is shared", folder);
    double free_bytes = (double)status.f_bavail * (double)status.f_frsize;
    if (free_bytes >= needed)
        return true;
    return error_set(reason, "%s, where memory is shared, has %.0f MiB free, and %.0f are needed", folder,
                     free_bytes / MIB, needed / MIB);
}

/* Takes this rank's part of the pages now: a page that is not to be had later would end the job with SIGBUS. True where
 * nothing is known against it. */
static bool take_pages(char *bytes, size_t size, int part, int num_parts)
{
#ifdef MADV_POPULATE_WRITE
    size_t page = (size_t)sysconf(_SC_PAGESIZE), num_pages = (size + page - 1) / page;
    size_t first = num_pages / (size_t)num_parts * (size_t)part;
    size_t end = part == num_parts - 1 ? num_pages : first + num_pages / (size_t)num_parts;
    char *start = (char *)((uintptr_t)bytes & ~(uintptr_t)(page - 1)) + first * page;
    if (end > first && madvise(start, (end - first) * page, MADV_POPULATE_WRITE) != 0)
        return errno == EINVAL; /* Linux before 5.14 */
#else
    (void)bytes;
    (void)size;
    (void)part;
    (void)num_parts;
#endif
    return true;
}

static void free_window(struct node *node)
{
    if (node->window == MPI_WIN_NULL)
        return;
    MPI_Win_unlock_all(node->window);
    MPI_Win_free(&node->window);
}

/* The window over the first rank's `size` bytes. A failure may be this rank's alone, while others wait for it: it ends the
 * job. */
static void make_window(struct node *node, size_t size)
{
    void *own;
    int length;
    char text[MPI_MAX_ERROR_STRING];
    MPI_Aint own_size = node->rank == 0 ? (MPI_Aint)size : 0;
    MPI_Comm_set_errhandler(node->ranks, MPI_ERRORS_RETURN);
    int result = MPI_Win_allocate_shared(own_size, 1, MPI_INFO_NULL, node->ranks, &own, &node->window);
    MPI_Comm_set_errhandler(node->ranks, MPI_ERRORS_ARE_FATAL);
    if (result == MPI_SUCCESS)
        return;
    MPI_Error_string(result, text, &length);
    log_error("MPI_Win_allocate_shared: no %.0f MiB of shared memory: %s", (double)size / MIB, text);
    comm_abort(node->comm, EXIT_FAILURE);
}

/* NULL on all ranks of the group, with the reason on its first, where memory can't be shared. */
static void *share(struct node *node, size_t size, struct error *reason)
{
    void *bytes = NULL;
    MPI_Aint found_size;
    int unit, ok = node->rank != 0 || has_room(size, reason);
    MPI_Bcast(&ok, 1, MPI_INT, 0, node->ranks);
    if (!ok)
        return NULL;
    make_window(node, size + ALIGNMENT);
    MPI_Win_shared_query(node->window, 0, &found_size, &unit, &bytes);
    MPI_Win_lock_all(MPI_MODE_NOCHECK, node->window);
    /* The same place on all ranks, for they map whole pages. */
    bytes = (char *)bytes + (ALIGNMENT - (uintptr_t)bytes % ALIGNMENT) % ALIGNMENT;
    ok = (size_t)found_size >= size + ALIGNMENT && take_pages(bytes, size, node->rank, node->num_ranks);
    MPI_Allreduce(MPI_IN_PLACE, &ok, 1, MPI_INT, MPI_MIN, node->ranks);
    if (ok)
        return bytes;
    free_window(node);
    error_set(reason, "the node has no %.0f MiB of shared memory", (double)size / MIB);
    return NULL;
}

void *node_share(struct node *node, size_t size, int *sharer, int *num_sharers, struct error *error)
{
    struct error reason;
    size += size == 0;
    *sharer = node->rank;
    *num_sharers = node->num_ranks;
    void *shared = node->num_ranks > 1 ? share(node, size, &reason) : NULL;
    if (shared)
        return shared;
    if (node->num_ranks > 1 && node->rank == 0)
        log_warning("%s: each of the %d ranks on this node takes %.0f MiB of its own", reason.message, node->num_ranks,
                    (double)size / MIB);
    *sharer = 0;
    *num_sharers = 1;
    node->own_memory = calloc(size, 1);
    if (!node->own_memory)
        error_set(error, "no memory for %.0f MiB", (double)size / MIB);
    return node->own_memory;
}

void node_sync(struct node *node)
{
    if (node->num_ranks == 1)
        return;
    if (node->window != MPI_WIN_NULL)
        MPI_Win_sync(node->window);
    comm_wait_begin(node->comm);
    MPI_Barrier(node->ranks);
    comm_wait_end(node->comm);
    if (node->window != MPI_WIN_NULL)
        MPI_Win_sync(node->window);
}

void node_leave(struct node *node)
{
    if (!node)
        return;
    free_window(node);
    if (node->ranks != MPI_COMM_NULL)
        MPI_Comm_free(&node->ranks);
    free(node->own_memory);
    free(node);
}
