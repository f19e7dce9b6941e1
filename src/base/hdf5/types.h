/* Which element types and sizes our files have. */
#ifndef DRUMLINE_BASE_HDF5_TYPES_H
#define DRUMLINE_BASE_HDF5_TYPES_H

#include <hdf5.h>

#include <stdbool.h>

enum { HDF5_MAX_DIMENSIONS = 4 };

/* UTF-8 of any length, as h5py writes a str; owned by the caller, negative on failure. */
hid_t hdf5_text_type(void);

/* UTF-8 of `size` bytes, at least 1, padded with NULs; owned by the caller, negative on failure. */
hid_t hdf5_fixed_text_type(size_t size);

/* IEEE 754 binary16, which HDF5 1.10 has no name for; owned by the caller, negative on failure. */
hid_t hdf5_half_type(H5T_order_t order);

/* Whether `type` is a string, of fixed or variable length, in ASCII or UTF-8. HDF5 has numbers for other encodings, which
 * it gives no meaning. */
bool hdf5_is_text(hid_t type);

/* Whether `type` is an integer or float (`class` says which) as C has them, of 1 to 8 bytes and either byte order. HDF5
 * has others, which no program of ours writes. */
bool hdf5_is_plain_number(hid_t type, H5T_class_t class);

/* Whether one of the sizes is 0. */
bool hdf5_is_empty(int num_dims, const hsize_t *dims);

#endif
