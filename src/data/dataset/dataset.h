/* A data set in memory, and the windows that training and evaluation draw from it. */
#ifndef DRUMLINE_DATA_DATASET_DATASET_H
#define DRUMLINE_DATA_DATASET_DATASET_H

#include "data/dataset/index.h"

#include <stddef.h>
#include <stdint.h>

struct dataset {
    struct dataset_index index; /* performances by path; first_step counts in the arrays below */
    uint8_t *hits;              /* [S, 9], owned */
    uint8_t *velocity;          /* [S, 9], owned */
    float *offset;              /* [S, 9], owned */
};

/* Reads a data set's index and shards whole, some 54 bytes a step, and checks them: every shard there and as the index
 * knows it, every value in its range (see shard_read), the content's hash as the index says. On failure NULL, and the
 * message names the file and the reason. Freed with dataset_close. */
struct dataset *dataset_open(const char *folder, struct error *error);
void dataset_close(struct dataset *dataset);

/* 64 hexadecimal digits; owned by the data set. Equal for equal content, whatever number of shards it lies in. */
const char *dataset_content_sha256(const struct dataset *dataset);

struct windows {
    const struct dataset *dataset; /* not owned: must outlive the windows */
    int bars;                      /* of one window */
    uint32_t num_steps;            /* T = 16 * bars */
    size_t count;
    uint64_t *first_step;  /* [count], owned: where each begins in the data set's arrays */
    uint32_t *performance; /* [count], owned: the row it belongs to */
};

/* How many windows of `bars` bars, one every `hop_bars`, a performance has; a last, partial one does not count. None
 * where its bar is not 16 steps. */
uint64_t windows_in(const struct performance *row, uint32_t bars, uint32_t hop_bars);

/* The windows of `bars` bars that begin every `hop_bars` bars of each performance of the split ("train", "validation",
 * "test"); a last, partial one is left out. Performances whose bar is not 16 steps have none. In the order of the
 * index. Fails where there is none, and says what the splits hold. */
bool windows_make(struct windows *windows, const struct dataset *dataset, const char *split, int bars, int hop_bars,
                  struct error *error);
void windows_free(struct windows *windows);

#endif
