#include "base/hdf5/attributes.h"

#include "base/hdf5/error.h"
#include "base/hdf5/types.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1 << 20 }; /* bytes of a string that are read */

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

/* UTF-8 of any length, as h5py writes a str; H5I_INVALID_HID on failure. */
static hid_t make_text_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 && (H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

bool hdf5_write_string(hid_t file, const char *name, const char *value, struct error *error)
{
    hid_t type = make_text_type();
    if (type < 0)
        return hdf5_fail_at(error, file, name, "can't write the attribute");
    bool ok = write_attribute(file, name, type, type, H5Screate(H5S_SCALAR), &value, error);
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

bool hdf5_has_attribute(hid_t file, const char *name)
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
    if (!hdf5_has_attribute(file, name))
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

static bool read_variable_text(char **value, hid_t attribute)
{
    hid_t type = make_text_type();
    char *text = NULL;
    if (type < 0)
        return false;
    bool ok = H5Aread(attribute, type, &text) >= 0;
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

bool hdf5_read_string(char **value, hid_t file, const char *name, struct error *error)
{
    struct attribute attribute;
    if (!open_attribute(&attribute, file, name, error))
        return false;
    bool ok = false;
    size_t size = H5Tget_size(attribute.type);
    htri_t is_variable = H5Tis_variable_str(attribute.type);
    if (H5Tget_class(attribute.type) != H5T_STRING || attribute.num_values != 1 || is_variable < 0)
        hdf5_refuse_at(error, file, name, "the attribute is not a string");
    else if (!is_variable && (size == 0 || size > TEXT_MAX))
        hdf5_refuse_at(error, file, name, "the attribute's string is too long");
    else if (!(is_variable ? read_variable_text(value, attribute.id) : read_fixed_text(value, &attribute, size)))
        hdf5_fail_at(error, file, name, "can't read the attribute");
    else
        ok = true;
    close_attribute(&attribute);
    return ok;
}

/* Reads all values of an integer attribute of at most `max_values`. */
static bool read_ints(int64_t *values, size_t max_values, size_t *count, hid_t file, const char *name,
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

bool hdf5_read_int(int64_t *value, hid_t file, const char *name, struct error *error)
{
    int64_t found = 0;
    size_t count = 0;
    if (!read_ints(&found, 1, &count, file, name, error))
        return false;
    if (count != 1)
        return hdf5_refuse_at(error, file, name, "the attribute has no value");
    *value = found;
    return true;
}

bool hdf5_read_int_list(struct int_list *value, hid_t file, const char *name, struct error *error)
{
    struct int_list found = {0};
    size_t count = 0;
    if (!read_ints(found.values, SETTING_LIST_MAX, &count, file, name, error))
        return false;
    found.count = (int)count;
    *value = found;
    return true;
}

bool hdf5_read_double(double *value, hid_t file, const char *name, struct error *error)
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

/* The attribute's value in setting_parse's words, owned by the caller, so that the same bounds are checked. */
static char *read_as_text(hid_t file, const struct setting *row, struct error *error)
{
    int64_t integer = 0;
    double number = 0;
    struct int_list list;
    char *text = NULL, formatted[SETTING_TEXT_MAX];
    switch (row->type) {
    case SETTING_BOOL:
    case SETTING_INT:
        return hdf5_read_int(&integer, file, row->name, error) ? format_text("%lld", (long long)integer) : NULL;
    case SETTING_DOUBLE:
        return hdf5_read_double(&number, file, row->name, error) ? format_text("%.17g", number) : NULL;
    case SETTING_INT_LIST:
        if (!hdf5_read_int_list(&list, file, row->name, error))
            return NULL;
        const struct setting list_row = {.name = row->name, .type = SETTING_INT_LIST};
        return format_text("%s", setting_format(&list_row, &list, formatted));
    case SETTING_STRING:
    case SETTING_CHOICE:
        break;
    }
    return hdf5_read_string(&text, file, row->name, error) ? text : NULL;
}

bool hdf5_read_settings(void *values, hid_t file, const struct settings_table *table, struct error *error)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct setting *row = &table->rows[i];
        if (!hdf5_has_attribute(file, row->name))
            continue;
        char *text = read_as_text(file, row, error);
        if (!text)
            return false;
        struct error reason;
        bool ok = setting_parse(row, values, text, &reason);
        free(text);
        if (!ok)
            return hdf5_refuse_at(error, file, "attribute", reason.message);
    }
    return true;
}
