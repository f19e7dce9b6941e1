#include "model/vae/parameters.h"

#include "model/vae/model_shape.h"

#include <stdio.h>

static int64_t sum_of(const struct int_list *sizes)
{
    int64_t sum = 0;
    for (int i = 0; i < sizes->count; i++)
        sum += sizes->values[i];
    return sum;
}

/* An LSTM stack from its top layer down, and the dense layer that makes its initial state. */
static void add_stack(struct tensor_table *table, const char *name, int64_t input_size, int64_t source_size,
                      const struct int_list *sizes)
{
    char full[TENSOR_NAME_SIZE - 8];
    for (int layer = sizes->count - 1; layer >= 0; layer--) {
        int64_t inputs = layer > 0 ? sizes->values[layer - 1] : input_size;
        snprintf(full, sizeof full, "%s/layer_%d", name, layer);
        tensors_add_affine(table, full, inputs + sizes->values[layer], 4 * sizes->values[layer],
                           INITIAL_GLOROT_UNIFORM);
    }
    snprintf(full, sizeof full, "%s/initial_state", name);
    tensors_add_affine(table, full, source_size, 2 * sum_of(sizes), INITIAL_SMALL_NORMAL);
}

static void add_encoder(struct tensor_table *table, const struct hparams *hparams, int64_t input_size)
{
    const struct int_list *sizes = &hparams->enc_rnn_size;
    int64_t top = 2 * sizes->values[sizes->count - 1];
    tensors_add_affine(table, "encoder/mu", top, hparams->z_size, INITIAL_SMALL_NORMAL);
    tensors_add_affine(table, "encoder/sigma", top, hparams->z_size, INITIAL_SMALL_NORMAL);
    for (int layer = sizes->count - 1; layer >= 0; layer--) {
        int64_t inputs = layer > 0 ? 2 * sizes->values[layer - 1] : input_size;
        int64_t units = sizes->values[layer];
        char full[TENSOR_NAME_SIZE - 8];
        snprintf(full, sizeof full, "encoder/backward/layer_%d", layer);
        tensors_add_affine(table, full, inputs + units, 4 * units, INITIAL_GLOROT_UNIFORM);
        snprintf(full, sizeof full, "encoder/forward/layer_%d", layer);
        tensors_add_affine(table, full, inputs + units, 4 * units, INITIAL_GLOROT_UNIFORM);
    }
}

bool parameters_describe(struct tensor_table *table, const struct hparams *hparams, struct error *error)
{
    const struct int_list *decoder = &hparams->dec_rnn_size;
    struct model_shape shape = model_shape_of(hparams);
    int64_t top = decoder->values[decoder->count - 1];

    *table = (struct tensor_table){0};
    tensors_add_affine(table, "decoder/output", top, shape.depth, INITIAL_GLOROT_UNIFORM);
    add_stack(table, "decoder", model_shape_decoder_inputs(&shape), shape.embedding_size, decoder);
    if (shape.hierarchical)
        add_stack(table, "conductor", 0, shape.z_size, decoder);
    add_encoder(table, hparams, model_shape_encoder_inputs(&shape));

    for (int i = 0; i < table->num_rows; i++)
        if (table->rows[i].count > INT32_MAX)
            return error_set(error,
                             "tensor %s would have %zu values, more than one tensor can hold; make enc_rnn_size, "
                             "dec_rnn_size or z_size smaller",
                             table->rows[i].name, table->rows[i].count);
    return true;
}
