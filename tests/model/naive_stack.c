#include "tests/model/naive_stack.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct naive_dense_layer naive_find_dense(struct naive_model *model, const char *prefix, const char *name)
{
    char kernel[2 * NAIVE_NAME_SIZE], bias[2 * NAIVE_NAME_SIZE];
    snprintf(kernel, sizeof kernel, "%s/%s/kernel", prefix, name);
    snprintf(bias, sizeof bias, "%s/%s/bias", prefix, name);
    return (struct naive_dense_layer){naive_model_tensor(model, kernel), naive_model_tensor(model, bias), model->bf16};
}

struct naive_dense_layer naive_find_layer(struct naive_model *model, const char *prefix, size_t layer)
{
    char name[NAIVE_NAME_SIZE];
    snprintf(name, sizeof name, "layer_%zu", layer);
    return naive_find_dense(model, prefix, name);
}

static double *factors(const double *values, size_t count, bool bf16)
{
    return bf16 ? naive_rounded_copy(values, count) : naive_copy(values, count);
}

void naive_dense_layer_forward(double *out, const double *x, struct naive_dense_layer dense, size_t rows)
{
    size_t inputs = dense.kernel->rows, outputs = dense.kernel->columns;
    double *left = factors(x, rows * inputs, dense.bf16);
    double *right = factors(dense.kernel->values, inputs * outputs, dense.bf16);
    naive_dense(out, left, right, dense.bias->values, rows, inputs, outputs);
    free(left);
    free(right);
}

/* The bias meets no product: its gradient is summed from what was not rounded. */
void naive_dense_layer_backward(double *dx, const double *dout, const double *x, struct naive_dense_layer dense,
                                size_t rows)
{
    size_t inputs = dense.kernel->rows, outputs = dense.kernel->columns;
    double *d = factors(dout, rows * outputs, dense.bf16), *left = factors(x, rows * inputs, dense.bf16);
    double *right = factors(dense.kernel->values, inputs * outputs, dense.bf16);
    double *of_rounded = naive_doubles(outputs);
    naive_dense_backward(dx, dense.kernel->gradient, of_rounded, d, left, right, rows, inputs, outputs);
    for (size_t n = 0; n < rows * outputs; n++)
        dense.bias->gradient[n % outputs] += dout[n];
    free(d);
    free(left);
    free(right);
    free(of_rounded);
}

void naive_stack_free(struct naive_stack *stack)
{
    free(stack->latent);
    free(stack->states);
    for (size_t layer = 0; layer < NAIVE_MAX_LAYERS; layer++)
        naive_lstm_free(&stack->lstms[layer]);
}

const double *naive_stack_top(const struct naive_stack *stack, const struct naive_sizes *sizes)
{
    const struct naive_lstm *top = &stack->lstms[sizes->num_layers - 1];
    return &top->h[top->batch * top->hidden];
}

/* Dropout of the input of one layer of a decoder stack, and its own backward. The core's lowest layer keeps the columns of
 * x(t-1), and those of controls and embedding, with probabilities of their own. */
static void drop_inputs(double *out, const double *x, const uint8_t *mask, const struct naive_sizes *sizes,
                        size_t layer, size_t rows, size_t inputs)
{
    for (size_t row = 0; row < rows; row++)
        for (size_t k = 0; k < inputs; k++) {
            double own = k < NAIVE_DEPTH ? sizes->prev_keep_prob : sizes->context_keep_prob;
            double keep_prob = layer == 0 && own > 0 ? own : sizes->keep_prob;
            naive_dropout(out + row * inputs + k, x + row * inputs + k, mask ? mask + row * inputs + k : NULL,
                          keep_prob, 1);
        }
}

void naive_stack_forward(struct naive_stack *stack, struct naive_model *model, const char *prefix, const double *input,
                         size_t first_inputs, const double *latent, const uint8_t *const *masks, size_t steps,
                         size_t rows)
{
    const struct naive_sizes *sizes = &model->sizes;
    struct naive_dense_layer initial = naive_find_dense(model, prefix, "initial_state");
    size_t width = initial.kernel->columns, first = 0;
    *stack = (struct naive_stack){.prefix = prefix, .steps = steps, .rows = rows, .masks = masks};
    stack->latent = naive_copy(latent, rows * initial.kernel->rows);
    stack->states = naive_doubles(rows * width);
    naive_dense_layer_forward(stack->states, latent, initial, rows);
    for (size_t n = 0; n < rows * width; n++)
        stack->states[n] = tanh(stack->states[n]);
    for (size_t layer = 0; layer < sizes->num_layers; layer++) {
        struct naive_lstm *lstm = &stack->lstms[layer];
        size_t hidden = sizes->dec_rnn_size[layer], inputs = layer > 0 ? sizes->dec_rnn_size[layer - 1] : first_inputs;
        const double *below = layer > 0 ? &stack->lstms[layer - 1].h[rows * inputs] : input;
        naive_lstm_make(lstm, steps, rows, inputs, hidden, false);
        lstm->bf16 = model->bf16;
        drop_inputs(lstm->x, below, masks[layer], sizes, layer, steps * rows, inputs);
        for (size_t r = 0; r < rows; r++) {
            memcpy(&lstm->c[r * hidden], &stack->states[r * width + first], hidden * sizeof *lstm->c);
            memcpy(&lstm->h[r * hidden], &stack->states[r * width + first + hidden], hidden * sizeof *lstm->h);
        }
        first += 2 * hidden;
        struct naive_dense_layer weights = naive_find_layer(model, prefix, layer);
        naive_lstm_forward(lstm, weights.kernel->values, weights.bias->values);
    }
}

/* Puts one layer's gradients of c and h [rows, hidden] at column `first` of dstates [rows, width]. */
static void place_state_gradients(double *dstates, const double *dc, const double *dh, size_t rows, size_t width,
                                  size_t first, size_t hidden)
{
    for (size_t r = 0; r < rows; r++) {
        memcpy(&dstates[r * width + first], &dc[r * hidden], hidden * sizeof *dc);
        memcpy(&dstates[r * width + first + hidden], &dh[r * hidden], hidden * sizeof *dh);
    }
}

/* One layer of naive_stack_backward: from dh [steps, rows, hidden] to the gradient of what lies below, the caller's. */
static double *layer_backward(double *dc0, double *dh0, const double *dh, struct naive_model *model,
                              const struct naive_stack *stack, size_t layer)
{
    const struct naive_lstm *lstm = &stack->lstms[layer];
    struct naive_dense_layer weights = naive_find_layer(model, stack->prefix, layer);
    size_t count = stack->steps * stack->rows * lstm->inputs;
    double *dx = naive_doubles(count);
    naive_lstm_backward(dx, weights.kernel->gradient, weights.bias->gradient, dc0, dh0, dh, lstm,
                        weights.kernel->values);
    drop_inputs(dx, dx, stack->masks[layer], &model->sizes, layer, stack->steps * stack->rows, lstm->inputs);
    return dx;
}

double *naive_stack_backward(double *dlatent, const double *dtop, struct naive_model *model,
                             const struct naive_stack *stack)
{
    const struct naive_sizes *sizes = &model->sizes;
    struct naive_dense_layer initial = naive_find_dense(model, stack->prefix, "initial_state");
    size_t width = initial.kernel->columns, first = width, rows = stack->rows;
    double *dstates = naive_doubles(rows * width);
    double *dh = naive_copy(dtop, stack->steps * rows * sizes->dec_rnn_size[sizes->num_layers - 1]);
    for (size_t layer = sizes->num_layers; layer-- > 0;) {
        size_t hidden = sizes->dec_rnn_size[layer];
        double *dc0 = naive_doubles(rows * hidden), *dh0 = naive_doubles(rows * hidden);
        double *below = layer_backward(dc0, dh0, dh, model, stack, layer);
        first -= 2 * hidden;
        place_state_gradients(dstates, dc0, dh0, rows, width, first, hidden);
        free(dh);
        free(dc0);
        free(dh0);
        dh = below;
    }
    for (size_t n = 0; n < rows * width; n++)
        dstates[n] *= 1 - stack->states[n] * stack->states[n];
    naive_dense_layer_backward(dlatent, dstates, stack->latent, initial, rows);
    free(dstates);
    return dh;
}
