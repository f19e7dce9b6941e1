/* The order of windows in an epoch, and each rank's part of a batch. Plain arithmetic: ranks are numbers here. */
#ifndef DRUMLINE_DATA_DATASET_ORDER_H
#define DRUMLINE_DATA_DATASET_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* Sets order[0..count) to a permutation of 0 .. count-1 that depends on (seed, epoch) alone: Fisher and Yates' shuffle
 * (Knuth, The Art of Computer Programming, volume 2, algorithm P). count fits in 32 bits. */
void order_permutation(uint32_t *order, size_t count, uint64_t seed, uint32_t epoch);

/* Rank `rank`'s part of a batch: the contiguous [*first, *first + *count). Parts of different ranks differ by at most
 * one, the larger ones first; a part is empty where there are more ranks than examples. */
void order_part(size_t batch_size, int rank, int num_ranks, size_t *first, size_t *count);

/* The size of the largest part. */
size_t order_largest_part(size_t batch_size, int num_ranks);

#endif
