/* A data set in memory.
 *
 * One process alone calls dataset_open. Processes that share memory read a data set together, each a part of it:
 *
 *     one     dataset_begin, dataset_pack    reads the index
 *     others  dataset_unpack                 get that index
 *     all     dataset_use_memory             dataset_memory_size bytes, the same for all
 *     all     dataset_read_part              each its own part
 *     all     dataset_check_content          once all have read theirs */
#ifndef DRUMLINE_DATA_DATASET_DATASET_H
#define DRUMLINE_DATA_DATASET_DATASET_H

#include "data/dataset/index.h"

#include <stddef.h>
#include <stdint.h>

struct dataset {
    struct dataset_index index; /* performances by path; first_step counts in the arrays below */
    float *offset;              /* [S, 9] */
    uint8_t *hits;              /* [S, 9] */
    uint8_t *velocity;          /* [S, 9] */
    uint8_t *digests;           /* [performances, DIGEST_SIZE] */
    void *own_memory;           /* owned: what the four lie in, where dataset_open took it; else NULL */
};

/* Reads a data set's index and shards whole, some 54 bytes a step, and checks them: every shard there and as the index
 * knows it, every value in its range (see shard_reader_read), the content's hash as the index says. On failure NULL, and the
 * message names the file and the reason. Freed with dataset_close. */
struct dataset *dataset_open(const char *folder, struct error *error);
void dataset_close(struct dataset *dataset);

/* Reads the index alone. On failure NULL, and the message names the file and the reason. */
struct dataset *dataset_begin(const char *folder, struct error *error);

/* The index as bytes, owned by the caller, for another process of this program on the same kind of machine; and a data set
 * of that index, NULL on failure. */
bool dataset_pack(uint8_t **bytes, size_t *size, const struct dataset *dataset, struct error *error);
struct dataset *dataset_unpack(const uint8_t *bytes, size_t size, struct error *error);

/* Bytes for all values and digests. */
size_t dataset_memory_size(const struct dataset *dataset);

/* Lets the values lie in `memory`, aligned as malloc aligns, of dataset_memory_size bytes; not owned: must outlive the data
 * set. What is there is kept. */
void dataset_use_memory(struct dataset *dataset, void *memory);

/* Reads part `part` of 0 to num_parts - 1, about equal shares of the steps, from the folder's shards and checks it: the shards
 * as the index knows them, every value in its range. Opens only the shards that it reads from. */
bool dataset_read_part(struct dataset *dataset, const char *folder, int part, int num_parts, struct error *error);

/* Fails where the content's hash, of all parts, is not the index's. */
bool dataset_check_content(struct dataset *dataset, const char *folder, struct error *error);

/* 64 hexadecimal digits; owned by the data set. Equal for equal content, whatever number of shards it lies in. */
const char *dataset_content_sha256(const struct dataset *dataset);

#endif
