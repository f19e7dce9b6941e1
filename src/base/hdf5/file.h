/* Files: created, saved, closed. */
#ifndef DRUMLINE_BASE_HDF5_FILE_H
#define DRUMLINE_BASE_HDF5_FILE_H

#include "base/error.h"
#include "base/io/atomic_file.h"

#include <hdf5.h>

/* Creates a file in memory with `format` and `version` set, in a format that HDF5 1.10 reads. `path` is what messages call it;
 * no two that are open at once may have the same. hdf5_save writes it, hdf5_close gives it up. */
bool hdf5_create(hid_t *file, const char *path, const char *format, struct error *error);

/* As hdf5_create, but what is written goes at once to the disk, to the temporary file of `to`, which has been started, so that
 * memory does not hold it. Before each write, hdf5_reserve. */
bool hdf5_create_on_disk(hid_t *file, const struct atomic_file *to, const char *format, struct error *error);

/* Makes sure that the disk has room for `size` bytes more of a file made by hdf5_create_on_disk, where its file system can do
 * so: HDF5 does not take a full disk well. */
bool hdf5_reserve(hid_t file, size_t size, struct error *error);

/* Writes a file made by hdf5_create, or completes one made by hdf5_create_on_disk with the same `to`, sealed (base/hdf5/seal.h), and closes it, also on failure: *file becomes H5I_INVALID_HID.
 * `to` has been started; flushing and naming it are left to the caller. */
bool hdf5_save(hid_t *file, struct atomic_file *to, struct error *error);

/* Closes a file; nothing where *file is negative. *file becomes H5I_INVALID_HID. */
void hdf5_close(hid_t *file);

#endif
