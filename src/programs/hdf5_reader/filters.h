/* The filters that our files have, undone here rather than by HDF5, which takes whatever comes out of them for a whole chunk: of one
 * that holds less than it claims, it gives out the memory behind it. */
#ifndef DRUMLINE_PROGRAMS_HDF5_READER_FILTERS_H
#define DRUMLINE_PROGRAMS_HDF5_READER_FILTERS_H

#include "base/error.h"

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FILTERS_MAX = 3 }; /* shuffle, deflate and fletcher32, each once at most */

/* A dataset's filters, in the order in which they were applied. */
struct filters {
    int count;
    H5Z_filter_t ids[FILTERS_MAX];
    size_t element_size; /* shuffle's, in bytes; at least 1 */
};

/* A chunk's bytes. */
struct filter_bytes {
    unsigned char *bytes, *spare; /* [capacity] each, owned */
    size_t size, capacity;
};

/* The filters of the dataset that was made with `properties`. Fails, with a reason that names no file, where it has others than shuffle,
 * deflate and fletcher32, or one of them twice. */
bool filters_read(struct filters *filters, hid_t properties, struct error *error);

/* Whether `id` is one of them. */
bool filters_include(const struct filters *filters, H5Z_filter_t id);

/* In how many bytes a chunk of chunk_size bytes may be stored, at most, to be read: what `capacity` must be to undo its filters. Deflate
 * lengthens what it can't compress by 5 bytes a block, and blocks have thousands. */
size_t filters_capacity(size_t chunk_size);

/* Turns the stored `bytes` of a chunk, of which there are `size`, into those of its elements, chunk_size in all. `mask` has bit i set
 * where filter i was left out for this chunk. Fails, with a reason that names no file, where something else comes out. */
bool filters_undo(struct filter_bytes *chunk, const struct filters *filters, uint32_t mask, size_t chunk_size,
                  struct error *error);

#endif
