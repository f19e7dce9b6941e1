/* Rows of a dataset that is stored in chunks. HDF5 finds a chunk and reads its bytes; what they hold is checked here. */
#ifndef DRUMLINE_PROGRAMS_HDF5_READER_CHUNKS_H
#define DRUMLINE_PROGRAMS_HDF5_READER_CHUNKS_H

#include "base/hdf5/hdf5.h"
#include "programs/hdf5_reader/filters.h"

enum { CHUNKS_MAX_SIZE = 64 << 20 }; /* bytes of a chunk without filters, at most, in files that are read */

/* How a dataset is divided, and the chunk that was read last: the next rows may be in it, too. */
struct chunks {
    int num_dims; /* 0: the dataset is not stored in chunks */
    hsize_t dims[HDF5_MAX_DIMENSIONS];
    size_t element_size, chunk_size; /* bytes, as stored but without filters */
    struct filters filters;
    bool is_loaded;
    hsize_t at[HDF5_MAX_DIMENSIONS]; /* of the one that is loaded: its first element */
    struct filter_bytes loaded;
};

/* For a dataset of num_dims dimensions that was made, in chunks, with `properties`, and has elements of `type`. Fails, with a reason that
 * names no file, where chunks have no size or one above CHUNKS_MAX_SIZE, or filters that are not read. No memory is taken before a
 * chunk is read. */
bool chunks_open(struct chunks *chunks, hid_t properties, hid_t type, int num_dims, struct error *error);

void chunks_close(struct chunks *chunks);

/* Rows [first, first + count) along the first axis, which must be there, of the dataset `name` of `file`, open as `dataset` with the
 * sizes `dims`, into `rows`: elements as they are stored, in C order. Fails where a chunk is missing or not of a chunk's size, or a
 * checksum does not hold. */
bool chunks_read(unsigned char *rows, struct chunks *chunks, hid_t file, const char *name, hid_t dataset,
                 const hsize_t *dims, hsize_t first, hsize_t count, struct error *error);

#endif
