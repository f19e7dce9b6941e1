#include "model/vae/model.h"

#include "model/nn/arrays.h"
#include "model/vae/parameters.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double ln2 = 0.69314718055994530942;

/* Dropout layers are numbered so that every one draws from a purpose of its own. */
enum { DROPOUT_ENCODER = RANDOM_DROPOUT, DROPOUT_CONDUCTOR = RANDOM_DROPOUT + 16, DROPOUT_CORE = RANDOM_DROPOUT + 32 };

/* Of the larger half of a layer's kernel, transposed. */
static size_t packed_floats(const struct lstm_layer *layer)
{
    int rows = layer->input_size > layer->units ? layer->input_size : layer->units;
    return kernels_packed_floats(4 * layer->units, rows);
}

/* Whether columns of the decoder's input are kept with different probabilities. */
static bool drops_by_parts(const struct hparams *hparams)
{
    double prev = decoder_prev_keep_prob(hparams), context = decoder_context_keep_prob(hparams);
    return prev < context || prev > context;
}

static void lay_out_scratch(struct model *model, struct arena *arena)
{
    size_t state = 0, lower = 0, mask = (size_t)model->steps * (size_t)encoder_input_size(&model->encoder);
    size_t rows = (size_t)model->max_batch, core_rows = rows * (size_t)model->decoder.segments;
    size_t all = rows * (size_t)model->steps, packed = 0;
    for (int i = 0; i < model->encoder.num_layers; i++) {
        state = larger_size(state, rows * (size_t)model->encoder.forward[i].units);
        packed = larger_size(packed, packed_floats(&model->encoder.forward[i]));
        mask = larger_size(mask, (size_t)model->steps * (size_t)model->encoder.forward[i].input_size);
    }
    for (int i = 0; i < model->decoder.core.num_layers; i++) {
        const struct lstm_layer *layer = &model->decoder.core.layers[i];
        state = larger_size(state, core_rows * (size_t)layer->units);
        packed = larger_size(packed, packed_floats(layer));
        mask = larger_size(mask, (size_t)model->steps * (size_t)layer->input_size);
        if (i + 1 < model->decoder.core.num_layers)
            lower = larger_size(lower, all * (size_t)layer->units);
    }
    model->scratch.lstm.dh = arena_floats(arena, state);
    model->scratch.lstm.dc = arena_floats(arena, state);
    model->scratch.lstm.packed = arena_floats(arena, packed);
    model->scratch.lstm.gradient = arena_floats(arena, kernels_gradient_floats());
    model->scratch.d_layer = arena_floats(arena, lower);
    model->mask_scratch = arena_bytes(arena, mask);
    if (drops_by_parts(&model->hparams))
        model->mask_part_scratch =
            arena_bytes(arena, (size_t)model->steps * (size_t)model->decoder.core.layers[0].input_size);
}

static void lay_out(struct model *model, struct arena *arena)
{
    size_t rows = (size_t)model->max_batch * (size_t)model->steps;
    model->values = arena_floats(arena, model->table.num_floats);
    model->gradients = arena_floats(arena, model->table.num_floats);
    model->input = arena_floats(arena, rows * (size_t)model->depth);
    model->target = arena_floats(arena, rows * (size_t)model->depth);
    if (model->num_controls > 0)
        model->controls = arena_floats(arena, rows * (size_t)model->num_controls);
    encoder_lay_out(&model->encoder, arena, model->max_batch);
    decoder_lay_out(&model->decoder, arena, model->max_batch);
    lay_out_scratch(model, arena);
}

/* Everything but the memory. */
static bool describe(struct model *model, const struct hparams *hparams, int max_batch, struct error *error)
{
    memset(model, 0, sizeof *model);
    model->hparams = *hparams;
    if (!parameters_describe(&model->table, hparams, error))
        return false;
    model->max_batch = max_batch;
    model->kernels = kernels_best();
    encoder_bind(&model->encoder, &model->table, hparams);
    metric_set_make(&model->metrics, hparams_representation(hparams));
    decoder_bind(&model->decoder, &model->table, hparams);
    model->steps = model->encoder.steps;
    model->depth = model->decoder.depth;
    model->num_controls = model->decoder.num_controls;
    return true;
}

size_t model_memory(const struct hparams *hparams, int max_batch)
{
    struct model model;
    struct error error;
    if (!describe(&model, hparams, max_batch, &error))
        return SIZE_MAX;
    struct arena arena = arena_measure();
    lay_out(&model, &arena);
    return arena.used;
}

struct model *model_make(const struct hparams *hparams, int max_batch, struct error *error)
{
    struct model *model = malloc(sizeof *model);
    if (!model) {
        error_set_no_memory(error, "out of memory");
        return NULL;
    }
    if (!describe(model, hparams, max_batch, error))
        goto failed;
    model->arena = arena_measure();
    lay_out(model, &model->arena);
    if (!arena_reserve(&model->arena, error)) {
        error_prefix(error, "a model for %d windows at a time", max_batch);
        goto failed;
    }
    lay_out(model, &model->arena);
    return model;

failed:
    free(model);
    return NULL;
}

void model_free(struct model *model)
{
    if (!model)
        return;
    bf16_gemms_free(model->bf16.gemms);
    arena_free(&model->bf16_arena);
    arena_free(&model->arena);
    free(model);
}

void model_initialize(struct model *model, uint64_t seed)
{
    tensors_initialize(model->values, &model->table, seed);
}

/* A part of a mask's columns, and the probability with which they are kept. */
struct mask_part {
    int first, end;
    double keep_prob;
};

/* One window's mask [steps, width] into mask_scratch. Where parts have probabilities of their own, they come of the same random
 * numbers: a column of a larger one is kept wherever it would be with a smaller one. */
static void draw_window(struct model *model, int width, int steps, const struct mask_part *parts, int num_parts,
                        const struct random_stream *stream)
{
    size_t count = (size_t)steps * (size_t)width;
    struct random_stream again = *stream;
    random_fill_mask(model->mask_scratch, count, parts[0].keep_prob, &again);
    for (int i = 1; i < num_parts; i++) {
        again = *stream;
        random_fill_mask(model->mask_part_scratch, count, parts[i].keep_prob, &again);
        for (size_t row = 0; row < count; row += (size_t)width)
            memcpy(model->mask_scratch + row + parts[i].first, model->mask_part_scratch + row + parts[i].first,
                   (size_t)(parts[i].end - parts[i].first));
    }
}

/* The masks of one dropout layer, [T, B, width] or, in segments, [T / segments, segments * B, width]. Each window's mask is
 * drawn in the order of time, so that it does not depend on the batch that the window is in. */
static void draw_mask(struct model *model, uint8_t *mask, int width, int steps, int segments, uint32_t purpose,
                      const struct mask_part *parts, int num_parts, const struct model_step *step)
{
    size_t row_size = (size_t)width;
    int segment_steps = steps / segments;
    for (int b = 0; b < step->batch; b++) {
        struct random_stream stream;
        random_stream_start(&stream, step->seed, purpose, step->step, step->first_example + (uint32_t)b);
        draw_window(model, width, steps, parts, num_parts, &stream);
        for (int t = 0; t < steps; t++) {
            size_t row = (size_t)(t % segment_steps * segments + t / segment_steps) * (size_t)step->batch + (size_t)b;
            memcpy(mask + row * row_size, model->mask_scratch + (size_t)t * row_size, row_size);
        }
    }
}

static void draw_masks(struct model *model, const struct model_step *step)
{
    const struct mask_part whole = {.keep_prob = model->hparams.dropout_keep_prob};
    for (int i = 0; i < model->encoder.num_layers; i++) {
        struct lstm_layer *layer = &model->encoder.forward[i];
        draw_mask(model, layer->mask, layer->input_size, model->steps, 1, (uint32_t)(DROPOUT_ENCODER + i), &whole, 1,
                  step);
    }
    struct decoder *decoder = &model->decoder;
    for (int i = 1; decoder->hierarchical && i < decoder->conductor.num_layers; i++) {
        struct lstm_layer *layer = &decoder->conductor.layers[i];
        draw_mask(model, layer->mask, layer->input_size, decoder->segments, 1, (uint32_t)(DROPOUT_CONDUCTOR + i),
                  &whole, 1, step);
    }
    for (int i = 0; i < decoder->core.num_layers; i++) {
        struct lstm_layer *layer = &decoder->core.layers[i];
        const struct mask_part parts[2] = {
            {0,                               0,                 i == 0 ? decoder_prev_keep_prob(&model->hparams) : whole.keep_prob},
            {decoder_context_column(decoder), layer->input_size, decoder_context_keep_prob(&model->hparams)                        },
        };
        bool split = i == 0 && model->mask_part_scratch;
        draw_mask(model, layer->mask, layer->input_size, model->steps, decoder->segments, (uint32_t)(DROPOUT_CORE + i),
                  parts, split ? 2 : 1, step);
    }
}

static bool drops(const struct model *model, const struct model_step *step)
{
    return step->training && (model->hparams.dropout_keep_prob < 1 || decoder_prev_keep_prob(&model->hparams) < 1 ||
                              decoder_context_keep_prob(&model->hparams) < 1);
}

void model_draw_noise(struct model *model, const struct model_step *step)
{
    size_t z_size = (size_t)model->encoder.z_size;
    uint32_t purpose = step->training ? RANDOM_LATENT_NOISE : RANDOM_EVALUATION_NOISE;
    for (int b = 0; b < step->batch; b++) {
        struct random_stream stream;
        random_stream_start(&stream, step->seed, purpose, step->step, step->first_example + (uint32_t)b);
        random_fill_normal(model->encoder.eps + (size_t)b * z_size, z_size, &stream);
    }
    if (drops(model, step))
        draw_masks(model, step);
}

static struct pass make_pass(const struct model *model, int batch, bool dropout)
{
    return (struct pass){
        .batch = batch,
        .dropout = dropout,
        .keep_prob = (float)model->hparams.dropout_keep_prob,
        .packed = gemm_is_packed(model->kernels),
        .kernels = model->kernels,
        .values = model->values,
        .gradients = model->gradients,
    };
}

/* [input, controls] through dropout into the encoder's lowest layer; with input_as_controls the input alone. */
static void feed_encoder(struct model *model, const struct pass *pass)
{
    struct lstm_layer *layer = &model->encoder.forward[0];
    size_t rows = (size_t)model->steps * (size_t)pass->batch, width = (size_t)layer->input_size;
    size_t depth = (size_t)model->depth, num_controls = width - depth; /* all, or none of them */
    for (size_t row = 0; row < rows; row++) {
        memcpy(layer->input + row * width, model->input + row * depth, depth * sizeof(float));
        if (num_controls > 0)
            memcpy(layer->input + row * width + depth, model->controls + row * num_controls,
                   num_controls * sizeof(float));
    }
    if (pass->dropout)
        pass->kernels->dropout(layer->input, layer->input, layer->mask, 1.0f / pass->keep_prob, rows * width);
}

static double free_nats(const struct model *model)
{
    return model->hparams.free_bits * ln2;
}

static void forward(struct model *model, const struct model_step *step, const struct pass *pass, double *sums)
{
    struct decoder_sampling sampling = {
        .probability = step->training ? step->sampling_probability : 0,
        .seed = step->seed,
        .step = step->step,
        .first_example = step->first_example,
    };
    pass_begin(pass, PASS_ENCODER_FORWARD);
    feed_encoder(model, pass);
    encoder_forward(&model->encoder, pass);
    pass_begin(pass, PASS_DECODER_FORWARD);
    decoder_forward(&model->decoder, pass, model->encoder.z, model->target, model->controls, &sampling);
    pass_begin(pass, PASS_LOSS);
    sums[SUM_WINDOWS] += pass->batch;
    for (int b = 0; b < pass->batch; b++) {
        double kl = encoder_kl(&model->encoder, b), above = kl - free_nats(model);
        sums[SUM_KL] += kl;
        sums[SUM_KL_ABOVE_FREE] += above < 0 ? 0 : above;
    }
}

void model_evaluate(struct model *model, const struct model_step *step, double *sums)
{
    struct pass pass = make_pass(model, step->batch, drops(model, step));
    forward(model, step, &pass, sums);
    decoder_loss(&model->decoder, &pass, sums, model->target, false, 0);
}

void model_train(struct model *model, const struct model_step *step, const struct model_gradient *gradient,
                 double *sums)
{
    struct pass pass = make_pass(model, step->batch, drops(model, step));
    pass.write = gradient->write;
    pass.listener = gradient->listener;
    pass.phases = gradient->phases;
    if (model->bf16.gemms) {
        bf16_gemms_begin_pass(model->bf16.gemms);
        pass.bf16 = &model->bf16;
    }
    forward(model, step, &pass, sums);
    decoder_loss(&model->decoder, &pass, sums, model->target, true, gradient->scale);
    pass_begin(&pass, PASS_DECODER_BACKWARD);
    decoder_backward(&model->decoder, &pass, &model->scratch, model->encoder.d_z, model->encoder.z);
    pass_begin(&pass, PASS_ENCODER_BACKWARD);
    encoder_backward(&model->encoder, &pass, &model->scratch.lstm, gradient->beta * (double)gradient->scale,
                     free_nats(model));
    pass_ready(&pass, model->table.num_floats);
}
