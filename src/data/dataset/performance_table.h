/* The table /performances of shards and indexes: one row for each performance. In HDF5 a compound of fixed-size UTF-8
 * strings and little-endian numbers. */
#ifndef DRUMLINE_DATA_DATASET_PERFORMANCE_TABLE_H
#define DRUMLINE_DATA_DATASET_PERFORMANCE_TABLE_H

#include "base/error.h"
#include "base/hdf5/hdf5.h"
#include "data/dataset/splits.h"
#include "data/music/grid.h"

#include <stddef.h>
#include <stdint.h>

enum { DIGEST_SIZE = 32, PERFORMANCE_TEXT_MAX = 4096 };

struct performance {
    char *path;    /* relative to the input folder, UTF-8; owned */
    char *style;   /* "" where unknown; owned */
    char *drummer; /* "" where unknown; owned */
    enum split split;
    uint64_t first_step; /* in the shard, or in the index's own /hits and so on */
    uint32_t num_steps;
    float qpm;
    struct time_signature time_signature;
    enum beat_type beat_type;    /* unknown in data sets of the first version; no part of the digest */
    uint32_t shard;              /* in an index: the shard's number */
    uint8_t digest[DIGEST_SIZE]; /* performance_digest; in memory alone */
};

struct performance_table {
    struct performance *rows; /* [count], owned */
    size_t count, capacity;
};

/* Appends a copy of `performance` with strings of its own. */
bool performance_table_append(struct performance_table *table, const struct performance *performance,
                              struct error *error);
void performance_table_free(struct performance_table *table);

/* The rows with their digests as bytes, owned by the caller, for another process of this program on the same kind of machine;
 * and a table of the same rows made of such bytes. Bytes that are cut off are refused. */
bool performance_table_pack(uint8_t **bytes, size_t *size, const struct performance_table *table, struct error *error);
bool performance_table_unpack(struct performance_table *table, const uint8_t *bytes, size_t size, struct error *error);

/* SHA-256 of what a performance is, the same on every machine and for every number of ranks: path, split, style and
 * drummer, each with a NUL; num_steps as u32, qpm as f32, numerator and denominator as u8; then hits u8 [num_steps, 9],
 * velocity u8 [num_steps, 9] and offset f32 [num_steps, 9]. Numbers little-endian. */
void performance_digest(uint8_t digest[DIGEST_SIZE], const struct performance *performance, const uint8_t *hits,
                        const uint8_t *velocity, const float *offset);

/* content_sha256: SHA-256 over the rows' digests in order, as 64 hexadecimal digits and a NUL. */
void performance_table_digest(char text[2 * DIGEST_SIZE + 1], const struct performance_table *table);

/* Writes /performances into an open HDF5 file that messages call `path`; `with_shard` adds the column of an index. */
bool performance_table_write(hid_t file, const char *path, const struct performance_table *table, bool with_shard,
                             struct error *error);

/* Reads and checks it: strings of UTF-8, paths that stay below their folder, splits of a known name, rows that lie one
 * after another from step 0 in whole bars, finite positive tempos. *num_steps is their sum. Digests are left zero. */
bool performance_table_read(struct performance_table *table, uint64_t *num_steps, struct hdf5_reader *file,
                            const char *path, bool with_shard, struct error *error);

#endif
