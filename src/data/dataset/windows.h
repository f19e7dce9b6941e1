/* The windows that training and evaluation draw from a data set. */
#ifndef DRUMLINE_DATA_DATASET_WINDOWS_H
#define DRUMLINE_DATA_DATASET_WINDOWS_H

#include "data/dataset/dataset.h"

#include <stddef.h>
#include <stdint.h>

/* A window's number is its place among all of the split, whether silent ones are skipped or not; its index is its place in the
 * arrays. */
struct windows {
    const struct dataset *dataset; /* not owned: must outlive the windows */
    enum split split;
    int bars;           /* of one window */
    uint32_t num_steps; /* T = 16 * bars */
    size_t count;
    size_t num_silent;     /* skipped by windows_skip_silent */
    uint64_t *first_step;  /* [count], owned: where each begins in the data set's arrays */
    uint32_t *performance; /* [count], owned: the row it belongs to */
    uint32_t *number;      /* [count], owned: ascending */
};

/* How many windows of `bars` bars, one every `hop_bars`, a performance has; a last, partial one does not count. None
 * where its bar is not 16 steps. */
uint64_t windows_in(const struct performance *row, uint32_t bars, uint32_t hop_bars);

/* The windows of `bars` bars that begin every `hop_bars` bars of each performance of the split ("train", "validation",
 * "test"); a last, partial one is skipped. Performances whose bar is not 16 steps have none. In the order of the
 * index. Fails where there is none, and says what the splits hold. */
bool windows_make(struct windows *windows, const struct dataset *dataset, const char *split, int bars, int hop_bars,
                  struct error *error);
void windows_free(struct windows *windows);

/* Takes out those without a hit and counts them; the others keep their order and numbers. Fails where none is left, and then
 * frees them. */
bool windows_skip_silent(struct windows *windows, struct error *error);

/* Sets order[0..count) to the indices of all windows in the order of the epoch: order_permutation's of all numbers, without
 * those that are skipped. `order` has room for count + num_silent. */
void windows_order(uint32_t *order, const struct windows *windows, uint64_t seed, uint32_t epoch);

/* How many windows from index `first` on, at most `most`, have consecutive numbers. */
size_t windows_consecutive(const struct windows *windows, size_t first, size_t most);

#endif
