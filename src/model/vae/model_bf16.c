/* What a model needs for bf16 GEMMs, and their preparation. */
#include "model/nn/arrays.h"
#include "model/vae/model.h"

static int widest(const struct lstm_layer *layers, int count)
{
    int units = 0;
    for (int i = 0; i < count; i++)
        if (layers[i].units > units)
            units = layers[i].units;
    return units;
}

/* The largest operands of dense layers that are not rounded already: the encoder's final h and z; and gradients of the
 * outputs, of mu and sigma, and of initial states. */
static void lay_out_dense(struct model *model, struct arena *arena)
{
    const struct decoder *decoder = &model->decoder;
    size_t rows = (size_t)model->max_batch, core_rows = rows * (size_t)decoder->segments;
    size_t z = rows * (size_t)model->encoder.z_size;
    size_t x = larger_size(z, rows * (size_t)model->encoder.to_mu.inputs);
    size_t d_out = larger_size(z, core_rows * (size_t)decoder->core.state_size);
    d_out = larger_size(d_out, rows * (size_t)model->steps * (size_t)model->depth);
    model->bf16.dense_x = arena_halves(arena, x);
    model->bf16.dense_d_out = arena_halves(arena, d_out);
}

static void lay_out(struct model *model, struct arena *arena)
{
    const struct decoder *decoder = &model->decoder;
    size_t all = (size_t)model->max_batch * (size_t)model->steps;
    int encoder_units = widest(model->encoder.forward, model->encoder.num_layers);
    int decoder_units = widest(decoder->core.layers, decoder->core.num_layers);
    uint16_t *gradient16[2] = {NULL, NULL};
    gradient16[0] = arena_halves(arena, 4 * all * larger_size((size_t)encoder_units, (size_t)decoder_units));
    if (model->encoder.num_layers > 1)
        gradient16[1] = arena_halves(arena, 4 * all * (size_t)encoder_units);
    encoder_lay_out_bf16(&model->encoder, arena, gradient16, model->max_batch);
    decoder_lay_out_bf16(&model->decoder, arena, gradient16[0], model->max_batch);
    lay_out_dense(model, arena);
}

bool model_use_bf16(struct model *model, struct bf16_engine *engine, struct error *error)
{
    struct bf16_gemms *gemms = bf16_gemms_make(engine, error);
    if (!gemms)
        return false;
    model->bf16_arena = arena_measure();
    lay_out(model, &model->bf16_arena);
    if (!arena_reserve(&model->bf16_arena, error)) {
        bf16_gemms_free(gemms);
        return error_prefix(error, "bf16 GEMMs for %d windows at a time", model->max_batch);
    }
    lay_out(model, &model->bf16_arena);
    model->bf16.gemms = gemms;
    return true;
}

/* A pass that computes no GEMM meets all the shapes that one which computes them would. */
bool model_prepare_bf16(struct model *model, int batch, struct error *error)
{
    double sums[METRIC_MAX_SUMS] = {0};
    struct model_step step = {.batch = batch, .training = true, .step = 1};
    struct model_gradient gradient = {.scale = 1, .beta = 1, .write = OP_REPLACE};
    bf16_gemms_begin_recording(model->bf16.gemms);
    model_train(model, &step, &gradient, sums);
    if (model->hparams.sampling_rate > 0) { /* then the output layer runs step by step */
        step.sampling_probability = 1;
        model_train(model, &step, &gradient, sums);
    }
    return bf16_gemms_end_recording(model->bf16.gemms, error);
}
