#include "exchange/safetensors_reader.h"

#include "exchange/json_input.h"
#include "exchange/notes.h"
#include "exchange/wire.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    LENGTH_BYTES = 8,
    MAX_HEADER = 16 << 20
}; /* parsed, a header of the 100 MB that the format allows would take gigabytes */

bool safetensors_is(const uint8_t *head, size_t head_size, uint64_t size)
{
    uint64_t length;
    struct wire wire = wire_of(head, head_size);
    return wire_fixed64(&wire, &length) && wire_left(&wire) > 0 && wire.at[0] == '{' && length >= 2 &&
           length <= MAX_HEADER && length <= size - LENGTH_BYTES;
}

/* Where a tensor's values lie, from the header's end. */
struct place {
    uint64_t begin, end;
    const char *name; /* in the header */
};

struct reading {
    struct foreign_tensors *tensors;
    const uint8_t *values;
    size_t num_bytes;
    struct place *places;
    size_t num_places;
};

static enum foreign_type type_of(const char *dtype)
{
    static const struct {
        const char *name;
        enum foreign_type type;
    } types[] = {
        {"F32",  FOREIGN_FLOAT32 },
        {"F16",  FOREIGN_FLOAT16 },
        {"BF16", FOREIGN_BFLOAT16},
        {"F64",  FOREIGN_FLOAT64 },
        {"I32",  FOREIGN_INT32   },
        {"I64",  FOREIGN_INT64   },
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, dtype) == 0)
            return types[i].type;
    return FOREIGN_OTHER;
}

static bool read_tensor(struct reading *reading, const char *name, const json_t *described, struct error *error)
{
    struct foreign_tensor tensor = {.type = FOREIGN_OTHER};
    const json_t *offsets = json_object_get(described, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    const char *dtype = json_string_value(json_object_get(described, "dtype"));
    if (!dtype || json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return error_set(error, "%s has no dtype or no data_offsets of two integers", name);
    struct place place = {(uint64_t)json_integer_value(begin), (uint64_t)json_integer_value(end), name};
    if (place.begin > place.end || place.end > reading->num_bytes)
        return error_set(error, "%s lies from byte %" PRIu64 " to %" PRIu64 " of %zu", name, place.begin, place.end,
                         reading->num_bytes);
    tensor.type = type_of(dtype);
    tensor.bytes = reading->values + place.begin;
    reading->places[reading->num_places++] = place;
    return json_input_shape(&tensor, json_object_get(described, "shape"), name, error) &&
           foreign_tensors_add(reading->tensors, name, strlen(name), &tensor, (size_t)(place.end - place.begin), error);
}

/* Metadata are a map of texts; those of a model of ours are its notes. */
static bool read_metadata(struct foreign_tensors *tensors, json_t *metadata, struct error *error)
{
    const char *key;
    json_t *value;
    if (!json_is_object(metadata))
        return error_set(error, "__metadata__ is not an object");
    json_object_foreach(metadata, key, value) if (!json_is_string(value)) return error_set(
        error, "__metadata__ holds something that is not text");
    if (json_input_is_text(json_object_get(metadata, "format"), NOTES_FORMAT))
        tensors->notes = json_incref(metadata);
    return true;
}

static int compare_places(const void *a, const void *b)
{
    const struct place *first = a, *second = b;
    if (first->begin != second->begin)
        return first->begin < second->begin ? -1 : 1;
    return first->end < second->end ? -1 : first->end > second->end;
}

/* The values follow one another from the first byte to the last. */
static bool check_places(struct reading *reading, struct error *error)
{
    uint64_t at = 0;
    qsort(reading->places, reading->num_places, sizeof *reading->places, compare_places);
    for (size_t i = 0; i < reading->num_places; i++) {
        const struct place *place = &reading->places[i];
        if (place->begin != at)
            return error_set(error, "%s begins at byte %" PRIu64 ", %s", place->name, place->begin,
                             place->begin < at ? "inside another tensor" : "after a gap");
        at = place->end;
    }
    return at == reading->num_bytes ||
           error_set(error, "%" PRIu64 " bytes at its end belong to no tensor", (uint64_t)reading->num_bytes - at);
}

static bool read_header(struct reading *reading, json_t *header, struct error *error)
{
    const char *name;
    json_t *described;
    json_object_foreach(header, name, described)
    {
        bool is_metadata = strcmp(name, "__metadata__") == 0;
        if (is_metadata ? !read_metadata(reading->tensors, described, error)
                        : !read_tensor(reading, name, described, error))
            return false;
    }
    return check_places(reading, error) && foreign_tensors_finish(reading->tensors, error);
}

bool safetensors_read(struct foreign_tensors *tensors, uint8_t *bytes, size_t size, struct error *error)
{
    uint64_t length = 0;
    struct wire wire = wire_of(bytes, size);
    tensors->format = "safetensors";
    if (!foreign_tensors_own(tensors, bytes, error))
        return false;
    if (!safetensors_is(bytes, size, size) || !wire_fixed64(&wire, &length))
        return error_set(error, "does not begin as safetensors do, or is cut off");
    json_t *header = json_input_parse(bytes + LENGTH_BYTES, (size_t)length, error);
    if (!header)
        return error_prefix(error, "its header");
    struct reading reading = {tensors, bytes + LENGTH_BYTES + length, size - LENGTH_BYTES - (size_t)length, NULL, 0};
    reading.places = calloc(json_object_size(header) + 1, sizeof *reading.places);
    bool ok = reading.places ? read_header(&reading, header, error) : error_set_no_memory(error, "out of memory");
    free(reading.places);
    json_decref(header);
    return ok;
}
