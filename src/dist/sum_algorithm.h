/* The algorithm by which MPI_Iallreduce sums gradients.
 *
 * Open MPI (libnbc, 4.1 and 5.0) sums in place by a tree, whatever the ranks and the bytes: all bytes go up to rank 0 and down
 * again, one way at a time, and rank 0 sends and receives log2 p times as many as there are. It has better algorithms too, but
 * takes them for a sum in place only where it is told to. MPI's tool interface tells it:
 *
 * | algorithm | rounds of messages for p ranks | bytes that a rank sends of n | taken for |
 * |---|---|---|---|
 * | ring | 2 (p - 1) | 2 n (p - 1) / p | few ranks, not a power of two |
 * | Rabenseifner's halving and doubling | 2 log2 p | 2 n (p - 1) / p | a power of two |
 * | the same | 3 more | 2 n more, for some | many ranks, not a power of two |
 *
 * Rounds count twice here: besides a message's latency, one under way moves on only when the rank looks after it between its
 * products. After Thakur, Rabenseifner and Gropp, "Optimization of Collective Communication Operations in MPICH"
 * (International Journal of High Performance Computing Applications 19, 2005). All give every rank the same bits. */
#ifndef DRUMLINE_DIST_SUM_ALGORITHM_H
#define DRUMLINE_DIST_SUM_ALGORITHM_H

#include <stdbool.h>

enum sum_algorithm { SUM_BY_RING, SUM_BY_HALVING };

/* What is best for so many ranks (2 or more). */
enum sum_algorithm sum_algorithm_for(int num_ranks);

/* What a sum of n bytes by that algorithm takes: `rounds` messages one after another, and `passes` n bytes through a rank's
 * link. The table above in numbers, for the rank that has most to do; nothing for one rank. */
struct sum_cost {
    double rounds, passes;
};

struct sum_cost sum_algorithm_cost(int num_ranks);

/* Makes it the choice for all MPI_Iallreduce of this process from here on. Returns false, and changes nothing, where another
 * choice stands already (OMPI_MCA_coll_libnbc_iallreduce_algorithm, mpirun --mca), or where this MPI has no such choice. The
 * choice `ignore`, 0, is Open MPI's default and can't be told from it, so it does not stand: who wants the tree says
 * `binomial`. After MPI was started; all ranks alike. */
bool sum_algorithm_choose(int num_ranks);

#endif
