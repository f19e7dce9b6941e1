#include "tests/model/naive_model.h"

#include "tests/model/naive_ops.h"
#include "tests/model/naive_stack.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The table of tensors ---- */

static void add_dense(struct naive_model *model, size_t inputs, size_t outputs, const char *name)
{
    const char *parts[2] = {"kernel", "bias"};
    size_t rows[2] = {inputs, 1};
    for (int part = 0; part < 2; part++) {
        struct naive_tensor *tensor = &model->tensors[model->num_tensors++];
        snprintf(tensor->name, sizeof tensor->name, "%s/%s", name, parts[part]);
        tensor->rows = rows[part];
        tensor->columns = outputs;
        tensor->values = naive_doubles(naive_tensor_count(tensor));
        tensor->gradient = naive_doubles(naive_tensor_count(tensor));
    }
}

static size_t sum_of_states(const struct naive_sizes *sizes)
{
    size_t sum = 0;
    for (size_t layer = 0; layer < sizes->num_layers; layer++)
        sum += 2 * sizes->dec_rnn_size[layer];
    return sum;
}

static size_t embedding_size(const struct naive_sizes *sizes)
{
    return sizes->hierarchical ? sizes->dec_rnn_size[sizes->num_layers - 1] : sizes->z_size;
}

size_t naive_encoder_inputs(const struct naive_sizes *sizes, size_t layer)
{
    return layer > 0 ? 2 * sizes->enc_rnn_size[layer - 1]
                     : NAIVE_DEPTH + (sizes->control_depth < NAIVE_DEPTH ? sizes->control_depth : 0);
}

size_t naive_decoder_inputs(const struct naive_sizes *sizes, size_t layer)
{
    return layer > 0 ? sizes->dec_rnn_size[layer - 1] : NAIVE_DEPTH + sizes->control_depth + embedding_size(sizes);
}

size_t naive_conductor_inputs(const struct naive_sizes *sizes, size_t layer)
{
    return layer > 0 ? sizes->dec_rnn_size[layer - 1] : 0;
}

static void add_stack(struct naive_model *model, const char *prefix, size_t first_inputs, size_t latent_size)
{
    const struct naive_sizes *sizes = &model->sizes;
    char name[NAIVE_NAME_SIZE - 8];
    for (size_t layer = sizes->num_layers; layer-- > 0;) {
        size_t hidden = sizes->dec_rnn_size[layer];
        size_t inputs = layer > 0 ? sizes->dec_rnn_size[layer - 1] : first_inputs;
        snprintf(name, sizeof name, "%s/layer_%zu", prefix, layer);
        add_dense(model, inputs + hidden, 4 * hidden, name);
    }
    snprintf(name, sizeof name, "%s/initial_state", prefix);
    add_dense(model, latent_size, sum_of_states(sizes), name);
}

static void add_encoder(struct naive_model *model)
{
    const struct naive_sizes *sizes = &model->sizes;
    const char *directions[2] = {"backward", "forward"};
    size_t top = 2 * sizes->enc_rnn_size[sizes->num_encoder_layers - 1];
    add_dense(model, top, sizes->z_size, "encoder/mu");
    add_dense(model, top, sizes->z_size, "encoder/sigma");
    for (size_t layer = sizes->num_encoder_layers; layer-- > 0;) {
        for (int direction = 0; direction < 2; direction++) {
            char name[NAIVE_NAME_SIZE - 8];
            size_t hidden = sizes->enc_rnn_size[layer];
            snprintf(name, sizeof name, "encoder/%s/layer_%zu", directions[direction], layer);
            add_dense(model, naive_encoder_inputs(sizes, layer) + hidden, 4 * hidden, name);
        }
    }
}

struct naive_model *naive_model_make(const struct naive_sizes *sizes)
{
    struct naive_model *model = calloc(1, sizeof *model);
    if (model == NULL)
        abort();
    model->sizes = *sizes;
    add_dense(model, sizes->dec_rnn_size[sizes->num_layers - 1], NAIVE_DEPTH, "decoder/output");
    add_stack(model, "decoder", naive_decoder_inputs(sizes, 0), embedding_size(sizes));
    if (sizes->hierarchical)
        add_stack(model, "conductor", 0, sizes->z_size);
    add_encoder(model);
    return model;
}

void naive_model_free(struct naive_model *model)
{
    if (model == NULL)
        return;
    for (size_t n = 0; n < model->num_tensors; n++) {
        free(model->tensors[n].values);
        free(model->tensors[n].gradient);
    }
    free(model);
}

struct naive_tensor *naive_model_tensor(struct naive_model *model, const char *name)
{
    for (size_t n = 0; n < model->num_tensors; n++)
        if (strcmp(model->tensors[n].name, name) == 0)
            return &model->tensors[n];
    return NULL;
}

size_t naive_tensor_count(const struct naive_tensor *tensor)
{
    return tensor->rows * tensor->columns;
}

double naive_model_global_norm(const struct naive_model *model)
{
    double sum = 0;
    for (size_t n = 0; n < model->num_tensors; n++)
        for (size_t k = 0; k < naive_tensor_count(&model->tensors[n]); k++)
            sum += model->tensors[n].gradient[k] * model->tensors[n].gradient[k];
    return sqrt(sum);
}

struct naive_outputs *naive_outputs_make(const struct naive_sizes *sizes)
{
    struct naive_outputs *outputs = calloc(1, sizeof *outputs);
    if (outputs == NULL)
        abort();
    outputs->mu = naive_doubles(sizes->batch * sizes->z_size);
    outputs->sigma = naive_doubles(sizes->batch * sizes->z_size);
    outputs->logits = naive_doubles(sizes->bars * sizes->steps_per_bar * sizes->batch * NAIVE_DEPTH);
    outputs->hits_loss = naive_doubles(sizes->batch);
    outputs->velocities_loss = naive_doubles(sizes->batch);
    outputs->offsets_loss = naive_doubles(sizes->batch);
    outputs->kl = naive_doubles(sizes->batch);
    return outputs;
}

void naive_outputs_free(struct naive_outputs *outputs)
{
    if (outputs == NULL)
        return;
    free(outputs->mu);
    free(outputs->sigma);
    free(outputs->logits);
    free(outputs->hits_loss);
    free(outputs->velocities_loss);
    free(outputs->offsets_loss);
    free(outputs->kl);
    free(outputs);
}

/* ---- One pass over a batch ---- */

struct pass {
    struct naive_lstm directions[NAIVE_MAX_LAYERS][2]; /* the encoder's: forward, backward */
    double *encoded;                                   /* [B, 2 encoder hidden] */
    double *z;                                         /* [B, z_size] */
    struct naive_stack conductor, core;
    size_t rows_of_bars;  /* how many bars run beside one another: all of them, or 1 in the flat decoder */
    size_t core_steps;    /* steps of the core decoder: a bar's, or T in the flat decoder */
    double *core_logits;  /* [core_steps, rows_of_bars * B, 27] */
    double *core_dlogits; /* the same; filled on the way back */
};

static const char *const direction_prefixes[2] = {"encoder/forward", "encoder/backward"};

/* The input of encoder layer `layer` [T, B, inputs] before dropout. */
static void encoder_input(double *x, const struct pass *pass, const struct naive_sizes *sizes,
                          const struct naive_batch *batch, size_t layer)
{
    size_t steps = sizes->bars * sizes->steps_per_bar, windows = sizes->batch;
    size_t inputs = naive_encoder_inputs(sizes, layer), controls = sizes->control_depth;
    for (size_t row = 0; row < steps * windows; row++) {
        if (layer == 0) {
            for (size_t k = 0; k < inputs; k++)
                x[row * inputs + k] = k < NAIVE_DEPTH ? batch->input[row * NAIVE_DEPTH + k]
                                                      : batch->controls[row * controls + k - NAIVE_DEPTH];
            continue;
        }
        size_t hidden = inputs / 2, t = row / windows, window = row % windows;
        const struct naive_lstm *below = pass->directions[layer - 1];
        memcpy(&x[row * inputs], &below[0].h[((t + 1) * windows + window) * hidden], hidden * sizeof *x);
        memcpy(&x[row * inputs + hidden], &below[1].h[((steps - t) * windows + window) * hidden], hidden * sizeof *x);
    }
}

static void encode_layer(struct pass *pass, struct naive_model *model, const struct naive_batch *batch, size_t layer)
{
    const struct naive_sizes *sizes = &model->sizes;
    size_t steps = sizes->bars * sizes->steps_per_bar, windows = sizes->batch;
    size_t inputs = naive_encoder_inputs(sizes, layer);
    for (size_t direction = 0; direction < 2; direction++) {
        struct naive_lstm *lstm = &pass->directions[layer][direction];
        struct naive_dense_layer weights = naive_find_layer(model, direction_prefixes[direction], layer);
        naive_lstm_make(lstm, steps, windows, inputs, sizes->enc_rnn_size[layer], direction == 1);
        lstm->bf16 = model->bf16;
        encoder_input(lstm->x, pass, sizes, batch, layer);
        naive_dropout(lstm->x, lstm->x, batch->encoder_masks[layer], sizes->keep_prob, steps * windows * inputs);
        naive_lstm_forward(lstm, weights.kernel->values, weights.bias->values);
    }
}

static void encode(struct pass *pass, struct naive_outputs *outputs, struct naive_model *model,
                   const struct naive_batch *batch)
{
    const struct naive_sizes *sizes = &model->sizes;
    size_t steps = sizes->bars * sizes->steps_per_bar, windows = sizes->batch, top = sizes->num_encoder_layers - 1;
    size_t hidden = sizes->enc_rnn_size[top];
    for (size_t layer = 0; layer <= top; layer++)
        encode_layer(pass, model, batch, layer);
    pass->encoded = naive_doubles(windows * 2 * hidden);
    for (size_t n = 0; n < 2 * windows; n++)
        memcpy(&pass->encoded[n * hidden], &pass->directions[top][n % 2].h[(steps * windows + n / 2) * hidden],
               hidden * sizeof(double));
    pass->z = naive_doubles(windows * sizes->z_size);
    naive_dense_layer_forward(outputs->mu, pass->encoded, naive_find_dense(model, "encoder", "mu"), windows);
    naive_dense_layer_forward(outputs->sigma, pass->encoded, naive_find_dense(model, "encoder", "sigma"), windows);
    for (size_t n = 0; n < windows * sizes->z_size; n++) {
        outputs->sigma[n] = naive_softplus(outputs->sigma[n]);
        pass->z[n] = outputs->mu[n] + outputs->sigma[n] * batch->eps[n];
    }
}

/* The rows of the core decoder's step s and row (bar, b) in arrays by time: t * B + b. */
static size_t row_in_time(const struct pass *pass, size_t windows, size_t step, size_t core_row)
{
    size_t bar = core_row / windows, window = core_row % windows;
    return (bar * pass->core_steps + step) * windows + window;
}

/* [x(t-1), controls(t), embedding], owned by the caller. */
static double *core_input(const struct pass *pass, const double *embeddings, const struct naive_sizes *sizes,
                          const struct naive_batch *batch)
{
    size_t windows = sizes->batch, rows = pass->rows_of_bars * windows, controls = sizes->control_depth;
    size_t embedding = embedding_size(sizes), inputs = naive_decoder_inputs(sizes, 0);
    double *input = naive_doubles(pass->core_steps * rows * inputs);
    for (size_t s = 0; s < pass->core_steps; s++) {
        for (size_t r = 0; r < rows; r++) {
            double *to = &input[(s * rows + r) * inputs];
            size_t now = row_in_time(pass, windows, s, r);
            for (size_t k = 0; k < NAIVE_DEPTH && now >= windows; k++)
                to[k] = batch->target[(now - windows) * NAIVE_DEPTH + k];
            for (size_t k = 0; k < controls; k++)
                to[NAIVE_DEPTH + k] = batch->controls[now * controls + k];
            for (size_t k = 0; k < embedding; k++)
                to[NAIVE_DEPTH + controls + k] = embeddings[r * embedding + k];
        }
    }
    return input;
}

static void decode(struct pass *pass, struct naive_outputs *outputs, struct naive_model *model,
                   const struct naive_batch *batch)
{
    const struct naive_sizes *sizes = &model->sizes;
    size_t windows = sizes->batch;
    pass->rows_of_bars = sizes->hierarchical ? sizes->bars : 1;
    pass->core_steps = sizes->bars * sizes->steps_per_bar / pass->rows_of_bars;
    const double *embeddings = pass->z;
    if (sizes->hierarchical) {
        naive_stack_forward(&pass->conductor, model, "conductor", NULL, 0, pass->z, batch->conductor_masks, sizes->bars,
                            windows);
        embeddings = naive_stack_top(&pass->conductor, sizes);
    }
    size_t rows = pass->rows_of_bars * windows;
    double *input = core_input(pass, embeddings, sizes, batch);
    naive_stack_forward(&pass->core, model, "decoder", input, naive_decoder_inputs(sizes, 0), embeddings,
                        batch->decoder_masks, pass->core_steps, rows);
    free(input);
    pass->core_logits = naive_doubles(pass->core_steps * rows * NAIVE_DEPTH);
    naive_dense_layer_forward(pass->core_logits, naive_stack_top(&pass->core, sizes),
                              naive_find_dense(model, "decoder", "output"), pass->core_steps * rows);
    for (size_t s = 0; s < pass->core_steps; s++)
        for (size_t r = 0; r < rows; r++)
            memcpy(&outputs->logits[row_in_time(pass, windows, s, r) * NAIVE_DEPTH],
                   &pass->core_logits[(s * rows + r) * NAIVE_DEPTH], NAIVE_DEPTH * sizeof(double));
}

static void sum_losses(struct naive_outputs *outputs, const struct naive_sizes *sizes, const struct naive_batch *batch)
{
    size_t steps = sizes->bars * sizes->steps_per_bar, windows = sizes->batch;
    outputs->loss = outputs->absolute = 0;
    for (size_t b = 0; b < windows; b++) {
        double sums[3] = {0};
        for (size_t t = 0; t < steps; t++) {
            size_t at = (t * windows + b) * NAIVE_DEPTH;
            naive_drum_loss(sums, &outputs->logits[at], &batch->target[at], NAIVE_CLASSES);
            outputs->absolute += sizes->velocity_l1 / (double)windows *
                                 naive_absolute_error(&outputs->logits[at], &batch->target[at], NAIVE_CLASSES);
        }
        outputs->hits_loss[b] = sums[0];
        outputs->velocities_loss[b] = sums[1];
        outputs->offsets_loss[b] = sums[2];
        outputs->kl[b] = naive_kl(&outputs->mu[b * sizes->z_size], &outputs->sigma[b * sizes->z_size], sizes->z_size);
        double cost = fmax(0, outputs->kl[b] - sizes->free_bits * log(2));
        outputs->loss += (sums[0] + sums[1] + sums[2] + sizes->beta * cost) / (double)windows;
    }
}

/* Returns the gradient of z [B, z_size], owned by the caller. */
static double *decode_backward(struct pass *pass, struct naive_model *model, const struct naive_batch *batch)
{
    const struct naive_sizes *sizes = &model->sizes;
    size_t windows = sizes->batch, rows = pass->rows_of_bars * windows, all_rows = pass->core_steps * rows;
    size_t embedding = embedding_size(sizes), inputs = naive_decoder_inputs(sizes, 0);
    pass->core_dlogits = naive_doubles(all_rows * NAIVE_DEPTH);
    for (size_t n = 0; n < all_rows; n++) {
        const double *target = &batch->target[row_in_time(pass, windows, n / rows, n % rows) * NAIVE_DEPTH];
        naive_drum_loss_backward(&pass->core_dlogits[n * NAIVE_DEPTH], &pass->core_logits[n * NAIVE_DEPTH], target,
                                 1 / (double)windows, NAIVE_CLASSES);
        naive_absolute_error_backward(&pass->core_dlogits[n * NAIVE_DEPTH], &pass->core_logits[n * NAIVE_DEPTH], target,
                                      sizes->velocity_l1 / (double)windows, NAIVE_CLASSES);
    }
    double *dtop = naive_doubles(all_rows * sizes->dec_rnn_size[sizes->num_layers - 1]);
    double *dembeddings = naive_doubles(rows * embedding);
    naive_dense_layer_backward(dtop, pass->core_dlogits, naive_stack_top(&pass->core, sizes),
                               naive_find_dense(model, "decoder", "output"), all_rows);
    double *dinput = naive_stack_backward(dembeddings, dtop, model, &pass->core);
    for (size_t n = 0; n < all_rows; n++)
        for (size_t k = 0; k < embedding; k++)
            dembeddings[n % rows * embedding + k] += dinput[(n + 1) * inputs - embedding + k];
    free(dtop);
    free(dinput);
    if (!sizes->hierarchical)
        return dembeddings;
    double *dz = naive_doubles(windows * sizes->z_size);
    free(naive_stack_backward(dz, dembeddings, model, &pass->conductor));
    free(dembeddings);
    return dz;
}

/* Through z = mu + sigma eps and the KL's cost into `dmu` (which holds dz already) and `dsigma_input`, sigma's before
 * its softplus. */
static void latent_backward(double *dmu, double *dsigma_input, const struct naive_outputs *outputs,
                            const struct naive_sizes *sizes, const struct naive_batch *batch)
{
    for (size_t b = 0; b < sizes->batch; b++) {
        bool costs = outputs->kl[b] > sizes->free_bits * log(2);
        double weight = costs ? sizes->beta / (double)sizes->batch : 0;
        for (size_t n = b * sizes->z_size; n < (b + 1) * sizes->z_size; n++) {
            double sigma = outputs->sigma[n];
            double dsigma = dmu[n] * batch->eps[n] + weight * (sigma - 1 / sigma);
            dsigma_input[n] = dsigma * -expm1(-sigma);
            dmu[n] += weight * outputs->mu[n];
        }
    }
}

/* Both directions of one layer, from dh[direction] [T, B, hidden] by step, which it frees and replaces by those of the
 * layer below (none for the lowest). */
static void encode_layer_backward(double *dh[2], const struct pass *pass, struct naive_model *model,
                                  const struct naive_batch *batch, size_t layer)
{
    const struct naive_sizes *sizes = &model->sizes;
    size_t steps = sizes->bars * sizes->steps_per_bar, windows = sizes->batch;
    size_t inputs = naive_encoder_inputs(sizes, layer), count = steps * windows * inputs;
    double *dx = naive_doubles(count);
    for (size_t direction = 0; direction < 2; direction++) {
        const struct naive_lstm *lstm = &pass->directions[layer][direction];
        struct naive_dense_layer weights = naive_find_layer(model, direction_prefixes[direction], layer);
        naive_lstm_backward(dx, weights.kernel->gradient, weights.bias->gradient, NULL, NULL, dh[direction], lstm,
                            weights.kernel->values);
        free(dh[direction]);
        dh[direction] = NULL;
    }
    naive_dropout(dx, dx, batch->encoder_masks[layer], sizes->keep_prob, count);
    for (size_t direction = 0; direction < 2 && layer > 0; direction++) {
        size_t hidden = inputs / 2;
        dh[direction] = naive_doubles(steps * windows * hidden);
        for (size_t row = 0; row < steps * windows; row++) {
            size_t t = row / windows, step = direction == 1 ? steps - 1 - t : t;
            memcpy(&dh[direction][(step * windows + row % windows) * hidden], &dx[row * inputs + direction * hidden],
                   hidden * sizeof *dx);
        }
    }
    free(dx);
}

static void encode_backward(double *dz, struct pass *pass, const struct naive_outputs *outputs,
                            struct naive_model *model, const struct naive_batch *batch)
{
    const struct naive_sizes *sizes = &model->sizes;
    size_t steps = sizes->bars * sizes->steps_per_bar, windows = sizes->batch, top = sizes->num_encoder_layers - 1;
    size_t hidden = sizes->enc_rnn_size[top];
    double *dsigma_input = naive_doubles(windows * sizes->z_size), *dencoded = naive_doubles(windows * 2 * hidden);
    latent_backward(dz, dsigma_input, outputs, sizes, batch);
    naive_dense_layer_backward(dencoded, dz, pass->encoded, naive_find_dense(model, "encoder", "mu"), windows);
    naive_dense_layer_backward(dencoded, dsigma_input, pass->encoded, naive_find_dense(model, "encoder", "sigma"),
                               windows);
    double *dh[2] = {naive_doubles(steps * windows * hidden), naive_doubles(steps * windows * hidden)};
    for (size_t n = 0; n < 2 * windows; n++)
        memcpy(&dh[n % 2][((steps - 1) * windows + n / 2) * hidden], &dencoded[n * hidden], hidden * sizeof(double));
    for (size_t layer = top + 1; layer-- > 0;)
        encode_layer_backward(dh, pass, model, batch, layer);
    free(dsigma_input);
    free(dencoded);
}

static void pass_forward(struct pass *pass, struct naive_outputs *outputs, struct naive_model *model,
                         const struct naive_batch *batch)
{
    memset(pass, 0, sizeof *pass);
    encode(pass, outputs, model, batch);
    decode(pass, outputs, model, batch);
    sum_losses(outputs, &model->sizes, batch);
}

static void pass_free(struct pass *pass)
{
    for (size_t layer = 0; layer < NAIVE_MAX_LAYERS; layer++) {
        naive_lstm_free(&pass->directions[layer][0]);
        naive_lstm_free(&pass->directions[layer][1]);
    }
    free(pass->encoded);
    free(pass->z);
    naive_stack_free(&pass->conductor);
    naive_stack_free(&pass->core);
    free(pass->core_logits);
    free(pass->core_dlogits);
}

double naive_model_loss(struct naive_outputs *outputs, struct naive_model *model, const struct naive_batch *batch)
{
    struct pass pass;
    pass_forward(&pass, outputs, model, batch);
    pass_free(&pass);
    return outputs->loss + outputs->absolute;
}

double naive_model_gradients(struct naive_outputs *outputs, struct naive_model *model, const struct naive_batch *batch)
{
    struct pass pass;
    for (size_t n = 0; n < model->num_tensors; n++)
        memset(model->tensors[n].gradient, 0, naive_tensor_count(&model->tensors[n]) * sizeof(double));
    pass_forward(&pass, outputs, model, batch);
    double *dz = decode_backward(&pass, model, batch);
    encode_backward(dz, &pass, outputs, model, batch);
    free(dz);
    pass_free(&pass);
    return outputs->loss + outputs->absolute;
}
