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
    layer->panels = arena_floats(arena, kernels_panel_floats(layer->input_size + layer->units, 4 * layer->units));
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
        pass->kernels->panel_pack(layer->panels, pass->values + layer->kernel, layer->input_size + layer->units,
                                  columns, (size_t)columns, 1);
}

/* Some rows of one step, worked on together so that what their products leave is still near the processor for the gates. */
struct step_rows {
    int t, first, count;
};

static int chunk_size(int rows)
{
    int chunks = (rows + KERNELS_CHUNK_ROWS - 1) / KERNELS_CHUNK_ROWS;
    return (rows + chunks - 1) / chunks;
}

static struct step_rows rows_from(int t, int first, int rows, int chunk)
{
    return (struct step_rows){t, first, rows - first < chunk ? rows - first : chunk};
}

/* gates [count, 4H] = [x, h] W, without h where `from_zero` says that it is 0. x is NULL where there is none. */
static void gate_products(float *gates, const float *x, const float *h, const struct lstm_layer *layer,
                          const struct pass *pass, int count, bool from_zero)
{
    int units = layer->units, columns = 4 * units;
    if (!pass->threaded) {
        struct kernels_rows a = {x, h, layer->input_size, from_zero ? 0 : units};
        pass->kernels->panel_product(gates, a, layer->panels, layer->input_size + units, count, columns, false);
        return;
    }
    if (x)
        matmul(gates, x, pass->values + layer->kernel, count, columns, layer->input_size, OP_REPLACE);
    else if (from_zero)
        memset(gates, 0, (size_t)count * (size_t)columns * sizeof *gates);
    if (!from_zero)
        matmul(gates, h, recurrent_kernel(layer, pass), count, columns, units, x ? OP_ADD : OP_REPLACE);
}

static void forward_rows(struct lstm_layer *layer, const struct pass *pass, struct step_rows some, int rows,
                         bool from_zero)
{
    size_t units = (size_t)layer->units, all = (size_t)rows, first = (size_t)some.first;
    size_t now = (size_t)some.t * all + first, inputs = (size_t)layer->input_size;
    size_t before = (slot_before(layer, some.t) * all + first) * units;
    size_t after = (slot_after(layer, some.t) * all + first) * units;
    float *gates = layer->gates + now * 4 * units;
    gate_products(gates, inputs > 0 ? layer->input + now * inputs : NULL, layer->h + before, layer, pass, some.count,
                  from_zero);
    pass->kernels->lstm_forward(gates, layer->c + after, layer->h + after, layer->c + before,
                                pass->values + layer->bias, some.count, layer->units);
}

static void forward_step(struct lstm_layer *layer, const struct pass *pass, int t, int rows, bool from_zero)
{
    int chunk = pass->threaded ? rows : chunk_size(rows);
    for (int first = 0; first < rows; first += chunk)
        forward_rows(layer, pass, rows_from(t, first, rows, chunk), rows, from_zero);
}

void lstm_forward(struct lstm_layer *layer, const struct pass *pass, int steps, int rows)
{
    if (layer->zero_start) {
        size_t bytes = slot_size(layer, rows) * sizeof(float);
        memset(lstm_initial_c(layer, steps, rows), 0, bytes);
        memset(lstm_initial_h(layer, steps, rows), 0, bytes);
    }
    lstm_prepare(layer, pass);
    for (int s = 0; s < steps; s++)
        forward_step(layer, pass, layer->reverse ? steps - 1 - s : s, rows, s == 0 && layer->zero_start);
}

void lstm_forward_step(struct lstm_layer *layer, const struct pass *pass, int t, int rows)
{
    forward_step(layer, pass, t, rows, false);
}

/* As parameter_gradients, by the kernels. The last layer's gradients have no computation after them that could hide their sum
 * over ranks, so most of them are told of while the rest is computed. */
static void gradients_in_parts(const struct lstm_layer *layer, const struct pass *pass, struct kernels_rows a,
                               int examples, float *scratch)
{
    int rows = layer->input_size + layer->units, columns = 4 * layer->units;
    int first_part = layer->is_last && pass->listener ? rows * 3 / 4 : rows;
    float *d_kernel = pass->gradients + layer->kernel, *d_bias = pass->gradients + layer->bias;
    bool add = pass->write == OP_ADD;
    pass->kernels->gradient_product(d_kernel, d_bias, a, 0, first_part, layer->gates, examples, columns, add, scratch);
    if (first_part == rows)
        return;
    pass_ready(pass, layer->kernel + (size_t)first_part * (size_t)columns);
    pass->kernels->gradient_product(d_kernel, NULL, a, first_part, rows, layer->gates, examples, columns, add, scratch);
}

/* Gradients of kernel and bias from those of all gates. */
static void parameter_gradients(struct lstm_layer *layer, const struct pass *pass, const struct lstm_scratch *scratch,
                                int steps, int rows)
{
    int units = layer->units, columns = 4 * units, all = steps * rows;
    const float *x = layer->input_size > 0 ? layer->input : NULL;
    const float *h_before = layer->h + (layer->reverse ? slot_size(layer, rows) : 0);
    if (!pass->threaded) {
        struct kernels_rows a = {x, h_before, layer->input_size, units};
        gradients_in_parts(layer, pass, a, all, scratch->products);
        return;
    }
    float *d_kernel = pass->gradients + layer->kernel, *d_bias = pass->gradients + layer->bias;
    if (x)
        matmul_transposed_a(d_kernel, x, layer->gates, layer->input_size, columns, all, pass->write);
    float *d_recurrent = d_kernel + (size_t)layer->input_size * (size_t)columns;
    matmul_transposed_a(d_recurrent, h_before, layer->gates, units, columns, all, pass->write);
    sum_rows(d_bias, layer->gates, all, columns, pass->write);
}

/* scratch->panels: rows [first, first + count) of the kernel, transposed. */
static void prepare_back(struct lstm_scratch *scratch, const struct lstm_layer *layer, const struct pass *pass,
                         int first, int count)
{
    size_t columns = 4 * (size_t)layer->units;
    if (!pass->threaded)
        pass->kernels->panel_pack(scratch->panels, pass->values + layer->kernel + (size_t)first * columns, (int)columns,
                                  count, 1, columns);
}

/* out [rows, count] (= or +=) d_gates [rows, 4H] times what prepare_back was told of. */
static void product_back(float *out, const float *d_gates, const struct lstm_scratch *scratch,
                         const struct lstm_layer *layer, const struct pass *pass, int first, int count, int rows,
                         enum op_write write)
{
    int columns = 4 * layer->units;
    if (pass->threaded) {
        const float *kernel = pass->values + layer->kernel + (size_t)first * (size_t)columns;
        matmul_transposed_b(out, d_gates, kernel, rows, count, columns, write);
    } else {
        struct kernels_rows a = {.first = d_gates, .first_size = columns};
        pass->kernels->panel_product(out, a, scratch->panels, columns, rows, count, write == OP_ADD);
    }
}

static void backward_rows(struct lstm_layer *layer, const struct pass *pass, struct lstm_scratch *scratch,
                          const float *dh_above, struct step_rows some, int rows, bool from_zero)
{
    size_t units = (size_t)layer->units, all = (size_t)rows, first = (size_t)some.first;
    size_t now = (size_t)some.t * all + first;
    size_t before = (slot_before(layer, some.t) * all + first) * units;
    size_t after = (slot_after(layer, some.t) * all + first) * units;
    float *gates = layer->gates + now * 4 * units, *dh = scratch->dh + first * units;
    pass->kernels->lstm_backward(gates, scratch->dc + first * units, layer->c + after, layer->c + before, dh,
                                 dh_above ? dh_above + now * units : NULL, some.count, layer->units);
    if (!from_zero)
        product_back(dh, gates, scratch, layer, pass, layer->input_size, layer->units, some.count, OP_REPLACE);
}

void lstm_backward(struct lstm_layer *layer, const struct pass *pass, struct lstm_scratch *scratch,
                   const float *dh_above, const float *dh_final, int steps, int rows)
{
    size_t size = slot_size(layer, rows);
    int chunk = pass->threaded ? rows : chunk_size(rows);
    prepare_back(scratch, layer, pass, layer->input_size, layer->units);
    memset(scratch->dc, 0, size * sizeof(float));
    if (dh_final)
        memcpy(scratch->dh, dh_final, size * sizeof(float));
    else
        memset(scratch->dh, 0, size * sizeof(float));
    for (int s = steps - 1; s >= 0; s--) {
        int t = layer->reverse ? steps - 1 - s : s;
        for (int first = 0; first < rows; first += chunk)
            backward_rows(layer, pass, scratch, dh_above, rows_from(t, first, rows, chunk), rows,
                          s == 0 && layer->zero_start);
        pass_progress(pass);
    }
    parameter_gradients(layer, pass, scratch, steps, rows);
}

void lstm_input_gradient(float *d_input, const struct lstm_layer *layer, const struct pass *pass,
                         struct lstm_scratch *scratch, int first, int count, int steps, int rows, enum op_write write)
{
    prepare_back(scratch, layer, pass, first, count);
    product_back(d_input, layer->gates, scratch, layer, pass, first, count, steps * rows, write);
}
