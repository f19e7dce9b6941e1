#include "dist/work_share.h"
#include "dist/comm_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    REQUEST_TAG = 1,
    RANGE_TAG = 2,
    LARGEST_RANGE = 64, /* so that progress moves on */
    PARTS_OF_SHARE = 3, /* a rank may hold one range and have the next in stock: of what is left, a third each */
    WANTS_RANGE = 0,
    LEAVES = 1,
};

struct work_share {
    struct comm *comm;
    MPI_Comm ranks; /* its own, because rank 0 listens to anybody; unset for one rank */
    size_t next, count;
    int num_done;       /* on rank 0: ranks that know that nothing is left, or have finished */
    bool is_over;       /* on the others: this rank knows that nothing is left */
    uint64_t ahead[2];  /* on the others: the range after this one, on its way while work goes on */
    MPI_Request coming; /* of ahead */
};

/* On all but rank 0: asks for a range, without waiting for it. */
static void ask_ahead(struct work_share *share)
{
    int request = WANTS_RANGE;
    MPI_Irecv(share->ahead, 2, MPI_UINT64_T, 0, RANGE_TAG, share->ranks, &share->coming);
    MPI_Send(&request, 1, MPI_INT, 0, REQUEST_TAG, share->ranks);
}

struct work_share *work_share_start(struct comm *comm, size_t count)
{
    struct work_share *share = comm_must_allocate(comm, 1, sizeof *share);
    share->comm = comm;
    share->count = count;
    if (comm->size > 1)
        MPI_Comm_dup(comm->ranks, &share->ranks);
    if (comm->rank > 0)
        ask_ahead(share);
    return share;
}

/* On rank 0. Guided self-scheduling: a part of an even share of what is left (Polychronopoulos and Kuck, 1987). */
static void take_range(struct work_share *share, uint64_t range[2])
{
    size_t left = share->count - share->next;
    size_t size = left / (PARTS_OF_SHARE * (size_t)share->comm->size);
    if (size > LARGEST_RANGE)
        size = LARGEST_RANGE;
    if (size == 0 && left > 0)
        size = 1;
    range[0] = share->next;
    range[1] = share->next + size;
    share->next += size;
}

/* On rank 0: waits for one rank's request and answers it. */
static void answer_one(struct work_share *share)
{
    int request;
    uint64_t range[2];
    MPI_Status status;
    MPI_Recv(&request, 1, MPI_INT, MPI_ANY_SOURCE, REQUEST_TAG, share->ranks, &status);
    if (request == LEAVES) {
        share->num_done++;
        return;
    }
    take_range(share, range);
    MPI_Send(range, 2, MPI_UINT64_T, status.MPI_SOURCE, RANGE_TAG, share->ranks);
    if (range[0] == range[1])
        share->num_done++;
}

void work_share_answer(struct work_share *share)
{
    int is_waiting = share->comm->rank == 0 && share->comm->size > 1;
    while (is_waiting) {
        MPI_Iprobe(MPI_ANY_SOURCE, REQUEST_TAG, share->ranks, &is_waiting, MPI_STATUS_IGNORE);
        if (is_waiting)
            answer_one(share);
    }
}

/* On all but rank 0: the range that was asked for. */
static void await_range(struct work_share *share, uint64_t range[2])
{
    range[0] = range[1] = share->count;
    if (share->is_over)
        return;
    MPI_Wait(&share->coming, MPI_STATUS_IGNORE);
    memcpy(range, share->ahead, sizeof share->ahead);
    share->is_over = range[0] == range[1];
}

bool work_share_next(struct work_share *share, size_t *first, size_t *end)
{
    uint64_t range[2];
    work_share_answer(share);
    if (share->comm->rank == 0)
        take_range(share, range);
    else
        await_range(share, range);
    if (share->comm->rank > 0 && !share->is_over)
        ask_ahead(share);
    *first = (size_t)range[0];
    *end = (size_t)range[1];
    return *first < *end;
}

size_t work_share_handed_out(const struct work_share *share)
{
    return share->comm->rank == 0 ? share->next : 0;
}

void work_share_finish(struct work_share *share)
{
    uint64_t given_up[2];
    int request = LEAVES;
    if (share->comm->rank == 0) {
        share->next = share->count;
        while (share->num_done < share->comm->size - 1)
            answer_one(share);
    } else {
        await_range(share, given_up);
        if (!share->is_over)
            MPI_Send(&request, 1, MPI_INT, 0, REQUEST_TAG, share->ranks);
    }
    if (share->comm->size > 1)
        MPI_Comm_free(&share->ranks);
    free(share);
}
