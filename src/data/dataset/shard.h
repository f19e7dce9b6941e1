/* One HDF5 file of grids, one performance after another: a rank's part of a data set.
 *
 * docs/formats.md describes the file: /hits and /velocity u8 [S, 9], /offset f32 [S, 9], /performances. */
#ifndef DRUMLINE_DATA_DATASET_SHARD_H
#define DRUMLINE_DATA_DATASET_SHARD_H

#include "base/hdf5/io.h"
#include "data/dataset/performance_table.h"
#include "data/music/grid.h"

#define SHARD_FORMAT "drumline-shard"

/* A shard in the making. All zero is an empty one. Cells are compressed as they come: memory holds little more than the
 * file will. */
struct shard_writer {
    struct performance_table table;
    uint64_t num_steps;                           /* S */
    struct hdf5_column *hits, *velocity, *offset; /* [S, 9], owned; NULL before the first grid */
};

/* A shard as read. */
struct shard {
    struct performance_table table;
    uint64_t num_steps; /* S */
    uint8_t *hits;      /* [S, 9], owned */
    uint8_t *velocity;  /* [S, 9], owned */
    float *offset;      /* [S, 9], owned */
};

/* "shard-00002-of-00008.h5", owned by the caller. */
char *shard_name(uint32_t number, uint32_t count);

/* True where `name` is the name of a shard, of any number and count. */
bool shard_is_name(const char *name);

/* Appends a grid. Of `about`, the path, style, drummer and split are taken; the rest follows from the grid. Fails only where
 * there is no memory. */
bool shard_writer_append(struct shard_writer *writer, const struct performance *about, const struct grid *grid,
                         struct error *error);

/* Writes the shard at `path`, replacing a file that is there; nothing can be appended any more. The file is not atomic: it is
 * to be written where nobody looks for it yet. */
bool shard_writer_write(struct shard_writer *writer, const char *path, struct error *error);

void shard_writer_free(struct shard_writer *writer);

/* Reads a shard and checks all of it: the table (see performance_table_read), sizes, hits of 0 or 1, velocities of 1 to
 * 127 and offsets of -1 to 1 where there is a hit and 0 elsewhere. Computes the rows' digests. On failure names the
 * file and the place, and *shard is empty. */
bool shard_read(struct shard *shard, const char *path, struct error *error);

void shard_free(struct shard *shard);

#endif
