#include "exchange/foreign_tensors.h"

#include "base/array.h"
#include "base/half.h"
#include "base/little_endian.h"
#include "base/text.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t foreign_type_size(enum foreign_type type)
{
    switch (type) {
    case FOREIGN_SCALED8:
        return 1;
    case FOREIGN_FLOAT16:
    case FOREIGN_BFLOAT16:
    case FOREIGN_SCALED16:
        return 2;
    case FOREIGN_FLOAT32:
    case FOREIGN_INT32:
        return 4;
    case FOREIGN_FLOAT64:
    case FOREIGN_INT64:
        return 8;
    case FOREIGN_OTHER:
        return 0;
    }
    return 0;
}

static bool no_memory(struct error *error)
{
    return error_set_no_memory(error, "no memory for the list of tensors");
}

/* A copy that ends in NUL; NULL, with the error set, where it is no name. */
static char *copy_name(const char *name, size_t size, struct error *error)
{
    if (size == 0 || size > FOREIGN_MAX_NAME) {
        error_set(error, "a tensor has a name of %zu bytes", size);
        return NULL;
    }
    char *copy = malloc(size + 1);
    if (!copy) {
        no_memory(error);
        return NULL;
    }
    memcpy(copy, name, size);
    copy[size] = '\0';
    if (strlen(copy) == size && text_is_utf8(copy))
        return copy;
    free(copy);
    error_set(error, "a tensor has a name that is not UTF-8 text");
    return NULL;
}

static bool count_values(struct foreign_tensor *tensor, const char *name, struct error *error)
{
    size_t count = 1;
    for (int i = 0; i < tensor->num_dims; i++)
        if (tensor->dims[i] < 0)
            return error_set(error, "%s has a negative dimension", name);
    for (int i = 0; i < tensor->num_dims; i++) {
        if (tensor->dims[i] > 0 && count > FOREIGN_MAX_BYTES / (uint64_t)tensor->dims[i])
            return error_set(error, "%s has a shape of too many values", name);
        count *= (size_t)tensor->dims[i];
    }
    tensor->count = count;
    return true;
}

bool foreign_tensors_add(struct foreign_tensors *tensors, const char *name, size_t name_size,
                         const struct foreign_tensor *tensor, size_t num_bytes, struct error *error)
{
    struct foreign_tensor row = *tensor;
    struct foreign_tensor *grown;
    if (tensors->count >= FOREIGN_MAX_TENSORS)
        return error_set(error, "holds more than %d tensors", FOREIGN_MAX_TENSORS);
    grown = array_grow(tensors->rows, &tensors->capacity, tensors->count, 1, sizeof *grown);
    if (!grown)
        return no_memory(error);
    tensors->rows = grown;
    row.name = copy_name(name, name_size, error);
    if (!row.name)
        return false;
    bool ok = count_values(&row, row.name, error); /* NOLINT(clang-analyzer-unix.Malloc): freed or stored below */
    if (ok && row.type != FOREIGN_OTHER && num_bytes != row.count * foreign_type_size(row.type))
        ok = error_set(error, "%s has %zu bytes, but %zu values of %zu bytes", row.name, num_bytes, row.count,
                       foreign_type_size(row.type));
    if (ok)
        tensors->rows[tensors->count++] = row;
    else
        free(row.name);
    return ok;
}

bool foreign_tensors_own(struct foreign_tensors *tensors, uint8_t *buffer, struct error *error)
{
    uint8_t **grown = array_grow(tensors->buffers, &tensors->buffers_capacity, tensors->num_buffers, 1, sizeof *grown);
    if (!grown) {
        free(buffer);
        return no_memory(error);
    }
    tensors->buffers = grown;
    tensors->buffers[tensors->num_buffers++] = buffer;
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct foreign_tensor *)a)->name, ((const struct foreign_tensor *)b)->name);
}

bool foreign_tensors_finish(struct foreign_tensors *tensors, struct error *error)
{
    if (tensors->count == 0)
        return error_set(error, "holds no tensors");
    qsort(tensors->rows, tensors->count, sizeof *tensors->rows, compare_names);
    for (size_t i = 1; i < tensors->count; i++)
        if (compare_names(&tensors->rows[i - 1], &tensors->rows[i]) == 0)
            return error_set(error, "holds %s twice", tensors->rows[i].name);
    return true;
}

struct foreign_tensor *foreign_tensors_find(const struct foreign_tensors *tensors, const char *name)
{
    size_t low = 0, high = tensors->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(tensors->rows[middle].name, name);
        if (order == 0)
            return &tensors->rows[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const char *foreign_tensor_shape(char text[FOREIGN_SHAPE_SIZE], const struct foreign_tensor *tensor)
{
    size_t used = (size_t)snprintf(text, FOREIGN_SHAPE_SIZE, "[");
    for (int i = 0; i < tensor->num_dims; i++)
        used +=
            (size_t)snprintf(text + used, FOREIGN_SHAPE_SIZE - used, "%s%" PRId64, i > 0 ? "," : "", tensor->dims[i]);
    snprintf(text + used, FOREIGN_SHAPE_SIZE - used, "]");
    return text;
}

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double double_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float value_of(const struct foreign_tensor *tensor, uint64_t bits)
{
    switch (tensor->type) {
    case FOREIGN_FLOAT32:
        return float_of_bits((uint32_t)bits);
    case FOREIGN_FLOAT16:
        return half_to_float((uint16_t)bits);
    case FOREIGN_BFLOAT16:
        return float_of_bits((uint32_t)bits << 16);
    case FOREIGN_FLOAT64:
        return (float)double_of_bits(bits);
    case FOREIGN_SCALED8:
    case FOREIGN_SCALED16:
        return (float)((double)bits * tensor->scale + tensor->minimum);
    case FOREIGN_INT32:
        return (float)(int32_t)(uint32_t)bits;
    case FOREIGN_INT64:
        return (float)(int64_t)bits;
    case FOREIGN_OTHER:
        break;
    }
    return NAN;
}

bool foreign_tensor_read(float *values, const struct foreign_tensor *tensor, struct error *error)
{
    size_t size = foreign_type_size(tensor->type), num_bad = 0;
    if (tensor->type == FOREIGN_OTHER)
        return error_set(error, "%s does not hold numbers", tensor->name);
    for (size_t i = 0; i < tensor->count; i++) {
        values[i] = value_of(tensor, little_endian(tensor->bytes + i * size, size));
        num_bad += !(fabsf(values[i]) <= FLT_MAX);
    }
    return num_bad == 0 || error_set(error, "%s holds a number that is not finite", tensor->name);
}

bool foreign_tensor_integer(int64_t *value, const struct foreign_tensor *tensor)
{
    bool is_narrow = tensor->type == FOREIGN_INT32;
    if ((!is_narrow && tensor->type != FOREIGN_INT64) || tensor->count != 1)
        return false;
    uint64_t bits = little_endian(tensor->bytes, foreign_type_size(tensor->type));
    *value = is_narrow ? (int32_t)(uint32_t)bits : (int64_t)bits;
    return true;
}

void foreign_tensors_free(struct foreign_tensors *tensors)
{
    for (size_t i = 0; i < tensors->count; i++)
        free(tensors->rows[i].name);
    for (size_t i = 0; i < tensors->num_buffers; i++)
        free(tensors->buffers[i]);
    free(tensors->rows);
    json_decref(tensors->notes);
    free(tensors->buffers);
    *tensors = (struct foreign_tensors){0};
}
