/* What went wrong with an HDF5 file, with HDF5's own reason. */
#ifndef DRUMLINE_BASE_HDF5_ERROR_H
#define DRUMLINE_BASE_HDF5_ERROR_H

#include "base/error.h"

#include <hdf5.h>

enum { HDF5_FILE_NAME_SIZE = 4352 };

/* Sets "PATH: WHAT (HDF5's innermost reason)" and returns false. This and hdf5_fail_at must be called before any other function
 * of HDF5, which would forget the reason. */
bool hdf5_fail(struct error *error, const char *path, const char *what);

/* Sets "FILE: OBJECT: WHAT (HDF5's innermost reason)" for an object of the open file `file`, and returns false. */
bool hdf5_fail_at(struct error *error, hid_t file, const char *object, const char *what);

/* As hdf5_fail_at, for what we refuse ourselves: without HDF5's reason. */
bool hdf5_refuse_at(struct error *error, hid_t file, const char *object, const char *what);

/* The path with which the file was opened. */
void hdf5_file_name(hid_t file, char name[HDF5_FILE_NAME_SIZE]);

#endif
