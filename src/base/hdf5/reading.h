/* Datasets read: whole, or some of their rows. */
#ifndef DRUMLINE_BASE_HDF5_READING_H
#define DRUMLINE_BASE_HDF5_READING_H

#include "base/error.h"

#include <hdf5.h>

/* The sizes of a dataset; fails where it is missing or its rank is not num_dims. */
bool hdf5_dataset_dims(hsize_t *dims, hid_t file, const char *name, int num_dims, struct error *error);

/* Reads a whole dataset into `data`; fails where the rank or a size differs, or the checksum does not hold. */
bool hdf5_read_dataset(void *data, hid_t file, const char *name, hid_t memory_type, int num_dims, const hsize_t *dims,
                       struct error *error);

/* As hdf5_read_dataset, but only rows [first, first + count) along the first axis; `dims` are the sizes of the whole, which
 * must have at least one dimension and those rows. */
bool hdf5_read_rows(void *data, hid_t file, const char *name, hid_t memory_type, int num_dims, const hsize_t *dims,
                    hsize_t first, hsize_t count, struct error *error);

#endif
