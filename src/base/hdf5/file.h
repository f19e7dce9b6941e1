/* Files: created, opened, closed. */
#ifndef DRUMLINE_BASE_HDF5_FILE_H
#define DRUMLINE_BASE_HDF5_FILE_H

#include "base/error.h"

#include <hdf5.h>

enum { HDF5_FORMAT_VERSION = 1 };

/* Turns off HDF5's own printing of errors, for good, and what it does at the program's end, which only the first call of HDF5
 * can. Call once at a program's start; the other functions call it too. */
void hdf5_start(void);

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

#endif
