/* Shared by the halves of base/hdf5_io.h: files, attributes and datasets. */
#ifndef DRUMLINE_BASE_HDF5_INTERNAL_H
#define DRUMLINE_BASE_HDF5_INTERNAL_H

#include "base/error.h"
#include "base/hdf5_io.h"

#include <hdf5.h>

/* Sets "FILE: OBJECT: WHAT (HDF5's innermost reason)" for an object of the open file `file`, and returns false. To be called
 * before any other function of HDF5, which would forget the reason. */
bool hdf5_fail_at(struct error *error, hid_t file, const char *object, const char *what);

/* As hdf5_fail_at, for what we refuse ourselves: without HDF5's reason. */
bool hdf5_refuse_at(struct error *error, hid_t file, const char *object, const char *what);

/* Whether `type` is an integer or float (`class` says which) as C has them, of 1 to 8 bytes and either byte order. HDF5
 * knows stranger ones, which no program of ours writes. */
bool hdf5_is_plain_number(hid_t type, H5T_class_t class);

/* Writes all values of a dataset that was made with shuffle, deflate and fletcher32, in this order, and with chunks of
 * `chunk_rows` rows of its first axis. What is at `data` is of `type`, the dataset's own, and not empty. False where HDF5
 * can't take it or there is no memory. hdf5_compressed.c has it, or without libdeflate hdf5_compressed_by_filter.c. */
bool hdf5_write_compressed(hid_t dataset, hid_t type, int num_dims, const hsize_t *dims, hsize_t chunk_rows,
                           const void *data);

/* Reads all values of a dataset that is stored as hdf5_write_compressed stores one, not empty, of `type` also in memory.
 * False where it is stored otherwise, or is damaged: H5Dread then reads it, or tells what is wrong with it. */
bool hdf5_read_compressed(void *data, hid_t dataset, hid_t type, int num_dims, const hsize_t *dims);

#endif
