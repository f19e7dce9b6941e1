/* Memory that the ranks of one node share: what all of them read and none changes is there once a node, not once a rank.
 *
 * Other modules get a plain pointer. MPI_Win_allocate_shared takes the memory, on Linux a file in /dev/shm that has no name
 * any more once all ranks have it, so that nothing stays behind a job that is killed. */
#ifndef DRUMLINE_DIST_NODE_H
#define DRUMLINE_DIST_NODE_H

#include "dist/comm.h"

#include <stddef.h>

/* Ranks on one node that share something. */
struct node;

/* The ranks of this rank's node that give an equal `name` (a folder, say), as one group; its first rank is that of the lowest
 * rank in comm. Collective. */
struct node *node_join(struct comm *comm, const char *name);

/* This rank's number in the group, and how many there are. */
int node_rank(const struct node *node);
int node_num_ranks(const struct node *node);

/* From the group's first rank to the others; any size. Collective in the group. */
void node_broadcast(struct node *node, void *bytes, size_t size);

/* `size` zero bytes for any type, there until node_leave; `size` is the same on each rank of the group. To be called once.
 *
 * *num_sharers is how many ranks share this memory, *sharer this rank's number among them: all of the group, or, where the node
 * has no room for shared memory of that size, this rank alone with memory of its own, which a warning says. NULL where there is
 * no memory, which may be so on this rank alone. Collective in the group. */
void *node_share(struct node *node, size_t size, int *sharer, int *num_sharers, struct error *error);

/* What any rank of the group has written to the shared memory before this is what all read from it afterwards. Collective in the
 * group. */
void node_sync(struct node *node);

/* Frees the shared memory and the group; NULL does nothing. Collective in the group. */
void node_leave(struct node *node);

#endif
