#include "exchange/json_input.h"

#include <string.h>

json_t *json_input_parse(const uint8_t *bytes, size_t size, struct error *error)
{
    json_error_t reason;
    json_t *json = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, &reason);
    if (!json)
        error_set(error, "is not valid JSON: %s at byte %d", reason.text, reason.position);
    return json;
}

bool json_input_is_text(const json_t *json, const char *text)
{
    return json_is_string(json) && strcmp(json_string_value(json), text) == 0;
}

bool json_input_shape(struct foreign_tensor *tensor, const json_t *shape, const char *name, struct error *error)
{
    size_t num_dims = json_array_size(shape);
    if (!json_is_array(shape) || num_dims > FOREIGN_MAX_DIMS)
        return error_set(error, "%s has no shape of at most %d dimensions", name, FOREIGN_MAX_DIMS);
    tensor->num_dims = (int)num_dims;
    for (size_t i = 0; i < num_dims; i++) {
        const json_t *dim = json_array_get(shape, i);
        if (!json_is_integer(dim))
            return error_set(error, "%s has a dimension that is not an integer", name);
        tensor->dims[i] = json_integer_value(dim);
    }
    return true;
}
