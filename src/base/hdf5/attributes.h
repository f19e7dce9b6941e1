/* Attributes of the root group, and settings as attributes, written. */
#ifndef DRUMLINE_BASE_HDF5_ATTRIBUTES_H
#define DRUMLINE_BASE_HDF5_ATTRIBUTES_H

#include "base/cli/settings.h"
#include "base/error.h"

#include <hdf5.h>

/* Attributes of the root group of `file`. Strings are UTF-8, of fixed length unless they are very long. */
bool hdf5_write_string(hid_t file, const char *name, const char *value, struct error *error);
bool hdf5_write_int(hid_t file, const char *name, int64_t value, struct error *error);
bool hdf5_write_double(hid_t file, const char *name, double value, struct error *error);
bool hdf5_write_int_list(hid_t file, const char *name, const struct int_list *value, struct error *error);

/* Every member of a settings table as an attribute of its own name, typed (strings and choices as strings, bools as
 * integers). */
bool hdf5_write_settings(hid_t file, const struct settings_table *table, const void *values, struct error *error);

#endif
