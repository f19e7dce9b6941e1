#include "programs/train/agreement.h"

#include "base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void agreement_share_text(struct comm *comm, char **text)
{
    uint64_t size = comm_rank(comm) == 0 && *text ? strlen(*text) + 1 : 0;
    comm_broadcast(comm, &size, sizeof size, 0);
    if (comm_rank(comm) != 0)
        *text = size > 0 ? format_text("%*s", (int)size - 1, "") : NULL;
    if (size > 0)
        comm_broadcast(comm, *text, size, 0);
}

bool agreement_same_dataset(struct comm *comm, const struct dataset *dataset, const char *path, struct error *error)
{
    const char *own = dataset_content_sha256(dataset);
    char *shared = comm_rank(comm) == 0 ? format_text("%s", own) : NULL;
    agreement_share_text(comm, &shared);
    assert(shared); /* rank 0's text has an end at least */
    bool same = strcmp(own, shared) == 0;
    if (!same)
        error_set(error, "%s is not the data set that rank 0 has (content %.12s..., rank 0's %.12s...)", path, own,
                  shared);
    free(shared);
    return comm_all_ok(comm, same, error);
}
