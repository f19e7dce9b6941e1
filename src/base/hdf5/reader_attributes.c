#include "base/hdf5/reader_internal.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* True where it can't be known. */
static bool is_there(struct hdf5_reader *file, enum hdf5_request_kind kind, const char *name)
{
    struct error ignored;
    return !hdf5_reader_prepare(file, kind, name, &ignored) || !hdf5_reader_ask(file, 0, &ignored) ||
           file->answer.value != 0;
}

bool hdf5_has_attribute(struct hdf5_reader *file, const char *name)
{
    return is_there(file, HDF5_ASK_HAS_ATTRIBUTE, name);
}

bool hdf5_has_object(struct hdf5_reader *file, const char *name)
{
    return is_there(file, HDF5_ASK_HAS_OBJECT, name);
}

bool hdf5_read_string(char **value, struct hdf5_reader *file, const char *name, struct error *error)
{
    if (!hdf5_reader_prepare(file, HDF5_ASK_STRING, name, error) || !hdf5_reader_ask(file, HDF5_TEXT_MAX, error))
        return false;
    size_t size = (size_t)file->answer.size;
    char *text = malloc(size + 1);
    if (!text)
        return error_set_no_memory(error, "%s: out of memory", file->path);
    if (!hdf5_reader_take(file, text, size, error)) {
        free(text);
        return false;
    }
    text[size] = '\0';
    *value = text;
    return true;
}

/* At most max_count values. */
static bool read_ints(int64_t *values, size_t *count, size_t max_count, struct hdf5_reader *file, const char *name,
                      struct error *error)
{
    struct hdf5_request *request = hdf5_reader_prepare(file, HDF5_ASK_INTS, name, error);
    if (!request)
        return false;
    request->count = max_count;
    if (!hdf5_reader_ask(file, max_count * sizeof *values, error))
        return false;
    *count = (size_t)file->answer.size / sizeof *values;
    return hdf5_reader_take(file, values, *count * sizeof *values, error);
}

bool hdf5_read_int(int64_t *value, struct hdf5_reader *file, const char *name, struct error *error)
{
    int64_t found = 0;
    size_t count = 0;
    if (!read_ints(&found, &count, 1, file, name, error))
        return false;
    if (count != 1)
        return hdf5_reader_refuse(file, name, "the attribute has no value", error);
    *value = found;
    return true;
}

bool hdf5_read_int_list(struct int_list *value, struct hdf5_reader *file, const char *name, struct error *error)
{
    struct int_list found = {0};
    size_t count = 0;
    if (!read_ints(found.values, &count, SETTING_LIST_MAX, file, name, error))
        return false;
    found.count = (int)count;
    *value = found;
    return true;
}

bool hdf5_read_double(double *value, struct hdf5_reader *file, const char *name, struct error *error)
{
    double found;
    if (!hdf5_reader_prepare(file, HDF5_ASK_DOUBLE, name, error) || !hdf5_reader_ask(file, sizeof found, error))
        return false;
    if (file->answer.size != sizeof found)
        return hdf5_reader_refuse(file, name, "the attribute has no value", error);
    if (!hdf5_reader_take(file, &found, sizeof found, error))
        return false;
    *value = found;
    return true;
}

/* The attribute's value in setting_parse's words, owned by the caller, so that the same bounds are checked. */
static char *read_as_text(struct hdf5_reader *file, const struct setting *row, struct error *error)
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

bool hdf5_read_settings(void *values, struct hdf5_reader *file, const struct settings_table *table, struct error *error)
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
            return hdf5_reader_refuse(file, "attribute", reason.message, error);
    }
    return true;
}
