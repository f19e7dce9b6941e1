/* One HDF5 file of grids, one performance after another: a rank's part of a data set.
 *
 * docs/formats.md describes the file: /hits and /velocity u8 [S, 9], /offset f32 [S, 9], /performances. */
#ifndef DRUMLINE_DATA_DATASET_SHARD_H
#define DRUMLINE_DATA_DATASET_SHARD_H

#include "base/hdf5/hdf5.h"
#include "base/io/atomic_file.h"
#include "data/dataset/performance_table.h"
#include "data/music/grid.h"

#define SHARD_FORMAT "drumline-shard"

/* A shard in the making. All zero is an empty one. Cells are compressed as they come, and memory holds little more than the
 * compressed ones, and no more than a limit of them where shard_writer_start was called: then the others go to the disk. */

struct shard_writer {
    struct performance_table table;
    uint64_t num_steps;                           /* S */
    struct hdf5_column *hits, *velocity, *offset; /* [S, 9], owned; NULL before the first grid */
    const struct atomic_file *to;                 /* not owned; NULL: all is in memory until it is written */
    size_t most_memory;                           /* bytes of compressed cells, with `to` */
    hid_t file;                                   /* open while is_streaming */
    bool is_streaming;
};

/* The cells of some performances, one after another. */
struct shard_cells {
    uint8_t *hits;     /* [S, 9] */
    uint8_t *velocity; /* [S, 9] */
    float *offset;     /* [S, 9] */
};

/* A shard that is open for reading. */
struct shard_reader {
    struct hdf5_reader *file; /* owned */
    char *path;               /* owned */
    struct performance_table table;
    uint64_t num_steps; /* S */
};

/* A whole shard in memory. */
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

/* Gives the writer the file that shard_writer_write will be called with, which has been started, before the first grid: once the
 * compressed cells are more than `most_memory` bytes, they are written to it, and those of further grids as they come. */
void shard_writer_start(struct shard_writer *writer, const struct atomic_file *to, size_t most_memory);

/* Appends a grid. Of `about`, the path, style, drummer and split are taken; the rest follows from the grid. Fails where
 * there is no memory, or no room on the disk. */
bool shard_writer_append(struct shard_writer *writer, const struct performance *about, const struct grid *grid,
                         struct error *error);

/* Writes the shard to a file that has been started; nothing can be appended any more. Flushing and naming the file is left to
 * the caller. */
bool shard_writer_write(struct shard_writer *writer, struct atomic_file *to, struct error *error);

void shard_writer_free(struct shard_writer *writer);

/* Opens a shard and checks its seal, its table (see performance_table_read) and the sizes of its datasets. On failure names
 * the file and the reason, and there is nothing to close. */
bool shard_reader_open(struct shard_reader *reader, const char *path, struct error *error);
void shard_reader_close(struct shard_reader *reader);

/* Reads the performances [first, end) of the table into `cells`, which has room for all their steps, and checks every value:
 * hits are 0 or 1, and where there is a hit its velocity is 1 to 127 and its offset -1 to 1, elsewhere both are 0. Computes
 * these rows' digests. On failure names the file and the place. */
bool shard_reader_read(struct shard_reader *reader, const struct shard_cells *cells, size_t first, size_t end,
                       struct error *error);

/* Memory for the cells of `num_steps` steps; false where there is none. */
bool shard_cells_make(struct shard_cells *cells, uint64_t num_steps);
void shard_cells_free(struct shard_cells *cells);

/* Opens a shard, reads and checks all of it, and closes it. On failure *shard is empty. */
bool shard_read(struct shard *shard, const char *path, struct error *error);
void shard_free(struct shard *shard);

#endif
