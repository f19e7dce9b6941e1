#include "model/nn/lstm_stack.h"

#include "model/nn/arrays.h"

#include <stdio.h>
#include <string.h>

void stack_bind(struct lstm_stack *stack, const struct tensor_table *table, const char *name, int input_size,
                const struct int_list *sizes)
{
    stack->num_layers = sizes->count;
    stack->state_size = 0;
    for (int i = 0; i < sizes->count; i++) {
        char full[TENSOR_NAME_SIZE];
        int units = (int)sizes->values[i];
        snprintf(full, sizeof full, "%s/layer_%d", name, i);
        lstm_bind(&stack->layers[i], table, full, i > 0 ? stack->layers[i - 1].units : input_size, units);
        stack->state_size += 2 * units;
    }
    char initial[TENSOR_NAME_SIZE];
    snprintf(initial, sizeof initial, "%s/initial_state", name);
    dense_layer_bind(&stack->initial, table, initial);
}

void stack_lay_out(struct lstm_stack *stack, struct arena *arena, int steps, int rows)
{
    for (int i = 0; i < stack->num_layers; i++)
        lstm_lay_out(&stack->layers[i], arena, steps, rows, true);
    stack->initial_state = arena_floats(arena, (size_t)rows * (size_t)stack->state_size);
    stack->d_initial_state = arena_floats(arena, (size_t)rows * (size_t)stack->state_size);
}

void stack_lay_out_bf16(struct lstm_stack *stack, struct arena *arena, uint16_t *gradient16, int steps, int rows)
{
    for (int i = 0; i < stack->num_layers; i++) {
        lstm_lay_out_bf16(&stack->layers[i], arena, steps, rows, true);
        stack->layers[i].gradient16 = gradient16;
    }
}

int stack_top_units(const struct lstm_stack *stack)
{
    return stack->layers[stack->num_layers - 1].units;
}

struct operand stack_outputs(const struct lstm_stack *stack, size_t first, int rows)
{
    const struct lstm_layer *top = &stack->layers[stack->num_layers - 1];
    size_t initial_rows = (size_t)rows;
    return operand_at(top->h, top->h16, (initial_rows + first) * (size_t)top->units);
}

void stack_prepare(struct lstm_stack *stack, const struct pass *pass)
{
    for (int i = 0; i < stack->num_layers; i++)
        lstm_prepare(&stack->layers[i], pass);
}

void stack_start(struct lstm_stack *stack, const struct pass *pass, struct operand source, int steps, int rows)
{
    size_t width = (size_t)stack->state_size, count = (size_t)rows;
    float *state = stack->initial_state;
    dense_layer_forward(&stack->initial, pass, state, source, rows);
    pass->kernels->tanh(state, state, count * width);
    for (int i = 0; i < stack->num_layers; i++) {
        struct lstm_layer *layer = &stack->layers[i];
        size_t units = (size_t)layer->units;
        copy_columns(lstm_initial_c(layer, steps, rows), units, state, width, count, units);
        copy_columns(lstm_initial_h(layer, steps, rows), units, state + units, width, count, units);
        state += 2 * units;
    }
}

/* Steps [first, first + steps) of the input of layer i > 0: the layer below's h through dropout. */
static void feed_upper_layer(struct lstm_stack *stack, const struct pass *pass, int i, int first, int steps, int rows)
{
    struct lstm_layer *layer = &stack->layers[i];
    size_t row_size = (size_t)rows * (size_t)layer->input_size;
    size_t start = (size_t)first * row_size, count = (size_t)steps * row_size;
    const float *below = lstm_outputs(&stack->layers[i - 1], rows) + start;
    if (pass->dropout)
        pass->kernels->dropout(layer->input + start, below, layer->mask + start, 1.0f / pass->keep_prob, count);
    else
        memcpy(layer->input + start, below, count * sizeof *below);
}

void stack_forward(struct lstm_stack *stack, const struct pass *pass, int steps, int rows)
{
    for (int i = 0; i < stack->num_layers; i++) {
        if (i > 0)
            feed_upper_layer(stack, pass, i, 0, steps, rows);
        lstm_forward(&stack->layers[i], pass, steps, rows);
    }
}

void stack_forward_step(struct lstm_stack *stack, const struct pass *pass, int t, int rows)
{
    for (int i = 0; i < stack->num_layers; i++) {
        if (i > 0)
            feed_upper_layer(stack, pass, i, t, 1, rows);
        lstm_forward_step(&stack->layers[i], pass, t, rows);
    }
}

void stack_backward(struct lstm_stack *stack, const struct pass *pass, struct stack_scratch *scratch,
                    const float *d_top, int steps, int rows)
{
    size_t width = (size_t)stack->state_size;
    float *d_state = stack->d_initial_state + width;
    const float *dh_above = d_top;
    for (int i = stack->num_layers - 1; i >= 0; i--) {
        struct lstm_layer *layer = &stack->layers[i];
        lstm_backward(layer, pass, &scratch->lstm, dh_above, NULL, steps, rows);
        size_t units = (size_t)layer->units;
        d_state -= 2 * units;
        copy_columns(d_state, width, scratch->lstm.dc, units, (size_t)rows, units);
        copy_columns(d_state + units, width, scratch->lstm.dh, units, (size_t)rows, units);
        pass_ready(pass, layer->bias + 4 * (size_t)layer->units);
        if (i == 0)
            break;
        size_t count = (size_t)steps * (size_t)rows * (size_t)layer->input_size;
        lstm_input_gradient(scratch->d_layer, layer, pass, &scratch->lstm, 0, layer->input_size, steps, rows,
                            OP_REPLACE);
        if (pass->dropout)
            pass->kernels->dropout(scratch->d_layer, scratch->d_layer, layer->mask, 1.0f / pass->keep_prob, count);
        dh_above = scratch->d_layer;
    }
}

void stack_backward_start(struct lstm_stack *stack, const struct pass *pass, float *d_source, struct operand source,
                          int rows, enum op_write write_source)
{
    float *d_state = stack->d_initial_state;
    tanh_backward(d_state, d_state, stack->initial_state, (size_t)rows * (size_t)stack->state_size);
    dense_layer_backward(&stack->initial, pass, d_source, d_state, source, rows, write_source);
    pass_ready(pass, stack->initial.bias + (size_t)stack->state_size);
}
