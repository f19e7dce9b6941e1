/* Which element types and sizes our files have. */
#ifndef DRUMLINE_BASE_HDF5_TYPES_H
#define DRUMLINE_BASE_HDF5_TYPES_H

#include <hdf5.h>

#include <stdbool.h>

enum { HDF5_MAX_DIMENSIONS = 4 };
/* Whether `type` is an integer or float (`class` says which) as C has them, of 1 to 8 bytes and either byte order. HDF5
 * has others, which no program of ours writes. */
bool hdf5_is_plain_number(hid_t type, H5T_class_t class);

/* Whether one of the sizes is 0. */
bool hdf5_is_empty(int num_dims, const hsize_t *dims);

#endif
