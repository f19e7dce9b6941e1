/* HDF5 files that are read. Who wrote a file may have meant harm, and HDF5 is not made for that: so a file is read in a process of
 * its own, drumline-hdf5-reader (base/hdf5/helper.h), one for each open file. No code of HDF5 runs in this one for it, and what comes
 * back is copied before it is looked at. Names of objects are paths inside the file. */
#ifndef DRUMLINE_BASE_HDF5_READER_H
#define DRUMLINE_BASE_HDF5_READER_H

#include "base/cli/settings.h"
#include "base/error.h"
#include "base/hdf5/protocol.h"

#include <hdf5.h>

#include <stdbool.h>
#include <stddef.h>

struct hdf5_reader;

/* Opens for reading, having checked the seal (base/hdf5/seal.h), and checks `format` and `version`. A file of another format
 * or version is refused by name. *file is owned by the caller, and NULL on failure. */
bool hdf5_open(struct hdf5_reader **file, const char *path, const char *format, struct error *error);

/* The file's own name of `format`, for programs that take any of ours; NULL where it is none. Owned by the caller. */
char *hdf5_read_format(const char *path, struct error *error);

/* NULL is allowed. *file becomes NULL. */
void hdf5_reader_close(struct hdf5_reader **file);

/* Attributes of the root group. Reading fails where the attribute is missing or of another kind. Strings are owned by the
 * caller. */
bool hdf5_read_string(char **value, struct hdf5_reader *file, const char *name, struct error *error);
bool hdf5_read_int(int64_t *value, struct hdf5_reader *file, const char *name, struct error *error);
bool hdf5_read_double(double *value, struct hdf5_reader *file, const char *name, struct error *error);
bool hdf5_read_int_list(struct int_list *value, struct hdf5_reader *file, const char *name, struct error *error);

/* Also true where it can't be known: then reading it fails with the reason. */
bool hdf5_has_attribute(struct hdf5_reader *file, const char *name);

/* Members of a settings table that were written by hdf5_write_settings; those whose attribute is missing stay as they are.
 * Checks bounds. */
bool hdf5_read_settings(void *values, struct hdf5_reader *file, const struct settings_table *table,
                        struct error *error);

/* Whether there is such a group or dataset; also true where it can't be known: then reading it fails with the reason. */
bool hdf5_has_object(struct hdf5_reader *file, const char *name);

/* The sizes of a dataset; fails where it is missing or its rank is not num_dims. */
bool hdf5_dataset_dims(hsize_t *dims, struct hdf5_reader *file, const char *name, int num_dims, struct error *error);

/* Bytes of an element as a dataset of that rank is stored; 0 where that can't be known. */
uint64_t hdf5_element_size(struct hdf5_reader *file, const char *name, int num_dims);

/* Reads a whole dataset into `data`; fails where the rank, a size or the type differs, or the checksum does not hold. A row (what
 * one step along the first axis moves by) has at most HDF5_AREA_SIZE bytes. */
bool hdf5_read_dataset(void *data, struct hdf5_reader *file, const char *name, enum hdf5_element element, int num_dims,
                       const hsize_t *dims, struct error *error);

/* As hdf5_read_dataset, but only rows [first, first + count) along the first axis; `dims` are the sizes of the whole, which
 * must have at least one dimension and those rows. */
bool hdf5_read_rows(void *data, struct hdf5_reader *file, const char *name, enum hdf5_element element, int num_dims,
                    const hsize_t *dims, hsize_t first, hsize_t count, struct error *error);

/* Whether a dataset holds 32-bit or 16-bit floats (IEEE 754, as numpy.float16) of these sizes, in this file itself; fails
 * otherwise. */
bool hdf5_check_floats(struct hdf5_reader *file, const char *name, int num_dims, const hsize_t *dims,
                       struct error *error);

/* Reads them, 16-bit ones exactly; fails also where the checksum does not hold. Values may be infinite or NaN. */
bool hdf5_read_floats(float *data, struct hdf5_reader *file, const char *name, int num_dims, const hsize_t *dims,
                      struct error *error);

/* A column of a table (a dataset of compounds, of one dimension), and where it goes in a row in memory. Names are shorter than
 * HDF5_MEMBER_NAME_SIZE. */
struct hdf5_member {
    const char *name;
    enum hdf5_member_type type;
    size_t offset, size; /* bytes in a row; `size` is a text's, which is padded with NULs */
};

/* sizes[0..count): bytes of a text as it is stored, 1 for a number; 0 where the column is missing, UINT64_MAX where it is of another
 * kind. */
bool hdf5_table_layout(uint64_t *sizes, struct hdf5_reader *file, const char *name, const struct hdf5_member *members,
                       int count, struct error *error);

/* Reads all of a table with num_rows rows of row_size bytes. Fails where a column is missing or of another kind. Numbers are
 * converted, longer texts cut. At most HDF5_MAX_MEMBERS columns. */
bool hdf5_read_table(void *rows, size_t row_size, size_t num_rows, struct hdf5_reader *file, const char *name,
                     const struct hdf5_member *members, int count, struct error *error);

/* Fails where `name` is a virtual dataset of which a part comes from a file that `is_allowed(file_name, context)` refuses, or
 * from a dataset of another name. Nothing is read, and other datasets, or none, are fine. */
bool hdf5_check_sources(struct hdf5_reader *file, const char *name,
                        bool (*is_allowed)(const char *file_name, void *context), void *context, struct error *error);

#endif
