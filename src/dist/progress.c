#include "dist/progress.h"

#include "dist/comm_internal.h"
#include "dist/node.h"

#include <stdlib.h>

_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2, "other processes read them");

struct progress {
    struct comm *comm;           /* not owned */
    struct node *node;           /* owned */
    struct progress_sign *signs; /* [num_places], node's */
    int place, num_places;
};

struct progress *progress_open(struct comm *comm, struct error *error)
{
    struct progress *progress = comm_must_allocate(comm, 1, sizeof *progress);
    progress->comm = comm;
    progress->node = node_join(comm, "progress");
    size_t size = (size_t)node_num_ranks(progress->node) * sizeof *progress->signs;
    progress->signs = node_share(progress->node, size, &progress->place, &progress->num_places, error);
    if (!comm_all_ok(comm, progress->signs != NULL, error)) {
        node_leave(progress->node);
        free(progress);
        return NULL;
    }
    struct progress_sign *own = &progress->signs[progress->place];
    atomic_store(&own->rank, comm_rank(comm));
    node_sync(progress->node);
    comm->is_waiting = &own->is_waiting;
    return progress;
}

int progress_own_place(const struct progress *progress)
{
    return progress->place;
}

int progress_num_places(const struct progress *progress)
{
    return progress->num_places;
}

struct progress_sign *progress_sign_at(struct progress *progress, int place)
{
    return &progress->signs[place];
}

void progress_close(struct progress *progress)
{
    if (!progress)
        return;
    progress->comm->is_waiting = NULL;
    node_leave(progress->node);
    free(progress);
}
