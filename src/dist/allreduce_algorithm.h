/* The algorithm by which MPI_Iallreduce reduces gradients.
 *
 * Open MPI (libnbc, 4.1 and 5.0) reduces in place by a tree, whatever the ranks and the bytes: all bytes go up to rank 0 and down
 * again, one way at a time, and rank 0 sends and receives log2 p times as many as there are. It has better algorithms, but
 * uses them for a reduction in place only when asked to, through MPI's tool interface:
 *
 * | algorithm | messages one after another, for p ranks | bytes that a rank sends of n | used for |
 * |---|---|---|---|
 * | ring | 2 (p - 1) | 2 n (p - 1) / p | few ranks, not a power of two |
 * | recursive halving-doubling (Rabenseifner) | 2 log2 p | 2 n (p - 1) / p | a power of two |
 * | the same | 3 more | 2 n more, for some | many ranks, not a power of two |
 *
 * Messages count twice here: besides its latency, one under way moves on only when the rank gives MPI a chance between its
 * GEMMs. After Thakur, Rabenseifner and Gropp, "Optimization of Collective Communication Operations in MPICH" (International
 * Journal of High Performance Computing Applications 19, 2005). All give every rank the same bits. */
#ifndef DRUMLINE_DIST_ALLREDUCE_ALGORITHM_H
#define DRUMLINE_DIST_ALLREDUCE_ALGORITHM_H

#include <stdbool.h>

enum allreduce_algorithm { ALLREDUCE_RING, ALLREDUCE_HALVING_DOUBLING };

/* The best for so many ranks (2 or more). */
enum allreduce_algorithm allreduce_algorithm_for(int num_ranks);

/* What an allreduce of n bytes by that algorithm costs: `rounds` messages one after another, and `passes` n bytes through a
 * rank's link. The table above in numbers, for the rank that has most to do; nothing for one rank. */
struct allreduce_cost {
    double rounds, passes;
};

struct allreduce_cost allreduce_algorithm_cost(int num_ranks);

/* Makes it the choice for all MPI_Iallreduce of this process from here on. Returns false, and changes nothing, where another
 * choice was made already (OMPI_MCA_coll_libnbc_iallreduce_algorithm, mpirun --mca), or where this MPI has no such choice. The
 * choice `ignore`, 0, is Open MPI's default, so it does not count as one: for the tree set `binomial`. After MPI was started;
 * all ranks alike. */
bool allreduce_algorithm_choose(int num_ranks);

#endif
