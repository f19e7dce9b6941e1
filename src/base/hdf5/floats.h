/* Datasets of floats, in single or half precision. */
#ifndef DRUMLINE_BASE_HDF5_FLOATS_H
#define DRUMLINE_BASE_HDF5_FLOATS_H

#include "base/hdf5/writing.h"

/* Whether a dataset holds 32-bit or 16-bit floats (IEEE 754, as numpy.float16) of these sizes, in this file itself; fails
 * otherwise. */
bool hdf5_check_floats(hid_t file, const char *name, int num_dims, const hsize_t *dims, struct error *error);

/* Reads them, 16-bit ones exactly; fails also where the checksum does not hold. Values may be infinite or NaN. */
bool hdf5_read_floats(float *data, hid_t file, const char *name, int num_dims, const hsize_t *dims,
                      struct error *error);

/* Writes `data` as hdf5_write_dataset does, but as 16-bit floats, each rounded to the nearest. Fails where a number is not
 * finite or would be too large (above 65,504). */
bool hdf5_write_halves(hid_t file, const char *name, int num_dims, const hsize_t *dims, const float *data,
                       enum hdf5_storage storage, struct error *error);

#endif
