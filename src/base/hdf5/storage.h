/* Whether a dataset is stored as our programs store one: in its own file, with our filters, and no larger than what is stored
 * can hold. What HDF5 offers beside that lets a file from a stranger read other files, load code, or take any amount of
 * memory. */
#ifndef DRUMLINE_BASE_HDF5_STORAGE_H
#define DRUMLINE_BASE_HDF5_STORAGE_H

#include "base/error.h"

#include <hdf5.h>

enum { HDF5_MAX_CHUNK = 64 << 20 }; /* bytes of a chunk before compression, at most, in files that are read */

/* Fails where the object `name` is missing, or a link on the way to it is no hard link: others may lead to other files. */
bool hdf5_check_links(hid_t file, const char *name, struct error *error);

/* Fails where the open dataset, which is `name` in `file`, is virtual, lies in other files, has other filters than shuffle,
 * deflate and fletcher32, or one of them twice, has chunks above HDF5_MAX_CHUNK, or claims more elements of `type` than what
 * is stored, which the file must be long enough for, can hold. */
bool hdf5_check_storage(hid_t file, const char *name, hid_t dataset, hid_t type, int num_dims, const hsize_t *dims,
                        struct error *error);

/* Fails where `name` is a virtual dataset of which a part comes from a file that `is_allowed(file_name, context)` refuses, or
 * from a dataset of another name. Nothing is read, and other datasets, or none, are fine. */
bool hdf5_check_sources(hid_t file, const char *name, bool (*is_allowed)(const char *file_name, void *context),
                        void *context, struct error *error);

#endif
