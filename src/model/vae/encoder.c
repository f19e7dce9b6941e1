#include "model/vae/encoder.h"

#include "model/nn/arrays.h"

#include <math.h>
#include <stdio.h>

void encoder_bind(struct encoder *encoder, const struct tensor_table *table, const struct hparams *hparams)
{
    const struct int_list *sizes = &hparams->enc_rnn_size;
    struct model_shape shape = model_shape_of(hparams);
    encoder->num_layers = sizes->count;
    encoder->steps = shape.steps;
    encoder->z_size = shape.z_size;
    int input_size = model_shape_encoder_inputs(&shape);
    for (int i = 0; i < sizes->count; i++) {
        struct lstm_layer *both[2] = {&encoder->forward[i], &encoder->backward[i]};
        for (int direction = 0; direction < 2; direction++) {
            char name[TENSOR_NAME_SIZE];
            snprintf(name, sizeof name, "encoder/%s/layer_%d", direction ? "backward" : "forward", i);
            lstm_bind(both[direction], table, name, input_size, (int)sizes->values[i]);
            both[direction]->reverse = direction == 1;
            both[direction]->zero_start = true;
            both[direction]->is_last = i == 0 && direction == 0;
        }
        input_size = 2 * (int)sizes->values[i];
    }
    dense_layer_bind(&encoder->to_mu, table, "encoder/mu");
    dense_layer_bind(&encoder->to_sigma, table, "encoder/sigma");
}

static int top_units(const struct encoder *encoder)
{
    return encoder->forward[encoder->num_layers - 1].units;
}

int encoder_input_size(const struct encoder *encoder)
{
    return encoder->forward[0].input_size;
}

void encoder_lay_out(struct encoder *encoder, struct arena *arena, int rows)
{
    int widest_below = 0;
    for (int i = 0; i < encoder->num_layers; i++) {
        lstm_lay_out(&encoder->forward[i], arena, encoder->steps, rows, true);
        lstm_lay_out(&encoder->backward[i], arena, encoder->steps, rows, false);
        encoder->backward[i].input = encoder->forward[i].input;
        encoder->backward[i].mask = encoder->forward[i].mask;
        if (i + 1 < encoder->num_layers && encoder->forward[i].units > widest_below)
            widest_below = encoder->forward[i].units;
    }
    size_t count = (size_t)rows, z = count * (size_t)encoder->z_size, top = count * (size_t)top_units(encoder);
    encoder->final = arena_floats(arena, 2 * top);
    encoder->d_final = arena_floats(arena, 2 * top);
    encoder->d_half = arena_floats(arena, top);
    float **vectors[] = {&encoder->mu,  &encoder->sigma, &encoder->z,       &encoder->sigma_input,
                         &encoder->eps, &encoder->d_mu,  &encoder->d_sigma, &encoder->d_z};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        *vectors[i] = arena_floats(arena, z);
    for (int side = 0; side < 2 && widest_below > 0; side++)
        encoder->d_outputs[side] = arena_floats(arena, (size_t)encoder->steps * count * (size_t)widest_below);
}

void encoder_lay_out_bf16(struct encoder *encoder, struct arena *arena, uint16_t *const gradient16[2], int rows)
{
    for (int i = 0; i < encoder->num_layers; i++) {
        lstm_lay_out_bf16(&encoder->forward[i], arena, encoder->steps, rows, true);
        lstm_lay_out_bf16(&encoder->backward[i], arena, encoder->steps, rows, false);
        encoder->backward[i].input16 = encoder->forward[i].input16;
        encoder->forward[i].gradient16 = gradient16[0];
        encoder->backward[i].gradient16 = encoder->num_layers > 1 ? gradient16[1] : gradient16[0];
    }
}

/* Both directions' h side by side through dropout: the input of layer i > 0. */
static void feed_upper_layer(struct encoder *encoder, const struct pass *pass, int i)
{
    struct lstm_layer *layer = &encoder->forward[i];
    size_t units = (size_t)encoder->forward[i - 1].units, rows = (size_t)encoder->steps * (size_t)pass->batch;
    const float *forward = lstm_outputs(&encoder->forward[i - 1], pass->batch);
    const float *backward = lstm_outputs(&encoder->backward[i - 1], pass->batch);
    copy_columns(layer->input, 2 * units, forward, units, rows, units);
    copy_columns(layer->input + units, 2 * units, backward, units, rows, units);
    if (pass->dropout)
        pass->kernels->dropout(layer->input, layer->input, layer->mask, 1.0f / pass->keep_prob, rows * 2 * units);
}

/* ln(1 + e^x), exact to rounding at both ends. */
static float softplus(float x)
{
    return x > 0 ? x + log1pf(expf(-x)) : log1pf(expf(x));
}

void encoder_forward(struct encoder *encoder, const struct pass *pass)
{
    int rows = pass->batch, z_size = encoder->z_size;
    for (int i = 0; i < encoder->num_layers; i++) {
        if (i > 0)
            feed_upper_layer(encoder, pass, i);
        lstm_forward(&encoder->forward[i], pass, encoder->steps, rows);
        lstm_forward(&encoder->backward[i], pass, encoder->steps, rows);
    }
    size_t units = (size_t)top_units(encoder);
    const float *forward = lstm_final_output(&encoder->forward[encoder->num_layers - 1], encoder->steps, rows);
    const float *backward = lstm_final_output(&encoder->backward[encoder->num_layers - 1], encoder->steps, rows);
    copy_columns(encoder->final, 2 * units, forward, units, (size_t)rows, units);
    copy_columns(encoder->final + units, 2 * units, backward, units, (size_t)rows, units);
    struct operand final = {encoder->final, NULL};
    dense_layer_forward(&encoder->to_mu, pass, encoder->mu, final, rows);
    dense_layer_forward(&encoder->to_sigma, pass, encoder->sigma_input, final, rows);
    for (size_t i = 0; i < (size_t)rows * (size_t)z_size; i++) {
        encoder->sigma[i] = softplus(encoder->sigma_input[i]);
        encoder->z[i] = encoder->mu[i] + encoder->sigma[i] * encoder->eps[i];
    }
}

double encoder_kl(const struct encoder *encoder, int row)
{
    size_t start = (size_t)row * (size_t)encoder->z_size;
    double sum = 0;
    for (size_t i = start; i < start + (size_t)encoder->z_size; i++) {
        double mu = (double)encoder->mu[i], sigma = (double)encoder->sigma[i];
        /* ln softplus(x) tends to x; sigma itself is 0 in floats below -104 */
        double log_sigma = encoder->sigma_input[i] < -30.0f ? (double)encoder->sigma_input[i] : log(sigma);
        sum += 0.5 * (mu * mu + sigma * sigma - 1) - log_sigma;
    }
    return sum;
}

/* d_mu, and d_sigma before softplus, from d_z and the KL term. */
static void backward_through_distribution(struct encoder *encoder, int rows, double kl_weight, double free_nats)
{
    size_t z_size = (size_t)encoder->z_size;
    for (int row = 0; row < rows; row++) {
        float weight = encoder_kl(encoder, row) > free_nats ? (float)kl_weight : 0.0f;
        for (size_t i = (size_t)row * z_size; i < ((size_t)row + 1) * z_size; i++) {
            float sigma = encoder->sigma[i], x = encoder->sigma_input[i];
            float d_softplus = 1.0f / (1.0f + expf(-x));
            /* -1/sigma times the slope of softplus tends to -1, also where sigma is 0 in floats */
            float d_log_sigma = x < -30.0f ? 1.0f : d_softplus / sigma;
            encoder->d_mu[i] = encoder->d_z[i] + weight * encoder->mu[i];
            encoder->d_sigma[i] =
                (encoder->d_z[i] * encoder->eps[i] + weight * sigma) * d_softplus - weight * d_log_sigma;
        }
    }
}

/* One direction of layer i. The top layer's loss sees only its final h; a lower one's all of them. */
static void backward_direction(struct encoder *encoder, const struct pass *pass, struct lstm_scratch *scratch,
                               struct lstm_layer *layer, int i, int side)
{
    int rows = pass->batch;
    if (i < encoder->num_layers - 1) {
        lstm_backward(layer, pass, scratch, encoder->d_outputs[side], NULL, encoder->steps, rows);
    } else {
        size_t units = (size_t)layer->units;
        copy_columns(encoder->d_half, units, encoder->d_final + (size_t)side * units, 2 * units, (size_t)rows, units);
        lstm_backward(layer, pass, scratch, NULL, encoder->d_half, encoder->steps, rows);
    }
    pass_ready(pass, layer->bias + 4 * (size_t)layer->units);
}

/* The gradients of layer i - 1's outputs, from both directions of layer i. */
static void backward_to_lower_layer(struct encoder *encoder, const struct pass *pass, struct lstm_scratch *scratch,
                                    int i)
{
    int rows = pass->batch, width = encoder->forward[i].input_size, half = width / 2;
    const uint8_t *mask = encoder->forward[i].mask;
    float scale = 1.0f / pass->keep_prob;
    for (int side = 0; side < 2; side++) {
        float *d = encoder->d_outputs[side];
        lstm_input_gradient(d, &encoder->forward[i], pass, scratch, side * half, half, encoder->steps, rows,
                            OP_REPLACE);
        lstm_input_gradient(d, &encoder->backward[i], pass, scratch, side * half, half, encoder->steps, rows, OP_ADD);
        if (!pass->dropout)
            continue;
        for (size_t row = 0; row < (size_t)encoder->steps * (size_t)rows; row++)
            pass->kernels->dropout(d + row * (size_t)half, d + row * (size_t)half,
                                   mask + row * (size_t)width + (size_t)(side * half), scale, (size_t)half);
    }
}

void encoder_backward(struct encoder *encoder, const struct pass *pass, struct lstm_scratch *scratch, double kl_weight,
                      double free_nats)
{
    int rows = pass->batch;
    struct operand final = {encoder->final, NULL};
    backward_through_distribution(encoder, rows, kl_weight, free_nats);
    dense_layer_backward(&encoder->to_mu, pass, encoder->d_final, encoder->d_mu, final, rows, OP_REPLACE);
    dense_layer_backward(&encoder->to_sigma, pass, encoder->d_final, encoder->d_sigma, final, rows, OP_ADD);
    pass_ready(pass, encoder->to_sigma.bias + (size_t)encoder->z_size);
    for (int i = encoder->num_layers - 1; i >= 0; i--) {
        backward_direction(encoder, pass, scratch, &encoder->backward[i], i, 1);
        backward_direction(encoder, pass, scratch, &encoder->forward[i], i, 0);
        if (i > 0)
            backward_to_lower_layer(encoder, pass, scratch, i);
    }
}
