/* Where the program is that reads HDF5 files for the others. */
#ifndef DRUMLINE_BASE_HDF5_HELPER_PATH_H
#define DRUMLINE_BASE_HDF5_HELPER_PATH_H

#include "base/error.h"

/* The path of drumline-hdf5-reader, owned by the caller: what DRUMLINE_HDF5_READER names in the environment; else the one of the
 * installation or build tree that this program lies in; else the one where Drumline was built to be installed. NULL with the
 * error set, and ENOENT as its number, where there is none. */
char *hdf5_helper_path(struct error *error);

#endif
