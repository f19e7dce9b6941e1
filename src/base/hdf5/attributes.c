#include "base/hdf5/attributes.h"

#include "base/hdf5/error.h"
#include "base/hdf5/types.h"

#include <string.h>

/* An object header has no room for longer ones, which HDF5 then keeps elsewhere, as text of variable length. Damage of that is what its
 * version 1.10 stands least. */
enum { MAX_FIXED_SIZE = 60000 };

/* Writes an attribute of type `file_type`; `space` and `file_type` are closed. */
static bool write_attribute(hid_t file, const char *name, hid_t file_type, hid_t memory_type, hid_t space,
                            const void *value, struct error *error)
{
    bool ok = false;
    hid_t attribute = H5I_INVALID_HID;
    if (space >= 0)
        attribute = H5Acreate_by_name(file, "/", name, file_type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0 || H5Awrite(attribute, memory_type, value) < 0)
        hdf5_fail_at(error, file, name, "can't write the attribute");
    else
        ok = true;
    if (attribute >= 0)
        H5Aclose(attribute);
    if (space >= 0)
        H5Sclose(space);
    return ok;
}

bool hdf5_write_string(hid_t file, const char *name, const char *value, struct error *error)
{
    size_t size = strlen(value);
    bool is_fixed = size <= MAX_FIXED_SIZE;
    hid_t type = is_fixed ? hdf5_fixed_text_type(size > 0 ? size : 1) : hdf5_text_type();
    if (type < 0)
        return hdf5_fail_at(error, file, name, "can't write the attribute");
    const void *text = is_fixed ? (const void *)value : (const void *)&value;
    bool ok = write_attribute(file, name, type, type, H5Screate(H5S_SCALAR), text, error);
    H5Tclose(type);
    return ok;
}

bool hdf5_write_int(hid_t file, const char *name, int64_t value, struct error *error)
{
    return write_attribute(file, name, H5T_STD_I64LE, H5T_NATIVE_INT64, H5Screate(H5S_SCALAR), &value, error);
}

bool hdf5_write_double(hid_t file, const char *name, double value, struct error *error)
{
    return write_attribute(file, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, H5Screate(H5S_SCALAR), &value, error);
}

bool hdf5_write_int_list(hid_t file, const char *name, const struct int_list *value, struct error *error)
{
    hsize_t count = (hsize_t)value->count;
    return write_attribute(file, name, H5T_STD_I64LE, H5T_NATIVE_INT64, H5Screate_simple(1, &count, NULL),
                           value->values, error);
}

static bool write_setting(hid_t file, const struct setting *row, const void *values, struct error *error)
{
    const void *value = (const unsigned char *)values + row->offset;
    char text[SETTING_TEXT_MAX];
    switch (row->type) {
    case SETTING_BOOL:
        return hdf5_write_int(file, row->name, *(const bool *)value, error);
    case SETTING_INT:
        return hdf5_write_int(file, row->name, *(const int64_t *)value, error);
    case SETTING_DOUBLE:
        return hdf5_write_double(file, row->name, *(const double *)value, error);
    case SETTING_INT_LIST:
        return hdf5_write_int_list(file, row->name, value, error);
    case SETTING_STRING:
    case SETTING_CHOICE:
        break;
    }
    return hdf5_write_string(file, row->name, setting_format(row, values, text), error);
}

bool hdf5_write_settings(hid_t file, const struct settings_table *table, const void *values, struct error *error)
{
    for (size_t i = 0; i < table->count; i++)
        if (!write_setting(file, &table->rows[i], values, error))
            return false;
    return true;
}
