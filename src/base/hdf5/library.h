/* The HDF5 library, made ready. */
#ifndef DRUMLINE_BASE_HDF5_LIBRARY_H
#define DRUMLINE_BASE_HDF5_LIBRARY_H

#include <hdf5.h>

/* Turns off HDF5's own printing of errors, for good, and what it does at the program's end, which only the first call of HDF5
 * can. Call once at a program's start; the other functions call it too. */
void hdf5_start(void);

/* File access: what HDF5 1.10 reads, and no locks, which some shared file systems of clusters refuse. A user's own
 * HDF5_USE_FILE_LOCKING comes before that. Owned by the caller;
 * negative on failure. */
hid_t hdf5_access_properties(void);

#endif
