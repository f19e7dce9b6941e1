/* Datasets of floats in half precision. */
#ifndef DRUMLINE_BASE_HDF5_FLOATS_H
#define DRUMLINE_BASE_HDF5_FLOATS_H

#include "base/hdf5/writing.h"

/* Writes `data` as hdf5_write_dataset does, but as 16-bit floats, each rounded to the nearest. Fails where a number is not
 * finite or would be too large (above 65,504). */
bool hdf5_write_halves(hid_t file, const char *name, int num_dims, const hsize_t *dims, const float *data,
                       enum hdf5_storage storage, struct error *error);

#endif
