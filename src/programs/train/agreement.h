/* What the ranks of a job must have in common before they work together. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_AGREEMENT_H
#define DRUMLINE_PROGRAMS_TRAIN_AGREEMENT_H

#include "data/dataset/dataset.h"
#include "dist/comm.h"

/* Rank 0's *text, which may be NULL, into every other rank's, which need not be set; owned by the caller.
 * Collective. */
void agreement_share_text(struct comm *comm, char **text);

/* Fails, on all ranks, where one has opened a data set of other content than rank 0's. Collective. */
bool agreement_same_dataset(struct comm *comm, const struct dataset *dataset, const char *path, struct error *error);

#endif
