/* HDF5 files of ours, with every failure told by file and reason. The serial library; no MPI.
 *
 * All such files carry the attributes `format` and `version` on their root group (docs/formats.md). Objects are named by
 * path inside the file. `hid_t` handles are owned by the caller and closed with H5Fclose and friends. */
#ifndef DRUMLINE_BASE_HDF5_IO_H
#define DRUMLINE_BASE_HDF5_IO_H

#include "base/cli/settings.h"
#include "base/error.h"

#include <hdf5.h>

enum { HDF5_FORMAT_VERSION = 1, HDF5_MAX_DIMENSIONS = 4 };

/* Turns off HDF5's own printing of errors, for good, and what it does at the program's end, which only the first call of HDF5
 * can. Call once at a program's start; the other functions call it too. */
void hdf5_be_quiet(void);

/* Sets "PATH: WHAT (HDF5's innermost reason)" and returns false. */
bool hdf5_fail(struct error *error, const char *path, const char *what);

/* Creates a file (replacing one) with `format` and `version` set, in a format that HDF5 1.10 reads. The file is built in
 * memory and written as one piece by hdf5_close, sealed (base/hdf5/seal.h); until then an empty one stands for it, and
 * H5Fclose gives it up. */
bool hdf5_create(hid_t *file, const char *path, const char *format, struct error *error);

/* Opens for reading, having checked the seal (base/hdf5/seal.h), and checks `format` and `version`. A file of another format
 * or version is refused by name. */
bool hdf5_open(hid_t *file, const char *path, const char *format, struct error *error);

/* Writes a file made by hdf5_create, telling why it can't (a full disk), and closes any. *file becomes H5I_INVALID_HID; on
 * failure what is on the disk may be half a file, which base/io/atomic_file.h throws away. */
bool hdf5_close(hid_t *file, const char *path, struct error *error);

/* The file's own name of `format`, for programs that take any of ours; NULL where it is none. Owned by the caller. */
char *hdf5_read_format(const char *path, struct error *error);

/* Attributes of the root group of `file`. Reading fails where the attribute is missing or of another kind. Strings are
 * UTF-8 and owned by the caller. */
bool hdf5_write_string(hid_t file, const char *name, const char *value, struct error *error);
bool hdf5_write_int(hid_t file, const char *name, int64_t value, struct error *error);
bool hdf5_write_double(hid_t file, const char *name, double value, struct error *error);
bool hdf5_write_int_list(hid_t file, const char *name, const struct int_list *value, struct error *error);
bool hdf5_read_string(char **value, hid_t file, const char *name, struct error *error);
bool hdf5_read_int(int64_t *value, hid_t file, const char *name, struct error *error);
bool hdf5_read_double(double *value, hid_t file, const char *name, struct error *error);
bool hdf5_read_int_list(struct int_list *value, hid_t file, const char *name, struct error *error);
bool hdf5_has_attribute(hid_t file, const char *name);

/* Every member of a settings table as an attribute of its own name, typed (strings and choices as strings, bools as
 * integers). Reading leaves members whose attribute is missing as they are, and checks bounds. */
bool hdf5_write_settings(hid_t file, const struct settings_table *table, const void *values, struct error *error);
bool hdf5_read_settings(void *values, hid_t file, const struct settings_table *table, struct error *error);

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

/* A dataset [rows, row_elements] in the making, stored as HDF5_COMPRESSED, whose rows come bit by bit: what is full of its
 * chunks is compressed at once, so that memory holds little more than what will be stored
 * (with libdeflate; without it, all of it until it is written). */
struct hdf5_column;

/* `memory_type` is what is appended, and the type in the file, but little-endian; not owned, and to be kept open. A row
 * has at most 64 KiB. Fails where there is no memory. */
bool hdf5_column_make(struct hdf5_column **column, hid_t memory_type, size_t row_elements, struct error *error);

/* NULL is allowed. */
void hdf5_column_free(struct hdf5_column *column);

/* Appends `num_rows` rows (C order). Fails where there is no memory. */
bool hdf5_column_append(struct hdf5_column *column, const void *rows, size_t num_rows, struct error *error);

/* Writes the dataset as hdf5_write_dataset does; nothing can be appended any more. */
bool hdf5_column_write(struct hdf5_column *column, hid_t file, const char *name, struct error *error);

/* The sizes of a dataset; fails where it is missing or its rank is not num_dims. */
bool hdf5_dataset_dims(hsize_t *dims, hid_t file, const char *name, int num_dims, struct error *error);

/* Whether a dataset holds 32-bit or 16-bit floats (IEEE 754, as numpy.float16) of these sizes, in this file itself; fails
 * otherwise. */
bool hdf5_check_floats(hid_t file, const char *name, int num_dims, const hsize_t *dims, struct error *error);

/* Reads them, 16-bit ones exactly; fails also where the checksum does not hold. Values may be infinite or NaN. */
bool hdf5_read_floats(float *data, hid_t file, const char *name, int num_dims, const hsize_t *dims,
                      struct error *error);

/* Writes `data` as hdf5_write_dataset does, but as 16-bit floats, each rounded to the nearest. Fails where a number is not
 * finite or would be too large (above 65,504). */
bool hdf5_write_halves(hid_t file, const char *name, int num_dims, const hsize_t *dims, const float *data,
                       enum hdf5_storage storage, struct error *error);

/* Reads a whole dataset into `data`; fails where the rank or a size differs, or the checksum does not hold. */
bool hdf5_read_dataset(void *data, hid_t file, const char *name, hid_t memory_type, int num_dims, const hsize_t *dims,
                       struct error *error);

#endif
