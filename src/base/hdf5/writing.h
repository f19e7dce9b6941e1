/* Datasets, written at once. `hid_t` is an open file from base/hdf5/file.h. */
#ifndef DRUMLINE_BASE_HDF5_WRITING_H
#define DRUMLINE_BASE_HDF5_WRITING_H

#include "base/error.h"

#include <hdf5.h>

enum { HDF5_COMPRESSED_CHUNK = 256 << 10 }; /* bytes of a chunk of HDF5_COMPRESSED, at most */

/* How a dataset is stored. */
enum hdf5_storage {
    HDF5_CONTIGUOUS,
    HDF5_CHECKSUMMED, /* one chunk (or chunks of at most 16 MiB) with the fletcher32 filter: reading checks it */
    HDF5_COMPRESSED,  /* chunks along the first axis, shuffle + deflate + fletcher32 */
};

/* Writes `data` (C order, `dims[0..num_dims)`) as a dataset; groups on the way are made. `memory_type` is also the type in
 * the file, but little-endian. Size-0 datasets are allowed. */
bool hdf5_write_dataset(hid_t file, const char *name, hid_t memory_type, int num_dims, const hsize_t *dims,
                        const void *data, enum hdf5_storage storage, struct error *error);

/* The parts of hdf5_write_dataset, for base/hdf5/column.h. */

/* `memory_type` with its numbers little-endian: the type in the file. Owned by the caller; negative on failure. */
hid_t hdf5_file_type(hid_t memory_type);

/* A dataset without values yet, of the file's type `type`; negative on failure. */
hid_t hdf5_dataset_make(hid_t file, const char *name, hid_t type, int num_dims, const hsize_t *dims,
                        enum hdf5_storage storage, struct error *error);

/* Closes it. `written`: whether its values could be written; returns false with the error set where they could not. */
bool hdf5_dataset_finish(hid_t dataset, hid_t file, const char *name, bool written, struct error *error);

#endif
