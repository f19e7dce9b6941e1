/* Whether a dataset is stored as our programs store one: in its own file, with our filters, and no larger than what is stored
 * can hold. What HDF5 offers beside that lets a file from a stranger read other files, load code, or take any amount of
 * memory. */
#ifndef DRUMLINE_PROGRAMS_HDF5_READER_STORAGE_H
#define DRUMLINE_PROGRAMS_HDF5_READER_STORAGE_H

#include "base/error.h"
#include "programs/hdf5_reader/chunks.h"

/* Fails where the object `name` is missing, or a link on the way to it is no hard link: others may lead to other files. */
bool storage_check_links(hid_t file, const char *name, struct error *error);

/* Fails where the open dataset, which is `name` in `file`, is virtual, lies in other files, is divided otherwise than
 * programs/hdf5_reader/chunks.h reads, or claims more elements of `type` than what is stored, which the file must be long enough for,
 * can hold. *chunks, which must be {0}, is then how it is divided; the caller closes it, in any case. */
bool storage_check(struct chunks *chunks, hid_t file, const char *name, hid_t dataset, hid_t type, int num_dims,
                   const hsize_t *dims, struct error *error);

/* The files and datasets that make up the virtual dataset `name`, from number `first` on: "FILE" and "DATASET", each ended by a NUL,
 * as many pairs as `text` has room for in *length bytes. *count: how many there are in all; 0 for other datasets, or none. */
bool storage_list_sources(char *text, size_t size, size_t *length, uint64_t *count, hid_t file, const char *name,
                          uint64_t first, struct error *error);

#endif
