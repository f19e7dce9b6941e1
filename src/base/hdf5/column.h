/* Datasets that are written row by row. */
#ifndef DRUMLINE_BASE_HDF5_COLUMN_H
#define DRUMLINE_BASE_HDF5_COLUMN_H

#include "base/error.h"

#include <hdf5.h>

/* A dataset [rows, row_elements] in the making, stored as HDF5_COMPRESSED, whose rows are appended: what is full of its
 * chunks is compressed at once, so that memory holds little more than what will be stored. */
struct hdf5_column;

/* `memory_type` is what is appended, and the type in the file, but little-endian; not owned, and to be kept open. A row
 * has at most 64 KiB. Fails where there is no memory. */
bool hdf5_column_make(struct hdf5_column **column, hid_t memory_type, size_t row_elements, struct error *error);

/* NULL is allowed. */
void hdf5_column_free(struct hdf5_column *column);

/* Appends `num_rows` rows (C order). Fails where there is no memory; the column can then only be freed. */
bool hdf5_column_append(struct hdf5_column *column, const void *rows, size_t num_rows, struct error *error);

/* Bytes of memory that its full chunks take. */
size_t hdf5_column_packed_size(const struct hdf5_column *column);

/* Begins to write the dataset into a file made by hdf5_create_on_disk: full chunks are no longer held in memory. The dataset
 * can be made larger by other programs, else it is as hdf5_column_write makes it. */
bool hdf5_column_stream(struct hdf5_column *column, hid_t file, const char *name, struct error *error);

/* Writes the dataset as hdf5_write_dataset does, or what of it is left, with the file and name of hdf5_column_stream; nothing can
 * be appended any more. */
bool hdf5_column_write(struct hdf5_column *column, hid_t file, const char *name, struct error *error);

#endif
