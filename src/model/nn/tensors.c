#include "model/nn/tensors.h"

#include "base/random.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double small_deviation = 0.001;

void tensors_add(struct tensor_table *table, const char *name, int num_dims, int64_t rows, int64_t columns,
                 enum tensor_initial initial)
{
    struct tensor *tensor = &table->rows[table->num_rows++];
    snprintf(tensor->name, sizeof tensor->name, "%s", name);
    tensor->num_dims = num_dims;
    tensor->rows = (int)rows;
    tensor->columns = (int)columns;
    tensor->initial = initial;
    tensor->count = (size_t)rows * (size_t)columns;
    tensor->offset = table->num_floats;
    size_t aligned = (tensor->count + TENSORS_ALIGNMENT - 1) / TENSORS_ALIGNMENT * TENSORS_ALIGNMENT;
    table->num_floats += aligned;
    table->num_values += tensor->count;
}

void tensors_add_affine(struct tensor_table *table, const char *name, int64_t inputs, int64_t outputs,
                        enum tensor_initial initial)
{
    char full[TENSOR_NAME_SIZE];
    snprintf(full, sizeof full, "%s/kernel", name);
    tensors_add(table, full, 2, inputs, outputs, initial);
    snprintf(full, sizeof full, "%s/bias", name);
    tensors_add(table, full, 1, 1, outputs, INITIAL_ZERO);
}

const struct tensor *tensors_find(const struct tensor_table *table, const char *format, ...)
{
    char name[TENSOR_NAME_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    for (int i = 0; i < table->num_rows; i++)
        if (strcmp(table->rows[i].name, name) == 0)
            return &table->rows[i];
    fprintf(stderr, "no tensor is named %s\n", name);
    abort();
}

void tensors_initialize(float *values, const struct tensor_table *table, uint64_t seed)
{
    memset(values, 0, table->num_floats * sizeof *values);
    for (int i = 0; i < table->num_rows; i++) {
        const struct tensor *tensor = &table->rows[i];
        float *out = values + tensor->offset;
        struct random_stream stream;
        random_stream_start(&stream, seed, RANDOM_INITIAL_PARAMETERS, (uint32_t)i, 0);
        if (tensor->initial == INITIAL_GLOROT_UNIFORM) {
            double limit = sqrt(6.0 / (tensor->rows + tensor->columns));
            random_fill_uniform(out, tensor->count, &stream);
            for (size_t j = 0; j < tensor->count; j++)
                out[j] = (float)(limit * (2.0 * (double)out[j] - 1.0));
        } else if (tensor->initial == INITIAL_SMALL_NORMAL) {
            random_fill_normal(out, tensor->count, &stream);
            for (size_t j = 0; j < tensor->count; j++)
                out[j] *= (float)small_deviation;
        }
    }
}
