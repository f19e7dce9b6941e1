/* A data set that the ranks of a node read together, into memory that they share: once a node, each rank a part of it. */
#ifndef DRUMLINE_PROGRAMS_COMMON_SHARED_DATASET_H
#define DRUMLINE_PROGRAMS_COMMON_SHARED_DATASET_H

#include "data/dataset/dataset.h"
#include "dist/comm.h"
#include "dist/node.h"

/* All zero is none. */
struct shared_dataset {
    struct dataset *dataset; /* owned; read, never written */
    struct node *node;       /* owned: the ranks of this node that gave the same folder, and their memory */
};

/* Reads the data set in `folder`, which may be another path on another rank, and checks all of it as dataset_open does. On
 * failure all ranks have the message of the lowest rank that failed. Ranks with other folders may have read other data sets.
 * Collective. */
bool shared_dataset_open(struct shared_dataset *shared, const char *folder, struct comm *comm, struct error *error);

/* Collective. */
void shared_dataset_close(struct shared_dataset *shared);

#endif
