#include "programs/hdf5_reader/attributes.h"

#include "base/hdf5/hdf5.h"
#include "base/text.h"

#include <stdlib.h>

bool direct_has_attribute(hid_t file, const char *name)
{
    return H5Aexists_by_name(file, "/", name, H5P_DEFAULT) > 0;
}

/* An open attribute with what must be known before its value is read. */
struct attribute {
    hid_t id, type, space;
    hssize_t num_values;
};

static void close_attribute(struct attribute *attribute)
{
    if (attribute->space >= 0)
        H5Sclose(attribute->space);
    if (attribute->type >= 0)
        H5Tclose(attribute->type);
    if (attribute->id >= 0)
        H5Aclose(attribute->id);
}

static bool open_attribute(struct attribute *attribute, hid_t file, const char *name, struct error *error)
{
    *attribute = (struct attribute){.id = H5I_INVALID_HID, .type = H5I_INVALID_HID, .space = H5I_INVALID_HID};
    if (!direct_has_attribute(file, name))
        return hdf5_refuse_at(error, file, name, "the attribute is missing");
    attribute->id = H5Aopen_by_name(file, "/", name, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute->id >= 0)
        attribute->type = H5Aget_type(attribute->id);
    if (attribute->type >= 0)
        attribute->space = H5Aget_space(attribute->id);
    if (attribute->space >= 0)
        attribute->num_values = H5Sget_simple_extent_npoints(attribute->space);
    if (attribute->space >= 0 && attribute->num_values >= 0)
        return true;
    hdf5_fail_at(error, file, name, "can't read the attribute");
    close_attribute(attribute);
    return false;
}

/* In the file's encoding: HDF5 turns ASCII, in which h5py writes bytes, into UTF-8 only where the length is fixed. */
static bool read_variable_text(char **value, const struct attribute *attribute)
{
    hid_t type = hdf5_text_type();
    char *text = NULL;
    if (type < 0)
        return false;
    bool ok = H5Tset_cset(type, H5Tget_cset(attribute->type)) >= 0 && H5Aread(attribute->id, type, &text) >= 0;
    if (ok)
        *value = format_text("%s", text ? text : "");
    if (text)
        H5free_memory(text);
    H5Tclose(type);
    return ok;
}

/* `size` bytes, padded with NULs or spaces or ended by a NUL: the text ends at the first NUL, which need not be there. */
static bool read_fixed_text(char **value, const struct attribute *attribute, size_t size)
{
    char *text = calloc(size + 1, 1);
    if (!text)
        return false;
    bool ok = H5Aread(attribute->id, attribute->type, text) >= 0;
    if (ok)
        *value = text;
    else
        free(text);
    return ok;
}

bool direct_read_string(char **value, hid_t file, const char *name, struct error *error)
{
    struct attribute attribute;
    if (!open_attribute(&attribute, file, name, error))
        return false;
    bool ok = false;
    size_t size = H5Tget_size(attribute.type);
    htri_t is_variable = H5Tis_variable_str(attribute.type);
    if (!hdf5_is_text(attribute.type) || attribute.num_values != 1 || is_variable < 0)
        hdf5_refuse_at(error, file, name, "the attribute is not a string");
    else if (!is_variable && (size == 0 || size > HDF5_TEXT_MAX))
        hdf5_refuse_at(error, file, name, "the attribute's string is too long");
    else if (!(is_variable ? read_variable_text(value, &attribute) : read_fixed_text(value, &attribute, size)))
        hdf5_fail_at(error, file, name, "can't read the attribute");
    else
        ok = true;
    close_attribute(&attribute);
    return ok;
}

bool direct_read_ints(int64_t *values, size_t max_values, size_t *count, hid_t file, const char *name,
                      struct error *error)
{
    struct attribute attribute;
    if (!open_attribute(&attribute, file, name, error))
        return false;
    bool ok = false;
    if (!hdf5_is_plain_number(attribute.type, H5T_INTEGER))
        hdf5_refuse_at(error, file, name, "the attribute is not an integer");
    else if ((uint64_t)attribute.num_values > max_values)
        hdf5_refuse_at(error, file, name, "the attribute has too many values");
    else if (attribute.num_values > 0 && H5Aread(attribute.id, H5T_NATIVE_INT64, values) < 0)
        hdf5_fail_at(error, file, name, "can't read the attribute");
    else
        ok = true;
    *count = (size_t)attribute.num_values;
    close_attribute(&attribute);
    return ok;
}

bool direct_read_double(double *value, hid_t file, const char *name, struct error *error)
{
    struct attribute attribute;
    double found = 0;
    if (!open_attribute(&attribute, file, name, error))
        return false;
    bool ok = false;
    if (!hdf5_is_plain_number(attribute.type, H5T_FLOAT) || attribute.num_values != 1)
        hdf5_refuse_at(error, file, name, "the attribute is not a floating-point number");
    else if (H5Aread(attribute.id, H5T_NATIVE_DOUBLE, &found) < 0)
        hdf5_fail_at(error, file, name, "can't read the attribute");
    else
        ok = true;
    if (ok)
        *value = found;
    close_attribute(&attribute);
    return ok;
}
