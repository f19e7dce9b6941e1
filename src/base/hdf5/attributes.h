/* Attributes of the root group, and settings as attributes. */
#ifndef DRUMLINE_BASE_HDF5_ATTRIBUTES_H
#define DRUMLINE_BASE_HDF5_ATTRIBUTES_H

#include "base/cli/settings.h"
#include "base/error.h"

#include <hdf5.h>

/* Attributes of the root group of `file`. Reading fails where the attribute is missing or of another kind. Strings are
 * UTF-8 and owned by the caller. */
bool hdf5_write_string(hid_t file, const char *name, const char *value, struct error *error);
bool hdf5_write_int(hid_t file, const char *name, int64_t value, struct error *error);
bool hdf5_write_double(hid_t file, const char *name, double value, struct error *error);
bool hdf5_write_int_list(hid_t file, const char *name, const struct int_list *value, struct error *error);
bool hdf5_read_string(char **value, hid_t file, const char *name, struct error *error);
bool hdf5_read_int(int64_t *value, hid_t file, const char *name, struct error *error);
bool hdf5_read_double(double *value, hid_t file, const char *name, struct error *error);
bool hdf5_read_int_list(struct int_list *value, hid_t file, const char *name, struct error *error);
bool hdf5_has_attribute(hid_t file, const char *name);

/* Every member of a settings table as an attribute of its own name, typed (strings and choices as strings, bools as
 * integers). Reading leaves members whose attribute is missing as they are, and checks bounds. */
bool hdf5_write_settings(hid_t file, const struct settings_table *table, const void *values, struct error *error);
bool hdf5_read_settings(void *values, hid_t file, const struct settings_table *table, struct error *error);

#endif
