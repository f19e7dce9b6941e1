/* What a model needs for bf16 products, and their preparation. */
#include "model/vae/model.h"

#include <string.h>

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

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
    size_t x = larger(z, rows * (size_t)model->encoder.to_mu.inputs);
    size_t d_out = larger(z, core_rows * (size_t)decoder->core.state_size);
    d_out = larger(d_out, rows * (size_t)model->steps * (size_t)model->depth);
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
    gradient16[0] = arena_halves(arena, 4 * all * larger((size_t)encoder_units, (size_t)decoder_units));
    if (model->encoder.num_layers > 1)
        gradient16[1] = arena_halves(arena, 4 * all * (size_t)encoder_units);
    encoder_lay_out_bf16(&model->encoder, arena, gradient16, model->max_batch);
    decoder_lay_out_bf16(&model->decoder, arena, gradient16[0], model->max_batch);
    lay_out_dense(model, arena);
}

bool model_use_bf16(struct model *model, struct bf16_engine *engine, struct error *error)
{
    struct bf16_products *products = bf16_products_make(engine, error);
    if (!products)
        return false;
    model->bf16_arena = arena_measure();
    lay_out(model, &model->bf16_arena);
    if (!arena_reserve(&model->bf16_arena, error)) {
        bf16_products_free(products);
        return error_prefix(error, "bf16 products for %d windows at a time", model->max_batch);
    }
    lay_out(model, &model->bf16_arena);
    model->bf16.products = products;
    return true;
}

/* A pass that makes no product finds all shapes that one with products would. */
bool model_prepare_bf16(struct model *model, int batch, struct error *error)
{
    double sums[SUM_COUNT] = {0};
    struct model_step step = {.batch = batch, .training = true, .step = 1};
    struct model_gradient gradient = {.scale = 1, .beta = 1, .write = OP_REPLACE};
    bf16_products_begin_noting(model->bf16.products);
    model_train(model, &step, &gradient, sums);
    return bf16_products_end_noting(model->bf16.products, error);
}
