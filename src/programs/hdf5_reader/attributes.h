/* Attributes of the root group, read by HDF5 in this process. */
#ifndef DRUMLINE_PROGRAMS_HDF5_READER_ATTRIBUTES_H
#define DRUMLINE_PROGRAMS_HDF5_READER_ATTRIBUTES_H

#include "base/error.h"

#include <hdf5.h>

bool direct_has_attribute(hid_t file, const char *name);

/* These fail where the attribute is missing or of another kind. A string is owned by the caller. */
bool direct_read_string(char **value, hid_t file, const char *name, struct error *error);
bool direct_read_double(double *value, hid_t file, const char *name, struct error *error);

/* All values of an integer attribute of at most `max_values`. */
bool direct_read_ints(int64_t *values, size_t max_values, size_t *count, hid_t file, const char *name,
                      struct error *error);

#endif
