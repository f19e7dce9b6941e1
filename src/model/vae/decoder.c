#include "model/vae/decoder.h"

#include <assert.h>
#include <string.h>

void decoder_bind(struct decoder *decoder, const struct tensor_table *table, const struct hparams *hparams)
{
    const struct int_list *sizes = &hparams->dec_rnn_size;
    struct model_shape shape = model_shape_of(hparams);
    decoder->hierarchical = shape.hierarchical;
    decoder->segments = shape.segments;
    decoder->segment_steps = shape.segment_steps;
    decoder->num_controls = shape.num_controls;
    decoder->embedding_size = shape.embedding_size;
    output_heads_bind(&decoder->heads, hparams);
    decoder->depth = shape.depth;
    decoder->prev_keep_prob = (float)decoder_prev_keep_prob(hparams);
    decoder->context_keep_prob = (float)decoder_context_keep_prob(hparams);
    dense_layer_bind(&decoder->output, table, "decoder/output");
    stack_bind(&decoder->core, table, "decoder", model_shape_decoder_inputs(&shape), sizes);
    if (decoder->hierarchical)
        stack_bind(&decoder->conductor, table, "conductor", 0, sizes);
}

double decoder_prev_keep_prob(const struct hparams *hparams)
{
    return hparams->prev_keep_prob > 0 ? hparams->prev_keep_prob : hparams->dropout_keep_prob;
}

double decoder_context_keep_prob(const struct hparams *hparams)
{
    return hparams->context_keep_prob > 0 ? hparams->context_keep_prob : hparams->dropout_keep_prob;
}

int decoder_context_column(const struct decoder *decoder)
{
    return decoder->depth;
}

void decoder_lay_out(struct decoder *decoder, struct arena *arena, int rows)
{
    int core_rows = decoder->segments * rows;
    size_t all = (size_t)decoder->segment_steps * (size_t)core_rows, depth = (size_t)decoder->depth;
    stack_lay_out(&decoder->core, arena, decoder->segment_steps, core_rows);
    if (decoder->hierarchical)
        stack_lay_out(&decoder->conductor, arena, decoder->segments, rows);
    decoder->outputs = arena_floats(arena, all * depth);
    decoder->d_top = arena_floats(arena, all * (size_t)stack_top_units(&decoder->core));
    decoder->d_embedding = arena_floats(arena, (size_t)core_rows * (size_t)decoder->embedding_size);
    decoder->d_embedding_rows = arena_floats(arena, all * (size_t)decoder->embedding_size);
    decoder->previous = arena_floats(arena, (size_t)core_rows * depth);
    decoder->streams = (struct random_stream *)arena_bytes(arena, (size_t)core_rows * sizeof *decoder->streams);
}

void decoder_lay_out_bf16(struct decoder *decoder, struct arena *arena, uint16_t *gradient16, int rows)
{
    stack_lay_out_bf16(&decoder->core, arena, gradient16, decoder->segment_steps, decoder->segments * rows);
    if (decoder->hierarchical)
        stack_lay_out_bf16(&decoder->conductor, arena, gradient16, decoder->segments, rows);
}

/* First row, in the order of time [T * B], of step s of segment g. */
static size_t time_row(const struct decoder *decoder, int g, int s, int rows)
{
    return (size_t)(g * decoder->segment_steps + s) * (size_t)rows;
}

/* The same in the core's order [segment_steps, segments * B]. */
static size_t core_row(const struct decoder *decoder, int g, int s, int rows)
{
    return (size_t)(s * decoder->segments + g) * (size_t)rows;
}

/* Dropout of `rows` rows of the core's input from row `first` on, in place. */
static void drop_inputs(struct decoder *decoder, const struct pass *pass, size_t first, size_t rows)
{
    const struct lstm_layer *layer = &decoder->core.layers[0];
    size_t width = (size_t)layer->input_size, context = (size_t)decoder_context_column(decoder);
    float prev_scale = 1.0f / decoder->prev_keep_prob, context_scale = 1.0f / decoder->context_keep_prob;
    float *out = layer->input + first * width;
    const uint8_t *mask = layer->mask + first * width;
    if (prev_scale >= context_scale && prev_scale <= context_scale) {
        pass->kernels->dropout(out, out, mask, prev_scale, rows * width);
        return;
    }
    for (size_t row = 0; row < rows; row++, out += width, mask += width) {
        pass->kernels->dropout(out, out, mask, prev_scale, context);
        pass->kernels->dropout(out + context, out + context, mask + context, context_scale, width - context);
    }
}

/* The core's input for `rows` rows from core row `first` on: [previous, controls, embedding] through dropout.
 * previous [rows, D], NULL for zeros; controls [rows, C] or NULL; embedding [rows, E]. */
static void feed(struct decoder *decoder, const struct pass *pass, size_t first, int rows, const float *previous,
                 const float *controls, const float *embedding)
{
    struct lstm_layer *layer = &decoder->core.layers[0];
    size_t width = (size_t)layer->input_size, depth = (size_t)decoder->depth;
    size_t num_controls = (size_t)decoder->num_controls, size = (size_t)decoder->embedding_size;
    assert(num_controls == 0 || controls);
    for (size_t row = 0; row < (size_t)rows; row++) {
        float *out = layer->input + (first + row) * width;
        if (previous)
            memcpy(out, previous + row * depth, depth * sizeof *out);
        else
            memset(out, 0, depth * sizeof *out);
        if (num_controls > 0)
            memcpy(out + depth, controls + row * num_controls, num_controls * sizeof *out);
        memcpy(out + depth + num_controls, embedding + row * size, size * sizeof *out);
    }
    if (pass->dropout)
        drop_inputs(decoder, pass, first, (size_t)rows);
}

/* Step s of all segments, fed the truth. */
static void feed_truth(struct decoder *decoder, const struct pass *pass, int s, const float *target,
                       const float *controls)
{
    int rows = pass->batch;
    size_t depth = (size_t)decoder->depth;
    for (int g = 0; g < decoder->segments; g++) {
        size_t now = time_row(decoder, g, s, rows);
        const float *previous = now == 0 ? NULL : target + (now - (size_t)rows) * depth;
        feed(decoder, pass, core_row(decoder, g, s, rows), rows, previous,
             controls ? controls + now * (size_t)decoder->num_controls : NULL,
             decoder->embedding.values + (size_t)(g * rows) * (size_t)decoder->embedding_size);
    }
}

/* outputs of `rows` rows from core row `first` on, from the top layer's h */
static void project(struct decoder *decoder, const struct pass *pass, size_t first, int rows)
{
    int core_rows = decoder->segments * pass->batch;
    dense_layer_forward(&decoder->output, pass, decoder->outputs + first * (size_t)decoder->depth,
                        stack_outputs(&decoder->core, first, core_rows), rows);
}

static void make_embedding(struct decoder *decoder, const struct pass *pass, const float *z)
{
    decoder->embedding = (struct operand){z, NULL};
    if (decoder->hierarchical) {
        stack_start(&decoder->conductor, pass, decoder->embedding, decoder->segments, pass->batch);
        stack_forward(&decoder->conductor, pass, decoder->segments, pass->batch);
        decoder->embedding = stack_outputs(&decoder->conductor, 0, pass->batch);
    }
}

/* previous [segments * B, D] for step s > 0: the truth, or with the given probability what the model samples at s - 1. */
static void choose_previous(struct decoder *decoder, const struct pass *pass, int s, const float *target,
                            double probability)
{
    int rows = pass->batch;
    size_t depth = (size_t)decoder->depth;
    for (int g = 0; g < decoder->segments; g++) {
        for (int b = 0; b < rows; b++) {
            size_t row = (size_t)g * (size_t)rows + (size_t)b;
            float *out = decoder->previous + row * depth;
            struct random_stream *stream = &decoder->streams[row];
            if ((double)random_uniform(stream) < probability)
                output_heads_sample(&decoder->heads, out,
                                    decoder->outputs + (core_row(decoder, g, s - 1, rows) + (size_t)b) * depth, 1.0f,
                                    stream);
            else
                memcpy(out, target + (time_row(decoder, g, s - 1, rows) + (size_t)b) * depth, depth * sizeof *out);
        }
    }
}

static void forward_with_sampling(struct decoder *decoder, const struct pass *pass, const float *target,
                                  const float *controls, const struct decoder_sampling *sampling)
{
    int rows = pass->batch, core_rows = decoder->segments * rows;
    size_t depth = (size_t)decoder->depth;
    for (int g = 0; g < decoder->segments; g++)
        for (int b = 0; b < rows; b++)
            random_stream_start(&decoder->streams[g * rows + b], sampling->seed,
                                RANDOM_SCHEDULED_SAMPLING | (uint32_t)g << 16, sampling->step,
                                sampling->first_example + (uint32_t)b);
    stack_prepare(&decoder->core, pass);
    for (int s = 0; s < decoder->segment_steps; s++) {
        if (s == 0) {
            feed_truth(decoder, pass, s, target, controls);
        } else {
            choose_previous(decoder, pass, s, target, sampling->probability);
            for (int g = 0; g < decoder->segments; g++) {
                size_t now = time_row(decoder, g, s, rows);
                feed(decoder, pass, core_row(decoder, g, s, rows), rows, decoder->previous + (size_t)(g * rows) * depth,
                     controls ? controls + now * (size_t)decoder->num_controls : NULL,
                     decoder->embedding.values + (size_t)(g * rows) * (size_t)decoder->embedding_size);
            }
        }
        stack_forward_step(&decoder->core, pass, s, core_rows);
        project(decoder, pass, (size_t)s * (size_t)core_rows, core_rows);
    }
}

void decoder_forward(struct decoder *decoder, const struct pass *pass, const float *z, const float *target,
                     const float *controls, const struct decoder_sampling *sampling)
{
    int core_rows = decoder->segments * pass->batch;
    make_embedding(decoder, pass, z);
    stack_start(&decoder->core, pass, decoder->embedding, decoder->segment_steps, core_rows);
    if (sampling && sampling->probability > 0) {
        forward_with_sampling(decoder, pass, target, controls, sampling);
        return;
    }
    for (int s = 0; s < decoder->segment_steps; s++)
        feed_truth(decoder, pass, s, target, controls);
    stack_forward(&decoder->core, pass, decoder->segment_steps, core_rows);
    project(decoder, pass, 0, decoder->segment_steps * core_rows);
}

void decoder_loss(struct decoder *decoder, const struct pass *pass, double *sums, const float *target, bool gradient,
                  float scale)
{
    int rows = pass->batch;
    size_t depth = (size_t)decoder->depth;
    for (int s = 0; s < decoder->segment_steps; s++) {
        for (int g = 0; g < decoder->segments; g++) {
            float *outputs = decoder->outputs + core_row(decoder, g, s, rows) * depth;
            output_heads_loss(&decoder->heads, sums, gradient ? outputs : NULL, outputs,
                              target + time_row(decoder, g, s, rows) * depth, rows, scale);
        }
    }
}

/* d_embedding from the core's inputs at every step, through dropout. */
static void backward_to_embedding(struct decoder *decoder, const struct pass *pass, struct lstm_scratch *scratch)
{
    const struct lstm_layer *layer = &decoder->core.layers[0];
    size_t core_rows = (size_t)decoder->segments * (size_t)pass->batch, size = (size_t)decoder->embedding_size;
    size_t width = (size_t)layer->input_size, first = width - size;
    float *rows = decoder->d_embedding_rows;
    lstm_input_gradient(rows, layer, pass, scratch, (int)first, (int)size, decoder->segment_steps, (int)core_rows,
                        OP_REPLACE);
    memset(decoder->d_embedding, 0, core_rows * size * sizeof *rows);
    for (size_t s = 0; s < (size_t)decoder->segment_steps; s++) {
        for (size_t row = 0; row < core_rows; row++) {
            float *d_row = rows + (s * core_rows + row) * size;
            float *restrict sum = decoder->d_embedding + row * size;
            if (pass->dropout)
                pass->kernels->dropout(d_row, d_row, layer->mask + (s * core_rows + row) * width + first,
                                       1.0f / decoder->context_keep_prob, size);
            for (size_t i = 0; i < size; i++)
                sum[i] += d_row[i];
        }
    }
}

void decoder_backward(struct decoder *decoder, const struct pass *pass, struct stack_scratch *scratch, float *d_z,
                      const float *z)
{
    int rows = pass->batch, core_rows = decoder->segments * rows, depth = decoder->depth;
    dense_layer_backward(&decoder->output, pass, decoder->d_top, decoder->outputs,
                         stack_outputs(&decoder->core, 0, core_rows), decoder->segment_steps * core_rows, OP_REPLACE);
    pass_ready(pass, decoder->output.bias + (size_t)depth);
    stack_backward(&decoder->core, pass, scratch, decoder->d_top, decoder->segment_steps, core_rows);
    backward_to_embedding(decoder, pass, &scratch->lstm);
    stack_backward_start(&decoder->core, pass, decoder->d_embedding, decoder->embedding, core_rows, OP_ADD);
    if (!decoder->hierarchical) {
        memcpy(d_z, decoder->d_embedding, (size_t)rows * (size_t)decoder->embedding_size * sizeof *d_z);
        return;
    }
    stack_backward(&decoder->conductor, pass, scratch, decoder->d_embedding, decoder->segments, rows);
    stack_backward_start(&decoder->conductor, pass, d_z, (struct operand){z, NULL}, rows, OP_REPLACE);
}
