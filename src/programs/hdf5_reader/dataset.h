/* Datasets, read by HDF5 in this process: whole, or some of their rows. */
#ifndef DRUMLINE_PROGRAMS_HDF5_READER_DATASET_H
#define DRUMLINE_PROGRAMS_HDF5_READER_DATASET_H

#include "base/error.h"
#include "base/hdf5/hdf5.h"
#include "programs/hdf5_reader/chunks.h"

/* An open dataset with its type and sizes. */
struct dataset {
    hid_t id, type; /* owned */
    int num_dims;
    hsize_t dims[HDF5_MAX_DIMENSIONS];
    struct chunks chunks;
    char name[HDF5_REQUEST_NAME_SIZE];
};

/* One that is not open. */
#define DATASET_NONE ((struct dataset){.id = H5I_INVALID_HID, .type = H5I_INVALID_HID})

/* Opens it where it is stored as our programs store one (programs/hdf5_reader/storage.h) with num_dims dimensions, no values are kept
 * elsewhere (variable length, references), and a compound holds all its members, whose names are UTF-8. */
bool dataset_open(struct dataset *dataset, hid_t file, const char *name, int num_dims, struct error *error);

void dataset_close(struct dataset *dataset);

/* Fails where a size differs. */
bool dataset_check_sizes(const struct dataset *dataset, hid_t file, const hsize_t *dims, struct error *error);

/* Fails where its elements are neither 32-bit nor 16-bit floats (IEEE 754). */
bool dataset_check_floats(const struct dataset *dataset, hid_t file, struct error *error);

/* Fails where the file's values are not what the memory's type says, but for the order of bytes: reading never rounds or cuts.
 * Of a compound, every member of the memory's type must be there. */
bool dataset_check_type(const struct dataset *dataset, hid_t file, hid_t memory_type, struct error *error);

/* Fails where it has no rows [first, first + count). */
bool dataset_check_rows(const struct dataset *dataset, hid_t file, hsize_t first, hsize_t count, struct error *error);

/* The bytes of a row as it is stored, but without filters. */
hsize_t dataset_row_size(const struct dataset *dataset);

/* How many of `count` rows from `first` on to read at once: at most max_rows, and up to a chunk's end where that can be. */
hsize_t dataset_part(const struct dataset *dataset, hsize_t first, hsize_t count, hsize_t max_rows);

/* Reads rows [first, first + count) along the first axis, which must be there; a scalar is one row. Fails also where a checksum
 * does not hold. */
bool dataset_read(void *data, struct dataset *dataset, hid_t file, hid_t memory_type, hsize_t first, hsize_t count,
                  struct error *error);

#endif
