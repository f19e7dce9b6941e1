#include "exchange/safetensors_writer.h"

#include "exchange/notes.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_ALIGNMENT = 8 };

/* Adds a table's tensors to the header, from byte *end of the data on. */
static void describe_tensors(json_t *header, size_t *end, const char *prefix, const struct tensor_table *table,
                             enum exchange_dtype dtype)
{
    for (int i = 0; i < table->num_rows; i++) {
        const struct tensor *tensor = &table->rows[i];
        char name[sizeof EXCHANGE_LATENTS + TENSOR_NAME_SIZE];
        json_t *shape = json_array();
        size_t begin = *end;
        if (tensor->num_dims == 2)
            json_array_append_new(shape, json_integer(tensor->rows));
        json_array_append_new(shape, json_integer(tensor->columns));
        *end += tensor->count * exchange_dtype_size(dtype);
        snprintf(name, sizeof name, "%s%s", prefix, tensor->name);
        json_object_set_new(header, name,
                            json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype == EXCHANGE_F16 ? "F16" : "F32", "shape",
                                      shape, "data_offsets", (json_int_t)begin, (json_int_t)*end));
    }
}

/* The header's text, padded with spaces so that the data begin at a multiple of eight bytes; the caller's. */
static char *make_header(size_t *size, const struct exchange_model *model, const struct tensor_table *latents,
                         enum exchange_dtype dtype)
{
    json_t *header = json_object();
    size_t end = 0;
    json_object_set_new(header, "__metadata__", notes_make(model->checkpoint));
    describe_tensors(header, &end, "", model->table, dtype);
    if (model->latents)
        describe_tensors(header, &end, EXCHANGE_LATENTS, latents, EXCHANGE_F32);
    char *text = json_dumps(header, JSON_COMPACT);
    json_decref(header);
    if (!text)
        return NULL;
    size_t length = strlen(text);
    *size = (length + HEADER_ALIGNMENT - 1) / HEADER_ALIGNMENT * HEADER_ALIGNMENT;
    char *padded = realloc(text, *size + 1);
    if (!padded) {
        free(text);
        return NULL;
    }
    memset(padded + length, ' ', *size - length);
    return padded;
}

static bool put_tensors(struct atomic_file *file, const struct tensor_table *table, const float *values,
                        enum exchange_dtype dtype, struct error *error)
{
    for (int i = 0; i < table->num_rows; i++) {
        const struct tensor *tensor = &table->rows[i];
        size_t size = tensor->count * exchange_dtype_size(dtype);
        struct exchange_scale scale;
        uint8_t *bytes = malloc(size);
        if (!bytes)
            return error_set_no_memory(error, "%s: out of memory", file->path);
        bool ok = exchange_encode(bytes, &scale, values + tensor->offset, tensor->count, dtype, tensor->name, error) ||
                  error_prefix(error, "%s", file->path);
        ok = ok && atomic_file_put(file, bytes, size, error);
        free(bytes);
        if (!ok)
            return false;
    }
    return true;
}

bool safetensors_write(struct atomic_file *file, const struct exchange_model *model, enum exchange_dtype dtype,
                       struct error *error)
{
    struct tensor_table latents = {0};
    size_t size;
    if (model->latents)
        latents_table(&latents, &(const struct latent_counts){.size = model->latents->counts.size});
    char *header = make_header(&size, model, &latents, dtype);
    if (!header)
        return error_set_no_memory(error, "%s: out of memory", file->path);
    uint8_t length[8];
    for (size_t i = 0; i < sizeof length; i++)
        length[i] = (uint8_t)((uint64_t)size >> 8 * i);
    bool ok = atomic_file_put(file, length, sizeof length, error) && atomic_file_put(file, header, size, error) &&
              put_tensors(file, model->table, model->values, dtype, error) &&
              (!model->latents || put_tensors(file, &latents, model->latents->values, EXCHANGE_F32, error));
    free(header);
    return ok;
}
