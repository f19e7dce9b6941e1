/* Shares out the numbers 0 .. count-1 over the ranks as they become free: for tasks that differ much in length.
 *
 * Rank 0 keeps the counter, works too, and answers the others between two of its own tasks; ranges shrink towards the end
 * (a share of what is left), so that all finish together. The others ask for their next range when they begin one: rank 0
 * may be busy with a long task of its own for a while.
 *
 *     struct work_share *share = work_share_start(comm, count);
 *     while (work_share_next(share, &first, &end))
 *         for (size_t i = first; i < end; i++) { work on i; work_share_answer(share); }
 *     work_share_finish(share);
 */
#ifndef DRUMLINE_DIST_WORK_SHARE_H
#define DRUMLINE_DIST_WORK_SHARE_H

#include "dist/comm.h"

struct work_share;

/* Collective. Aborts where there is no memory for a few bytes. */
struct work_share *work_share_start(struct comm *comm, size_t count);

/* The next range [*first, *end) for this rank; false where nothing is left. */
bool work_share_next(struct work_share *share, size_t *first, size_t *end);

/* On rank 0, answers the ranks that wait; elsewhere does nothing. Call after each task. */
void work_share_answer(struct work_share *share);

/* On rank 0: how many numbers have been handed out, for progress. Elsewhere 0. */
size_t work_share_handed_out(const struct work_share *share);

/* Waits until every rank knows that nothing is left, and frees. A rank may come here before the end, after a failure:
 * what it holds or has asked for is then given up, and where it is rank 0, so is what nobody holds yet. Collective. */
void work_share_finish(struct work_share *share);

#endif
