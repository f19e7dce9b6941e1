#include "programs/common/shared_dataset.h"

#include <stdlib.h>

/* The index of the node's first rank, for all of them. Collective. */
static bool share_index(struct shared_dataset *shared, const char *folder, struct comm *comm, struct error *error)
{
    const bool is_first = node_rank(shared->node) == 0;
    uint8_t *bytes = NULL;
    size_t size = 0;
    bool ok = true;
    if (is_first) {
        shared->dataset = dataset_begin(folder, error);
        ok = shared->dataset && dataset_pack(&bytes, &size, shared->dataset, error);
    }
    if (!(ok = comm_all_ok(comm, ok, error)))
        goto done;
    node_broadcast(shared->node, &size, sizeof size);
    if (!is_first)
        bytes = malloc(size);
    ok = bytes || error_set(error, "%s: no memory for its index", folder);
    if (!(ok = comm_all_ok(comm, ok, error)))
        goto done;
    node_broadcast(shared->node, bytes, size);
    if (!is_first)
        shared->dataset = dataset_unpack(bytes, size, error);
    ok = comm_all_ok(comm, shared->dataset != NULL, error);
done:
    free(bytes);
    return ok;
}

bool shared_dataset_open(struct shared_dataset *shared, const char *folder, struct comm *comm, struct error *error)
{
    int part, num_parts;
    *shared = (struct shared_dataset){.node = node_join(comm, folder)};
    if (!share_index(shared, folder, comm, error))
        goto failed;
    void *memory = node_share(shared->node, dataset_memory_size(shared->dataset), &part, &num_parts, error);
    if (!comm_all_ok(comm, memory != NULL || error_prefix(error, "%s", folder), error))
        goto failed;
    dataset_use_memory(shared->dataset, memory);
    if (!comm_all_ok(comm, dataset_read_part(shared->dataset, folder, part, num_parts, error), error))
        goto failed;
    node_sync(shared->node);
    if (!comm_all_ok(comm, dataset_check_content(shared->dataset, folder, error), error))
        goto failed;
    return true;

failed:
    shared_dataset_close(shared);
    return false;
}

void shared_dataset_close(struct shared_dataset *shared)
{
    dataset_close(shared->dataset);
    node_leave(shared->node);
    *shared = (struct shared_dataset){0};
}
