#include "model/lstm.h"

#include <string.h>

void pass_ready(const struct pass *pass, size_t end)
{
    if (pass->listener && pass->listener->ready)
        pass->listener->ready(pass->listener->context, end);
}

void pass_progress(const struct pass *pass)
{
    if (pass->listener && pass->listener->progress)
        pass->listener->progress(pass->listener->context);
}

void pass_begin(const struct pass *pass, enum pass_phase phase)
{
    if (pass->phases)
        pass->phases->phase(pass->phases->context, phase);
}

void lstm_bind(struct lstm_layer *layer, const struct param_table *table, const char *name, int input_size, int units)
{
    layer->input_size = input_size;
    layer->units = units;
    layer->kernel = params_find(table, "%s/kernel", name)->offset;
    layer->bias = params_find(table, "%s/bias", name)->offset;
}

void lstm_lay_out(struct lstm_layer *layer, struct arena *arena, int steps, int rows, bool own_input)
{
    size_t all = (size_t)steps * (size_t)rows, units = (size_t)layer->units;
    size_t slots = ((size_t)steps + 1) * (size_t)rows;
    if (own_input && layer->input_size > 0) {
        layer->input = arena_floats(arena, all * (size_t)layer->input_size);
        layer->mask = arena_bytes(arena, all * (size_t)layer->input_size);
    }
    layer->panels = arena_floats(arena, kernels_panel_floats(layer->units, 4 * layer->units));
    layer->gates = arena_floats(arena, all * 4 * units);
    layer->c = arena_floats(arena, slots * units);
    layer->h = arena_floats(arena, slots * units);
}

/* Slot of the state that step t leaves, and of the one that it finds. */
static size_t slot_after(const struct lstm_layer *layer, int t)
{
    return (size_t)(layer->reverse ? t : t + 1);
}

static size_t slot_before(const struct lstm_layer *layer, int t)
{
    return (size_t)(layer->reverse ? t + 1 : t);
}

static size_t slot_size(const struct lstm_layer *layer, int rows)
{
    return (size_t)rows * (size_t)layer->units;
}

float *lstm_initial_c(const struct lstm_layer *layer, int steps, int rows)
{
    return layer->c + (layer->reverse ? (size_t)steps * slot_size(layer, rows) : 0);
}

float *lstm_initial_h(const struct lstm_layer *layer, int steps, int rows)
{
    return layer->h + (layer->reverse ? (size_t)steps * slot_size(layer, rows) : 0);
}

float *lstm_outputs(const struct lstm_layer *layer, int rows)
{
    return layer->h + (layer->reverse ? 0 : slot_size(layer, rows));
}

float *lstm_final_output(const struct lstm_layer *layer, int steps, int rows)
{
    return layer->h + (layer->reverse ? 0 : (size_t)steps * slot_size(layer, rows));
}

static const float *recurrent_kernel(const struct lstm_layer *layer, const struct pass *pass)
{
    return pass->values + layer->kernel + (size_t)layer->input_size * 4 * (size_t)layer->units;
}

void lstm_prepare(struct lstm_layer *layer, const struct pass *pass)
{
    int columns = 4 * layer->units;
    if (!pass->threaded)
        pass->kernels->panel_pack(layer->panels, recurrent_kernel(layer, pass), layer->units, columns, (size_t)columns,
                                  1);
}

/* gates [rows, 4H] (= or +=) h [rows, H] times the recurrent kernel. */
static void recurrent_product(float *gates, const float *h, const struct lstm_layer *layer, const struct pass *pass,
                              int rows, enum op_write write)
{
    int units = layer->units;
    if (pass->threaded)
        matmul(gates, h, recurrent_kernel(layer, pass), rows, 4 * units, units, write);
    else
        pass->kernels->panel_product(gates, h, layer->panels, rows, 4 * units, units, write == OP_ADD);
}

/* Step t, the input's products being in `gates` already (or nothing, where `write` is OP_REPLACE). */
static void recurrent_step(struct lstm_layer *layer, const struct pass *pass, int t, int rows, bool skip_product,
                           enum op_write write)
{
    size_t size = slot_size(layer, rows);
    float *gates = layer->gates + (size_t)t * 4 * size;
    size_t before = slot_before(layer, t) * size, after = slot_after(layer, t) * size;
    if (!skip_product)
        recurrent_product(gates, layer->h + before, layer, pass, rows, write);
    else if (write == OP_REPLACE)
        memset(gates, 0, 4 * size * sizeof *gates);
    pass->kernels->lstm_forward(gates, layer->c + after, layer->h + after, layer->c + before,
                                pass->values + layer->bias, rows, layer->units);
}

void lstm_forward(struct lstm_layer *layer, const struct pass *pass, int steps, int rows)
{
    enum op_write write = OP_REPLACE;
    if (layer->input_size > 0) {
        matmul(layer->gates, layer->input, pass->values + layer->kernel, steps * rows, 4 * layer->units,
               layer->input_size, OP_REPLACE);
        write = OP_ADD;
    }
    if (layer->zero_start) {
        size_t bytes = slot_size(layer, rows) * sizeof(float);
        memset(lstm_initial_c(layer, steps, rows), 0, bytes);
        memset(lstm_initial_h(layer, steps, rows), 0, bytes);
    }
    lstm_prepare(layer, pass);
    for (int s = 0; s < steps; s++)
        recurrent_step(layer, pass, layer->reverse ? steps - 1 - s : s, rows, s == 0 && layer->zero_start, write);
}

void lstm_forward_step(struct lstm_layer *layer, const struct pass *pass, int t, int rows)
{
    enum op_write write = OP_REPLACE;
    if (layer->input_size > 0) {
        size_t first_row = (size_t)t * (size_t)rows;
        matmul(layer->gates + first_row * 4 * (size_t)layer->units,
               layer->input + first_row * (size_t)layer->input_size, pass->values + layer->kernel, rows,
               4 * layer->units, layer->input_size, OP_REPLACE);
        write = OP_ADD;
    }
    recurrent_step(layer, pass, t, rows, false, write);
}

/* Gradients of kernel and bias from those of all gates, each with one product. A first step from the zero state adds
 * nothing to the recurrent half. */
static void parameter_gradients(struct lstm_layer *layer, const struct pass *pass, int steps, int rows)
{
    int units = layer->units, columns = 4 * units;
    float *d_kernel = pass->gradients + layer->kernel;
    if (layer->input_size > 0)
        matmul_transposed_a(d_kernel, layer->input, layer->gates, layer->input_size, columns, steps * rows,
                            pass->write);

    size_t size = slot_size(layer, rows);
    const float *h_before = layer->h + (layer->reverse ? size : 0), *d_gates = layer->gates;
    int used = steps;
    if (layer->zero_start) {
        used = steps - 1;
        if (!layer->reverse) {
            h_before += size;
            d_gates += 4 * size;
        }
    }
    float *d_recurrent = d_kernel + (size_t)layer->input_size * (size_t)columns;
    matmul_transposed_a(d_recurrent, h_before, d_gates, units, columns, used * rows, pass->write);
    sum_rows(pass->gradients + layer->bias, layer->gates, steps * rows, columns, pass->write);
}

static void prepare_back(struct lstm_scratch *scratch, const struct lstm_layer *layer, const struct pass *pass)
{
    int columns = 4 * layer->units;
    if (!pass->threaded)
        pass->kernels->panel_pack(scratch->panels, recurrent_kernel(layer, pass), columns, layer->units, 1,
                                  (size_t)columns);
}

/* scratch->dh [rows, H] = d_gates [rows, 4H] times the transposed recurrent kernel. */
static void recurrent_product_back(struct lstm_scratch *scratch, const float *d_gates, const struct lstm_layer *layer,
                                   const struct pass *pass, int rows)
{
    int units = layer->units;
    if (pass->threaded)
        matmul_transposed_b(scratch->dh, d_gates, recurrent_kernel(layer, pass), rows, units, 4 * units, OP_REPLACE);
    else
        pass->kernels->panel_product(scratch->dh, d_gates, scratch->panels, rows, units, 4 * units, false);
}

void lstm_backward(struct lstm_layer *layer, const struct pass *pass, struct lstm_scratch *scratch,
                   const float *dh_above, const float *dh_final, int steps, int rows)
{
    size_t size = slot_size(layer, rows);
    prepare_back(scratch, layer, pass);
    memset(scratch->dc, 0, size * sizeof(float));
    if (dh_final)
        memcpy(scratch->dh, dh_final, size * sizeof(float));
    else
        memset(scratch->dh, 0, size * sizeof(float));
    for (int s = steps - 1; s >= 0; s--) {
        int t = layer->reverse ? steps - 1 - s : s;
        float *gates = layer->gates + (size_t)t * 4 * size;
        pass->kernels->lstm_backward(gates, scratch->dc, layer->c + slot_after(layer, t) * size,
                                     layer->c + slot_before(layer, t) * size, scratch->dh,
                                     dh_above ? dh_above + (size_t)t * size : NULL, rows, layer->units);
        if (s > 0 || !layer->zero_start)
            recurrent_product_back(scratch, gates, layer, pass, rows);
        pass_progress(pass);
    }
    parameter_gradients(layer, pass, steps, rows);
}

void lstm_input_gradient(float *d_input, const struct lstm_layer *layer, const struct pass *pass, int first, int count,
                         int steps, int rows, enum op_write write)
{
    const float *kernel = pass->values + layer->kernel + (size_t)first * 4 * (size_t)layer->units;
    matmul_transposed_b(d_input, layer->gates, kernel, steps * rows, count, 4 * layer->units, write);
}
