#include "exchange/tensorflow_bundle.h"

#include "base/array.h"
#include "base/crc32c.h"
#include "base/text.h"
#include "exchange/sorted_table.h"
#include "exchange/wire.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_INDEX = 64 << 20,
    MAX_SHARDS = 1000,
    BUNDLE_VERSION = 1, /* the one that there is */
    DT_FLOAT = 1,       /* tensorflow/core/framework/types.proto */
    DT_DOUBLE = 2,
    DT_INT32 = 3,
    DT_INT64 = 9,
    DT_BFLOAT16 = 14,
    DT_HALF = 19,
};

/* A BundleEntryProto. */
struct entry {
    char *name; /* owned */
    size_t name_size;
    struct foreign_tensor tensor; /* its type and dims */
    uint64_t shard, offset, size;
    uint32_t checksum;
};

struct reading {
    struct file_source *source;
    const char *index;
    struct entry *entries;
    size_t count, capacity;
    uint64_t num_shards; /* 0: the header was not met yet */
};

static enum foreign_type type_of(uint64_t dtype)
{
    switch (dtype) {
    case DT_FLOAT:
        return FOREIGN_FLOAT32;
    case DT_DOUBLE:
        return FOREIGN_FLOAT64;
    case DT_INT32:
        return FOREIGN_INT32;
    case DT_INT64:
        return FOREIGN_INT64;
    case DT_BFLOAT16:
        return FOREIGN_BFLOAT16;
    case DT_HALF:
        return FOREIGN_FLOAT16;
    default:
        return FOREIGN_OTHER;
    }
}

static bool is_field(const struct wire_field *field, uint32_t number, enum wire_type type)
{
    return field->number == number && field->type == type;
}

/* VersionDef: producer, min_consumer, bad_consumers. */
static bool read_version(struct wire version, struct error *error)
{
    struct wire_field field;
    while (wire_left(&version) > 0) {
        if (!wire_field(&version, &field))
            return error_set(error, "its header is damaged");
        if (is_field(&field, 2, WIRE_VARINT) && field.value > BUNDLE_VERSION)
            return error_set(error, "is of version %" PRIu64 " of the format, %d is known", field.value,
                             BUNDLE_VERSION);
    }
    return true;
}

/* BundleHeaderProto: num_shards, endianness, version. */
static bool read_header(struct reading *reading, struct wire header, struct error *error)
{
    struct wire_field field;
    while (wire_left(&header) > 0) {
        if (!wire_field(&header, &field))
            return error_set(error, "its header is damaged");
        if (is_field(&field, 1, WIRE_VARINT))
            reading->num_shards = field.value;
        else if (is_field(&field, 2, WIRE_VARINT) && field.value != 0)
            return error_set(error, "was written by a big-endian machine");
        else if (is_field(&field, 3, WIRE_BYTES) && !read_version(field.inside, error))
            return false;
    }
    return (reading->num_shards >= 1 && reading->num_shards <= MAX_SHARDS) ||
           error_set(error, "has %" PRIu64 " files of values; 1 to %d are read", reading->num_shards, MAX_SHARDS);
}

/* TensorShapeProto: a repeated Dim of a size and a name, and unknown_rank. A Dim without a size has size 0. */
static bool read_shape(struct foreign_tensor *tensor, struct wire shape)
{
    struct wire_field field;
    while (wire_left(&shape) > 0) {
        if (!wire_field(&shape, &field) || field.number == 3)
            return false;
        if (!is_field(&field, 2, WIRE_BYTES))
            continue;
        if (tensor->num_dims == FOREIGN_MAX_DIMS)
            return false;
        int64_t *size = &tensor->dims[tensor->num_dims++];
        struct wire dim = field.inside;
        while (wire_left(&dim) > 0) {
            if (!wire_field(&dim, &field))
                return false;
            if (is_field(&field, 1, WIRE_VARINT))
                *size = (int64_t)field.value;
        }
        if (*size < 0)
            return false;
    }
    return true;
}

static bool read_entry_fields(struct entry *entry, struct wire fields, struct error *error)
{
    struct wire_field field;
    uint64_t dtype = 0;
    while (wire_left(&fields) > 0) {
        if (!wire_field(&fields, &field))
            return error_set(error, "the entry of %s is damaged", entry->name);
        if (is_field(&field, 1, WIRE_VARINT))
            dtype = field.value;
        else if (is_field(&field, 2, WIRE_BYTES) && !read_shape(&entry->tensor, field.inside))
            return error_set(error, "the shape of %s is not valid", entry->name);
        else if (is_field(&field, 3, WIRE_VARINT))
            entry->shard = field.value;
        else if (is_field(&field, 4, WIRE_VARINT))
            entry->offset = field.value;
        else if (is_field(&field, 5, WIRE_VARINT))
            entry->size = field.value;
        else if (is_field(&field, 6, WIRE_FIXED32))
            entry->checksum = (uint32_t)field.value;
        else if (field.number == 7)
            return error_set(error, "%s is a partitioned variable, stored in slices: save it whole", entry->name);
    }
    entry->tensor.type = type_of(dtype);
    return true;
}

static bool read_entry(struct reading *reading, const uint8_t *key, size_t key_size, struct wire fields,
                       struct error *error)
{
    struct entry *grown = array_grow(reading->entries, &reading->capacity, reading->count, 1, sizeof *grown);
    if (!grown)
        return error_set_no_memory(error, "out of memory");
    reading->entries = grown;
    struct entry *entry = &reading->entries[reading->count++];
    *entry = (struct entry){.name = format_text("%.*s", (int)key_size, (const char *)key), .name_size = key_size};
    if (strlen(entry->name) != key_size || !text_is_utf8(entry->name))
        return error_set(error, "holds a tensor whose name is not UTF-8 text");
    return read_entry_fields(entry, fields, error);
}

/* The header's key is empty, so it comes first. */
static bool visit(void *context, const uint8_t *key, size_t key_size, const uint8_t *value, size_t value_size,
                  struct error *error)
{
    struct reading *reading = context;
    struct wire fields = wire_of(value, value_size);
    if (key_size == 0)
        return read_header(reading, fields, error);
    if (reading->num_shards == 0)
        return error_set(error, "a table, but not of a TensorFlow checkpoint: it has no header");
    return read_entry(reading, key, key_size, fields, error);
}

static bool read_index(struct reading *reading, struct error *error)
{
    uint8_t *bytes;
    size_t size;
    const struct sorted_table_visitor visitor = {visit, reading};
    if (!file_source_take(reading->source, reading->index, MAX_INDEX, &bytes, &size, error))
        return false;
    bool ok = sorted_table_read(bytes, size, &visitor, error);
    if (ok && reading->num_shards == 0)
        ok = error_set(error, "a table, but not of a TensorFlow checkpoint: it has no header");
    free(bytes);
    return ok || file_source_prefix(reading->source, reading->index, error);
}

static int compare_places(const void *a, const void *b)
{
    const struct entry *first = a, *second = b;
    if (first->shard != second->shard)
        return first->shard < second->shard ? -1 : 1;
    if (first->offset != second->offset)
        return first->offset < second->offset ? -1 : 1;
    return first->size < second->size ? -1 : first->size > second->size;
}

/* The entries of one file, sorted by their places. */
static bool add_entries(struct foreign_tensors *tensors, struct entry *entries, size_t count, const uint8_t *bytes,
                        size_t size, struct error *error)
{
    uint64_t end = 0;
    for (size_t i = 0; i < count; i++) {
        struct entry *entry = &entries[i];
        if (entry->offset > size || entry->size > size - entry->offset)
            return error_set(error, "%s lies at byte %" PRIu64 ", %" PRIu64 " long, but there are %zu bytes",
                             entry->name, entry->offset, entry->size, size);
        if (entry->size > 0 && entry->offset < end)
            return error_set(error, "%s overlaps another tensor", entry->name);
        end = entry->size > 0 ? entry->offset + entry->size : end;
        entry->tensor.bytes = bytes + entry->offset;
        if (!foreign_tensors_add(tensors, entry->name, entry->name_size, &entry->tensor, (size_t)entry->size, error))
            return false;
        if (entry->tensor.type != FOREIGN_OTHER &&
            crc32c_masked(entry->tensor.bytes, (size_t)entry->size) != entry->checksum)
            return error_set(error, "%s does not match its checksum", entry->name);
    }
    return true;
}

static char *data_name(const struct reading *reading, uint64_t shard)
{
    int size = (int)(strlen(reading->index) - strlen(TENSORFLOW_INDEX));
    return format_text("%.*s.data-%05" PRIu64 "-of-%05" PRIu64, size, reading->index, shard, reading->num_shards);
}

/* The values of entries[0..count), which lie in one file. *left: bytes that may still be read. */
static bool read_values(struct foreign_tensors *tensors, const struct reading *reading, struct entry *entries,
                        size_t count, size_t *left, struct error *error)
{
    uint8_t *bytes;
    size_t size;
    if (entries[0].shard >= reading->num_shards)
        return error_set(error, "%s lies in file %" PRIu64 " of %" PRIu64, entries[0].name, entries[0].shard,
                         reading->num_shards) ||
               file_source_prefix(reading->source, reading->index, error);
    char *name = data_name(reading, entries[0].shard);
    bool ok = file_source_take(reading->source, name, *left, &bytes, &size, error);
    if (ok) {
        *left -= size;
        ok = foreign_tensors_own(tensors, bytes, error) && (add_entries(tensors, entries, count, bytes, size, error) ||
                                                            file_source_prefix(reading->source, name, error));
    }
    free(name);
    return ok;
}

static bool read_files(struct foreign_tensors *tensors, const struct reading *reading, struct error *error)
{
    size_t left = FOREIGN_MAX_BYTES;
    if (reading->count > 0)
        qsort(reading->entries, reading->count, sizeof *reading->entries, compare_places);
    for (size_t first = 0, next; first < reading->count; first = next) {
        for (next = first + 1; next < reading->count; next++)
            if (reading->entries[next].shard != reading->entries[first].shard)
                break;
        if (!read_values(tensors, reading, &reading->entries[first], next - first, &left, error))
            return false;
    }
    return foreign_tensors_finish(tensors, error) || file_source_prefix(reading->source, reading->index, error);
}

bool tensorflow_bundle_read(struct foreign_tensors *tensors, struct file_source *source, const char *index,
                            struct error *error)
{
    struct reading reading = {.source = source, .index = index};
    tensors->format = "TensorFlow checkpoint";
    bool ok = read_index(&reading, error) && read_files(tensors, &reading, error);
    for (size_t i = 0; i < reading.count; i++)
        free(reading.entries[i].name);
    free(reading.entries);
    return ok;
}
