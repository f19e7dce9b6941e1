#include "run/tensor_norms.h"

#include "run/json_lines.h"
#include "run/run_folder.h"

#include <math.h>

void tensor_norms_measure(struct tensor_norms *norms, const struct tensor_table *table, const float *before,
                          const float *values, const float *gradients)
{
    for (int i = 0; i < table->num_rows; i++) {
        const struct tensor *tensor = &table->rows[i];
        double value = 0, gradient = 0, update = 0;
        for (size_t j = tensor->offset; j < tensor->offset + tensor->count; j++) {
            double change = (double)values[j] - (double)before[j];
            value += (double)values[j] * (double)values[j];
            gradient += (double)gradients[j] * (double)gradients[j];
            update += change * change;
        }
        norms[i] = (struct tensor_norms){sqrt(value), sqrt(gradient), sqrt(update)};
    }
}

const struct tensor *tensor_norms_first_not_finite(const struct tensor_table *table, const float *values)
{
    for (int i = 0; i < table->num_rows; i++) {
        const struct tensor *tensor = &table->rows[i];
        for (size_t j = tensor->offset; j < tensor->offset + tensor->count; j++)
            if (!isfinite(values[j]))
                return tensor;
    }
    return NULL;
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

bool tensor_norms_append(const char *folder, uint64_t step, const struct tensor_table *table,
                         const struct tensor_norms *norms, struct error *error)
{
    json_t *line = json_object();
    json_object_set_new(line, "step", json_integer((json_int_t)step));
    for (int i = 0; i < table->num_rows; i++) {
        json_t *one = json_object();
        json_object_set_new(one, "norm", number(norms[i].value));
        json_object_set_new(one, "grad_norm", number(norms[i].gradient));
        json_object_set_new(one, "update_norm", number(norms[i].update));
        json_object_set_new(line, table->rows[i].name, one);
    }
    return json_lines_append(folder, RUN_TENSORS_NAME, line, ONE_WRITER, error);
}
