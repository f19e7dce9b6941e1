#include "tests/model/model_from_twin.h"
#include "tests/support/unit.h"

#include "model/vae/model.h"

static void set_list(struct int_list *list, const size_t *values, size_t count)
{
    list->count = (int)count;
    for (size_t n = 0; n < count; n++)
        list->values[n] = (int64_t)values[n];
}

struct hparams twin_hparams(const struct naive_sizes *sizes)
{
    struct hparams hparams;
    struct error error;
    if (!hparams_make(&hparams, config_find("groovae_4bar_flat", NULL), NULL, &error))
        fail_msg("%s", error.message);
    hparams.bars = (int64_t)sizes->bars;
    hparams.decoder = sizes->hierarchical ? DECODER_HIERARCHICAL : DECODER_FLAT;
    hparams.z_size = (int64_t)sizes->z_size;
    hparams.hits_as_controls = sizes->control_depth > 0 && sizes->control_depth < 27;
    hparams.input_as_controls = sizes->control_depth >= 27;
    hparams.tempo_control = sizes->control_depth == 18 || sizes->control_depth == 36;
    hparams.velocity_l1 = sizes->velocity_l1;
    hparams.free_bits = sizes->free_bits;
    hparams.dropout_keep_prob = sizes->keep_prob;
    hparams.prev_keep_prob = sizes->prev_keep_prob;
    hparams.context_keep_prob = sizes->context_keep_prob;
    set_list(&hparams.enc_rnn_size, sizes->enc_rnn_size, sizes->num_encoder_layers);
    set_list(&hparams.dec_rnn_size, sizes->dec_rnn_size, sizes->num_layers);
    return hparams;
}

struct model *twin_model(const struct naive_sizes *sizes, const struct naive_model *twin)
{
    struct hparams hparams = twin_hparams(sizes);
    struct error error;
    struct model *model = model_make(&hparams, (int)sizes->batch + 2, &error);
    if (model == NULL)
        fail_msg("%s", error.message);
    assert_int_equal(model->table.num_rows, twin->num_tensors);
    for (size_t n = 0; n < twin->num_tensors; n++) {
        const struct tensor *tensor = &model->table.rows[n];
        assert_string_equal(tensor->name, twin->tensors[n].name);
        assert_int_equal(tensor->count, naive_tensor_count(&twin->tensors[n]));
        for (size_t k = 0; k < tensor->count; k++)
            model->values[tensor->offset + k] = (float)twin->tensors[n].values[k];
    }
    return model;
}

void twin_floats(float *to, const double *from, size_t count)
{
    for (size_t n = 0; n < count; n++)
        to[n] = (float)from[n];
}

void twin_outputs(float *out, const struct decoder *decoder, size_t windows)
{
    size_t segments = (size_t)decoder->segments, steps = (size_t)decoder->segment_steps;
    size_t size = windows * (size_t)decoder->depth;
    for (size_t t = 0; t < segments * steps; t++)
        memcpy(out + t * size, decoder->outputs + (t % steps * segments + t / steps) * size, size * sizeof *out);
}

static void copy_mask(const struct lstm_layer *layer, const uint8_t *mask, size_t count)
{
    if (mask != NULL)
        memcpy(layer->mask, mask, count);
}

void twin_set_batch(struct model *model, const struct naive_sizes *sizes, const struct naive_batch *batch)
{
    size_t windows = sizes->batch, rows = sizes->bars * sizes->steps_per_bar * windows;
    twin_floats(model->input, batch->input, rows * NAIVE_DEPTH);
    twin_floats(model->target, batch->target, rows * NAIVE_DEPTH);
    twin_floats(model->controls, batch->controls, rows * sizes->control_depth);
    twin_floats(model->encoder.eps, batch->eps, windows * sizes->z_size);
    for (size_t layer = 0; layer < sizes->num_encoder_layers; layer++)
        copy_mask(&model->encoder.forward[layer], batch->encoder_masks[layer],
                  rows * naive_encoder_inputs(sizes, layer));
    for (size_t layer = 0; layer < sizes->num_layers; layer++) {
        copy_mask(&model->decoder.core.layers[layer], batch->decoder_masks[layer],
                  rows * naive_decoder_inputs(sizes, layer));
        if (sizes->hierarchical)
            copy_mask(&model->decoder.conductor.layers[layer], batch->conductor_masks[layer],
                      sizes->bars * windows * naive_conductor_inputs(sizes, layer));
    }
}

double twin_loss(const struct model *model, const double *sums, double beta)
{
    struct metric_values values;
    metric_compute(&values, &model->metrics, sums, beta);
    return metric_get(&values, &model->metrics, METRIC_LOSS);
}
