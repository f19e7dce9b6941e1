#include "data/dataset/order.h"

#include "base/random.h"

#include <assert.h>

void order_permutation(uint32_t *order, size_t count, uint64_t seed, uint32_t epoch)
{
    assert(count <= UINT32_MAX);
    struct random_stream stream;
    random_stream_start(&stream, seed, RANDOM_EPOCH_ORDER, epoch, 0);
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    for (size_t left = count; left > 1; left--) {
        uint32_t chosen = random_below(&stream, (uint32_t)left);
        uint32_t swapped = order[left - 1];
        order[left - 1] = order[chosen];
        order[chosen] = swapped;
    }
}

void order_part(size_t batch_size, int rank, int num_ranks, size_t *first, size_t *count)
{
    assert(rank >= 0 && rank < num_ranks);
    size_t ranks = (size_t)num_ranks, number = (size_t)rank;
    size_t each = batch_size / ranks, larger = batch_size % ranks;
    *first = number * each + (number < larger ? number : larger);
    *count = each + (number < larger);
}

size_t order_largest_part(size_t batch_size, int num_ranks)
{
    size_t first, count;
    order_part(batch_size, 0, num_ranks, &first, &count);
    return count;
}
