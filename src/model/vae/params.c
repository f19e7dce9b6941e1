#include "model/vae/params.h"

#include "base/random.h"
#include "model/vae/groove.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double small_deviation = 0.001;

static void add(struct param_table *table, const char *name, int num_dims, int64_t rows, int64_t columns,
                enum param_initial initial)
{
    struct param *param = &table->rows[table->num_rows++];
    snprintf(param->name, sizeof param->name, "%s", name);
    param->num_dims = num_dims;
    param->rows = (int)rows;
    param->columns = (int)columns;
    param->initial = initial;
    param->count = (size_t)rows * (size_t)columns;
    param->offset = table->num_floats;
    size_t aligned = (param->count + PARAMS_ALIGNMENT - 1) / PARAMS_ALIGNMENT * PARAMS_ALIGNMENT;
    table->num_floats += aligned;
    table->num_values += param->count;
}

/* A kernel and its bias. */
static void add_affine(struct param_table *table, const char *name, int64_t inputs, int64_t outputs,
                       enum param_initial initial)
{
    char full[PARAM_NAME_SIZE];
    snprintf(full, sizeof full, "%s/kernel", name);
    add(table, full, 2, inputs, outputs, initial);
    snprintf(full, sizeof full, "%s/bias", name);
    add(table, full, 1, 1, outputs, INITIAL_ZERO);
}

static int64_t sum_of(const struct int_list *sizes)
{
    int64_t sum = 0;
    for (int i = 0; i < sizes->count; i++)
        sum += sizes->values[i];
    return sum;
}

/* An LSTM stack from its top layer down, and the dense layer that makes its initial state. */
static void add_stack(struct param_table *table, const char *name, int64_t input_size, int64_t source_size,
                      const struct int_list *sizes)
{
    char full[PARAM_NAME_SIZE - 8];
    for (int layer = sizes->count - 1; layer >= 0; layer--) {
        int64_t inputs = layer > 0 ? sizes->values[layer - 1] : input_size;
        snprintf(full, sizeof full, "%s/layer_%d", name, layer);
        add_affine(table, full, inputs + sizes->values[layer], 4 * sizes->values[layer], INITIAL_GLOROT_UNIFORM);
    }
    snprintf(full, sizeof full, "%s/initial_state", name);
    add_affine(table, full, source_size, 2 * sum_of(sizes), INITIAL_SMALL_NORMAL);
}

static void add_encoder(struct param_table *table, const struct hparams *hparams, int64_t input_size)
{
    const struct int_list *sizes = &hparams->enc_rnn_size;
    int64_t top = 2 * sizes->values[sizes->count - 1];
    add_affine(table, "encoder/mu", top, hparams->z_size, INITIAL_SMALL_NORMAL);
    add_affine(table, "encoder/sigma", top, hparams->z_size, INITIAL_SMALL_NORMAL);
    for (int layer = sizes->count - 1; layer >= 0; layer--) {
        int64_t inputs = layer > 0 ? 2 * sizes->values[layer - 1] : input_size;
        int64_t units = sizes->values[layer];
        char full[PARAM_NAME_SIZE - 8];
        snprintf(full, sizeof full, "encoder/backward/layer_%d", layer);
        add_affine(table, full, inputs + units, 4 * units, INITIAL_GLOROT_UNIFORM);
        snprintf(full, sizeof full, "encoder/forward/layer_%d", layer);
        add_affine(table, full, inputs + units, 4 * units, INITIAL_GLOROT_UNIFORM);
    }
}

bool params_describe(struct param_table *table, const struct hparams *hparams, struct error *error)
{
    int64_t controls = hparams->hits_as_controls ? GROOVE_CLASSES : 0;
    const struct int_list *decoder = &hparams->dec_rnn_size;
    int64_t top = decoder->values[decoder->count - 1];
    bool hierarchical = hparams->decoder == DECODER_HIERARCHICAL;
    int64_t embedding_size = hierarchical ? top : hparams->z_size;

    *table = (struct param_table){0};
    add_affine(table, "decoder/output", top, GROOVE_DEPTH, INITIAL_GLOROT_UNIFORM);
    add_stack(table, "decoder", GROOVE_DEPTH + controls + embedding_size, embedding_size, decoder);
    if (hierarchical)
        add_stack(table, "conductor", 0, hparams->z_size, decoder);
    add_encoder(table, hparams, GROOVE_DEPTH + controls);

    for (int i = 0; i < table->num_rows; i++)
        if (table->rows[i].count > INT32_MAX)
            return error_set(error,
                             "tensor %s would have %zu values, more than one tensor can hold; make enc_rnn_size, "
                             "dec_rnn_size or z_size smaller",
                             table->rows[i].name, table->rows[i].count);
    return true;
}

const struct param *params_find(const struct param_table *table, const char *format, ...)
{
    char name[PARAM_NAME_SIZE];
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

void params_initialize(float *values, const struct param_table *table, uint64_t seed)
{
    memset(values, 0, table->num_floats * sizeof *values);
    for (int i = 0; i < table->num_rows; i++) {
        const struct param *param = &table->rows[i];
        float *out = values + param->offset;
        struct random_stream stream;
        random_stream_start(&stream, seed, RANDOM_INITIAL_PARAMETERS, (uint32_t)i, 0);
        if (param->initial == INITIAL_GLOROT_UNIFORM) {
            double limit = sqrt(6.0 / (param->rows + param->columns));
            random_fill_uniform(out, param->count, &stream);
            for (size_t j = 0; j < param->count; j++)
                out[j] = (float)(limit * (2.0 * (double)out[j] - 1.0));
        } else if (param->initial == INITIAL_SMALL_NORMAL) {
            random_fill_normal(out, param->count, &stream);
            for (size_t j = 0; j < param->count; j++)
                out[j] *= (float)small_deviation;
        }
    }
}
