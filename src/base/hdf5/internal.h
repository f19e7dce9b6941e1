/* Shared by the parts of base/hdf5/io.h: files, attributes, writing and reading. */
#ifndef DRUMLINE_BASE_HDF5_INTERNAL_H
#define DRUMLINE_BASE_HDF5_INTERNAL_H

#include "base/error.h"
#include "base/hdf5/io.h"

#include <hdf5.h>

/* Sets "FILE: OBJECT: WHAT (HDF5's innermost reason)" for an object of the open file `file`, and returns false. To be called
 * before any other function of HDF5, which would forget the reason. */
bool hdf5_fail_at(struct error *error, hid_t file, const char *object, const char *what);

/* As hdf5_fail_at, for what we refuse ourselves: without HDF5's reason. */
bool hdf5_refuse_at(struct error *error, hid_t file, const char *object, const char *what);

/* Whether `type` is an integer or float (`class` says which) as C has them, of 1 to 8 bytes and either byte order. HDF5
 * knows stranger ones, which no program of ours writes. */
bool hdf5_is_plain_number(hid_t type, H5T_class_t class);

/* Whether one of the sizes is 0. */
bool hdf5_is_empty(int num_dims, const hsize_t *dims);

/* Rows on their way into a dataset with shuffle, deflate and fletcher32, in this order, and with chunks of whole rows: full
 * chunks are compressed as soon as they are there. hdf5_compressed.c has it, or without libdeflate
 * hdf5_compressed_by_filter.c. */
struct hdf5_packing;

/* For chunks of `chunk_rows` rows of `row_size` bytes, which are elements of `element_size` bytes. NULL where there is no
 * memory. */
struct hdf5_packing *hdf5_packing_make(size_t element_size, size_t row_size, size_t chunk_rows);
void hdf5_packing_free(struct hdf5_packing *packing);

/* Appends rows as they shall lie in the file. False where there is no memory. */
bool hdf5_packing_append(struct hdf5_packing *packing, const void *rows, size_t num_rows);

/* Writes all rows into a dataset of `type` that has as many, and chunks of `chunk_rows` rows or, where it has fewer, of all
 * its rows. False where HDF5 can't take it. */
bool hdf5_packing_write(struct hdf5_packing *packing, hid_t dataset, hid_t type);

/* Reads all values of a dataset that is stored as hdf5_packing_write stores one, not empty, of `type` also in memory.
 * False where it is stored otherwise, or is damaged: H5Dread then reads it, or tells what is wrong with it. */
bool hdf5_read_compressed(void *data, hid_t dataset, hid_t type, int num_dims, const hsize_t *dims);

#endif
