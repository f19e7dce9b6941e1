#include "exchange/magenta_js_reader.h"

#include "base/io/files.h"
#include "base/text.h"
#include "exchange/json_input.h"
#include "exchange/notes.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_JSON = 16 << 20, MAX_FILES_OF_GROUP = 4096, STEPS_PER_BAR = 16 };

struct reading {
    struct foreign_tensors *tensors;
    struct file_source *source;
    int folder_size; /* of the manifest's name: its folder, with the slash */
    const char *manifest;
    size_t num_bytes; /* of all files so far */
};

/* Values of a group's files, one after another. */
struct group {
    uint8_t *bytes; /* owned by the tensors once it is complete */
    size_t size, used;
};

static json_t *read_json(struct reading *reading, const char *name, struct error *error)
{
    uint8_t *bytes;
    size_t size;
    if (!file_source_take(reading->source, name, MAX_JSON, &bytes, &size, error))
        return NULL;
    json_t *json = json_input_parse(bytes, size, error);
    if (!json)
        file_source_prefix(reading->source, name, error);
    free(bytes);
    return json;
}

static bool append(struct group *group, const uint8_t *bytes, size_t size)
{
    uint8_t *grown = realloc(group->bytes, group->size + size + 1);
    if (!grown)
        return false;
    memcpy(grown + group->size, bytes, size);
    group->bytes = grown;
    group->size += size;
    return true;
}

static bool read_file(struct reading *reading, struct group *group, const char *path, struct error *error)
{
    uint8_t *bytes;
    size_t size;
    char *name = format_text("%.*s%s", reading->folder_size, reading->manifest, path);
    bool ok = file_source_take(reading->source, name, FOREIGN_MAX_BYTES - reading->num_bytes, &bytes, &size, error);
    free(name);
    if (!ok)
        return false;
    reading->num_bytes += size;
    ok = append(group, bytes, size) || error_set_no_memory(error, "%s: out of memory", reading->source->path);
    free(bytes);
    return ok;
}

static bool read_files(struct reading *reading, struct group *group, const json_t *paths, struct error *error)
{
    if (!json_is_array(paths) || json_array_size(paths) > MAX_FILES_OF_GROUP)
        return error_set(error, "a group has no list of files") ||
               file_source_prefix(reading->source, reading->manifest, error);
    for (size_t i = 0; i < json_array_size(paths); i++) {
        const char *path = json_string_value(json_array_get(paths, i));
        if (!path)
            return error_set(error, "%s: %s: the name of a file is not text", reading->source->path, reading->manifest);
        if (!read_file(reading, group, path, error))
            return false;
    }
    return true;
}

static bool read_quantization(struct foreign_tensor *tensor, const char *name, const json_t *quantization,
                              struct error *error)
{
    const json_t *dtype = json_object_get(quantization, "dtype");
    const json_t *scale = json_object_get(quantization, "scale"), *minimum = json_object_get(quantization, "min");
    if (json_input_is_text(dtype, "float16")) {
        tensor->type = FOREIGN_FLOAT16;
        return true;
    }
    if (!json_input_is_text(dtype, "uint8") && !json_input_is_text(dtype, "uint16"))
        return error_set(error, "%s has an unknown quantization", name);
    tensor->type = json_input_is_text(dtype, "uint8") ? FOREIGN_SCALED8 : FOREIGN_SCALED16;
    tensor->scale = json_number_value(scale);
    tensor->minimum = json_number_value(minimum);
    return (json_is_number(scale) && json_is_number(minimum) && isfinite(tensor->scale) && isfinite(tensor->minimum)) ||
           error_set(error, "%s has a quantization without scale and min", name);
}

static bool read_weight(struct reading *reading, struct group *group, const json_t *weight, struct error *error)
{
    struct foreign_tensor tensor = {.type = FOREIGN_FLOAT32, .bytes = group->bytes + group->used};
    const char *name = json_string_value(json_object_get(weight, "name"));
    const json_t *dtype = json_object_get(weight, "dtype"), *quantization = json_object_get(weight, "quantization");
    if (!name)
        return error_set(error, "a weight has no name");
    if (!json_input_is_text(dtype, "float32") && !json_input_is_text(dtype, "int32"))
        return error_set(error, "%s is neither float32 nor int32", name);
    if (quantization && !read_quantization(&tensor, name, quantization, error))
        return false;
    if (!quantization && json_input_is_text(dtype, "int32"))
        tensor.type = FOREIGN_INT32;
    if (!json_input_shape(&tensor, json_object_get(weight, "shape"), name, error))
        return false;
    size_t left = group->size - group->used, size = foreign_type_size(tensor.type);
    for (int i = 0; i < tensor.num_dims && tensor.dims[i] >= 0; i++) {
        if (tensor.dims[i] > 0 && size > left / (uint64_t)tensor.dims[i])
            return error_set(error, "%s passes the end of its group's files", name);
        size *= (size_t)tensor.dims[i];
    }
    if (size > left)
        return error_set(error, "%s passes the end of its group's files", name);
    group->used += size;
    return foreign_tensors_add(reading->tensors, name, strlen(name), &tensor, size, error);
}

static bool read_weights(struct reading *reading, struct group *group, const json_t *weights, struct error *error)
{
    bool ok = json_is_array(weights) || error_set(error, "a group has no list of weights");
    for (size_t i = 0; ok && i < json_array_size(weights); i++)
        ok = read_weight(reading, group, json_array_get(weights, i), error);
    if (ok && group->used < group->size)
        ok = error_set(error, "%zu bytes of a group's files belong to no weight", group->size - group->used);
    return ok || file_source_prefix(reading->source, reading->manifest, error);
}

static bool read_group(struct reading *reading, const json_t *described, struct error *error)
{
    struct group group = {malloc(1), 0, 0};
    if (!group.bytes)
        return error_set_no_memory(error, "%s: out of memory", reading->source->path);
    if (!read_files(reading, &group, json_object_get(described, "paths"), error)) {
        free(group.bytes);
        return false;
    }
    return foreign_tensors_own(reading->tensors, group.bytes, error) &&
           read_weights(reading, &group, json_object_get(described, "weights"), error);
}

static bool read_manifest(struct reading *reading, struct error *error)
{
    json_t *manifest = read_json(reading, reading->manifest, error);
    if (!manifest)
        return false;
    bool ok = json_is_array(manifest) || error_set(error, "is no list of groups") ||
              file_source_prefix(reading->source, reading->manifest, error);
    for (size_t i = 0; ok && i < json_array_size(manifest); i++)
        ok = read_group(reading, json_array_get(manifest, i), error);
    json_decref(manifest);
    if (ok && !foreign_tensors_finish(reading->tensors, error))
        ok = file_source_prefix(reading->source, reading->manifest, error);
    return ok;
}

/* As Magenta.js's GrooveConverter understands it. */
static bool read_converter(struct foreign_converter *converter, const json_t *args, struct error *error)
{
    const json_t *steps = json_object_get(args, "numSteps"), *segments = json_object_get(args, "numSegments");
    if (json_is_true(json_object_get(args, "splitInstruments")))
        return error_set(error, "a model with splitInstruments: only those whose steps hold all drums can be imported");
    if (steps &&
        (!json_is_integer(steps) || json_integer_value(steps) <= 0 || json_integer_value(steps) % STEPS_PER_BAR != 0))
        return error_set(error, "numSteps is not a number of whole bars of %d steps", STEPS_PER_BAR);
    *converter = (struct foreign_converter){
        .is_known = true,
        .bars = json_integer_value(steps) / STEPS_PER_BAR,
        .hierarchical = json_integer_value(segments) > 0,
        .humanize = json_is_true(json_object_get(args, "humanize")),
        .tapify = json_is_true(json_object_get(args, "tapify")),
    };
    return !converter->hierarchical || !steps || json_integer_value(segments) == converter->bars ||
           error_set(error, "numSegments is not the number of bars");
}

static bool check_config(struct foreign_tensors *tensors, const json_t *config, struct error *error)
{
    const json_t *converter = json_object_get(config, "dataConverter");
    const json_t *type = json_object_get(config, "type"), *kind = json_object_get(converter, "type");
    if (!json_input_is_text(type, "MusicVAE"))
        return error_set(error, "its type is not MusicVAE");
    if (!json_input_is_text(kind, "GrooveConverter"))
        return error_set(error, "a model with %s: only those with GrooveConverter can be imported",
                         json_is_string(kind) && text_is_utf8(json_string_value(kind)) ? json_string_value(kind)
                                                                                       : "no data converter");
    if (json_object_get(config, "chordEncoder"))
        return error_set(error, "a model with a chordEncoder, which none of ours has");
    json_t *notes = json_object_get(config, "drumline");
    if (json_input_is_text(json_object_get(notes, "format"), NOTES_FORMAT))
        tensors->notes = json_incref(notes);
    return read_converter(&tensors->converter, json_object_get(converter, "args"), error);
}

static bool read_config(struct reading *reading, struct error *error)
{
    char *name = format_text("%.*s" MAGENTA_JS_CONFIG, reading->folder_size, reading->manifest);
    bool ok = true;
    if (file_source_has(reading->source, name)) {
        json_t *config = read_json(reading, name, error);
        ok = config != NULL;
        if (ok && !check_config(reading->tensors, config, error))
            ok = file_source_prefix(reading->source, name, error);
        json_decref(config);
    }
    free(name);
    return ok;
}

bool magenta_js_read(struct foreign_tensors *tensors, struct file_source *source, const char *manifest,
                     struct error *error)
{
    struct reading reading = {tensors, source, (int)(path_name(manifest) - manifest), manifest, 0};
    tensors->format = "Magenta.js";
    return read_config(&reading, error) && read_manifest(&reading, error);
}
