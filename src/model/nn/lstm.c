#include "model/nn/lstm.h"

#include <string.h>

enum { BLAS_GRADIENT_DEPTH = 2048 }; /* examples that OpenBLAS sums a gradient over at a time */

void lstm_bind(struct lstm_layer *layer, const struct tensor_table *table, const char *name, int input_size, int units)
{
    layer->input_size = input_size;
    layer->units = units;
    layer->kernel = tensors_find(table, "%s/kernel", name)->offset;
    layer->bias = tensors_find(table, "%s/bias", name)->offset;
}

static bool uses_packed_gemm(const struct pass *pass)
{
    return pass->packed && !pass->bf16;
}

/* Floats between rows of gates that the kernels work on: an odd number of cache lines, so that the rows which they read and
 * write together don't meet in one set of a cache, as rows of a power of two do. */
static size_t padded_stride(const struct lstm_layer *layer)
{
    enum { LINE = ARENA_ALIGNMENT / sizeof(float) };
    size_t lines = (4 * (size_t)layer->units + LINE - 1) / LINE;
    return (lines | 1) * LINE;
}

static size_t gates_stride(const struct lstm_layer *layer, const struct pass *pass)
{
    return uses_packed_gemm(pass) ? padded_stride(layer) : 4 * (size_t)layer->units;
}

void lstm_lay_out(struct lstm_layer *layer, struct arena *arena, int steps, int rows, bool own_input)
{
    size_t all = (size_t)steps * (size_t)rows, units = (size_t)layer->units;
    size_t slots = ((size_t)steps + 1) * (size_t)rows;
    if (own_input && layer->input_size > 0) {
        layer->input = arena_floats(arena, all * (size_t)layer->input_size);
        layer->mask = arena_bytes(arena, all * (size_t)layer->input_size);
    }
    layer->packed = arena_floats(arena, kernels_packed_floats(layer->input_size + layer->units, 4 * layer->units));
    layer->gates = arena_floats(arena, all * padded_stride(layer));
    layer->c = arena_floats(arena, slots * units);
    layer->h = arena_floats(arena, slots * units);
}

void lstm_lay_out_bf16(struct lstm_layer *layer, struct arena *arena, int steps, int rows, bool own_input)
{
    size_t all = (size_t)steps * (size_t)rows, slots = ((size_t)steps + 1) * (size_t)rows;
    layer->rounds_input = own_input && layer->input_size > 0;
    if (layer->rounds_input)
        layer->input16 = arena_halves(arena, all * (size_t)layer->input_size);
    layer->h16 = arena_halves(arena, slots * (size_t)layer->units);
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

/* Its offset into the parameters. */
static size_t recurrent_kernel(const struct lstm_layer *layer)
{
    return layer->kernel + (size_t)layer->input_size * 4 * (size_t)layer->units;
}

void lstm_prepare(struct lstm_layer *layer, const struct pass *pass)
{
    int columns = 4 * layer->units;
    if (uses_packed_gemm(pass))
        pass->kernels->gemm_pack(layer->packed, pass->values + layer->kernel, layer->input_size + layer->units, columns,
                                 (size_t)columns, 1);
}

/* Some rows of one step, worked on together so that their GEMM's output is still in cache for the gates. */
struct step_rows {
    int t, first, count;
};

static int chunk_size(const struct pass *pass, int rows)
{
    if (!uses_packed_gemm(pass))
        return rows;
    int chunks = (rows + KERNELS_CHUNK_ROWS - 1) / KERNELS_CHUNK_ROWS;
    return (rows + chunks - 1) / chunks;
}

static struct step_rows rows_from(int t, int first, int rows, int chunk)
{
    return (struct step_rows){t, first, rows - first < chunk ? rows - first : chunk};
}

/* gates [count, 4H] = [x, h] W, without h where `from_zero` says that it is 0. x is not read where the layer is fed
 * nothing. */
static void gate_gemms(float *gates, struct operand x, struct operand h, const struct lstm_layer *layer,
                       const struct pass *pass, int count, bool from_zero)
{
    int units = layer->units, inputs = layer->input_size, columns = 4 * units;
    if (uses_packed_gemm(pass)) {
        struct kernels_rows a = {x.values, h.values, inputs, from_zero ? 0 : units, inputs};
        pass->kernels->gemm_packed(gates, gates_stride(layer, pass), a, layer->packed, inputs + units, count, columns,
                                   false);
        return;
    }
    if (inputs > 0)
        gemm(pass, gates, x, layer->kernel, count, columns, inputs, OP_REPLACE);
    else if (from_zero)
        memset(gates, 0, (size_t)count * (size_t)columns * sizeof *gates);
    if (!from_zero)
        gemm(pass, gates, h, recurrent_kernel(layer), count, columns, units, inputs > 0 ? OP_ADD : OP_REPLACE);
}

static void forward_rows(struct lstm_layer *layer, const struct pass *pass, struct step_rows some, int rows,
                         bool from_zero)
{
    size_t units = (size_t)layer->units, all = (size_t)rows, first = (size_t)some.first;
    size_t now = (size_t)some.t * all + first, inputs = (size_t)layer->input_size;
    size_t before = (slot_before(layer, some.t) * all + first) * units;
    size_t after = (slot_after(layer, some.t) * all + first) * units;
    float *gates = layer->gates + now * gates_stride(layer, pass);
    struct operand x = {NULL, NULL};
    if (inputs > 0)
        x = operand_at(layer->input, layer->input16, now * inputs);
    if (layer->rounds_input)
        operand_round(pass, layer->input16, layer->input, now * inputs, (size_t)some.count * inputs);
    gate_gemms(gates, x, operand_at(layer->h, layer->h16, before), layer, pass, some.count, from_zero);
    pass->kernels->lstm_forward(gates, gates_stride(layer, pass), layer->c + after, layer->h + after, layer->c + before,
                                pass->values + layer->bias, some.count, layer->units);
    operand_round(pass, layer->h16, layer->h, after, (size_t)some.count * units);
}

static void forward_step(struct lstm_layer *layer, const struct pass *pass, int t, int rows, bool from_zero)
{
    int chunk = chunk_size(pass, rows);
    for (int first = 0; first < rows; first += chunk)
        forward_rows(layer, pass, rows_from(t, first, rows, chunk), rows, from_zero);
}

/* The h of each step is rounded as it is made. */
static void round_initial_h(struct lstm_layer *layer, const struct pass *pass, int steps, int rows)
{
    size_t first = layer->reverse ? (size_t)steps * slot_size(layer, rows) : 0;
    operand_round(pass, layer->h16, layer->h, first, slot_size(layer, rows));
}

void lstm_forward(struct lstm_layer *layer, const struct pass *pass, int steps, int rows)
{
    if (layer->zero_start) {
        size_t bytes = slot_size(layer, rows) * sizeof(float);
        memset(lstm_initial_c(layer, steps, rows), 0, bytes);
        memset(lstm_initial_h(layer, steps, rows), 0, bytes);
    }
    round_initial_h(layer, pass, steps, rows);
    lstm_prepare(layer, pass);
    for (int s = 0; s < steps; s++)
        forward_step(layer, pass, layer->reverse ? steps - 1 - s : s, rows, s == 0 && layer->zero_start);
}

void lstm_forward_step(struct lstm_layer *layer, const struct pass *pass, int t, int rows)
{
    if (t == 0)
        round_initial_h(layer, pass, 0, rows);
    forward_step(layer, pass, t, rows, false);
}

/* Rows [first, end) of the kernel's gradient by OpenBLAS: out = or += some's columns [first, end) transposed, times
 * d_gates. */
static void blas_gradient(float *out, struct kernels_rows some, int first, int end, const float *d_gates, int count,
                          int columns, enum op_write write)
{
    int inputs = some.first_size, units = some.second_size;
    int inputs_end = end < inputs ? end : inputs, first_unit = first > inputs ? first - inputs : 0;
    if (first < inputs_end)
        matmul_transposed_a(out + (size_t)first * (size_t)columns, some.first + first, inputs, d_gates,
                            inputs_end - first, columns, count, write);
    if (inputs + first_unit < end)
        matmul_transposed_a(out + (size_t)(inputs + first_unit) * (size_t)columns, some.second + first_unit, units,
                            d_gates, end - inputs - first_unit, columns, count, write);
}

/* Rows [first, end) of the kernel's gradient, and unless d_bias is NULL that of the bias, some examples at a time, so that
 * sums over ranks that are under way can move on in between. */
static void gradient_rows(const struct lstm_layer *layer, const struct pass *pass, struct kernels_rows a, float *d_bias,
                          int first, int end, int examples, float *scratch)
{
    int columns = 4 * layer->units, depth = uses_packed_gemm(pass) ? KERNELS_GRADIENT_DEPTH : BLAS_GRADIENT_DEPTH;
    size_t stride = gates_stride(layer, pass);
    float *d_kernel = pass->gradients + layer->kernel;
    for (int from = 0; from < examples; from += depth) {
        int count = examples - from < depth ? examples - from : depth;
        const float *d_gates = layer->gates + (size_t)from * stride;
        struct kernels_rows some = a;
        enum op_write write = from > 0 ? OP_ADD : pass->write;
        if (a.first_size > 0)
            some.first += (size_t)from * (size_t)a.first_size;
        some.second += (size_t)from * (size_t)a.second_size;
        if (uses_packed_gemm(pass)) {
            pass->kernels->gemm_gradient(d_kernel, d_bias, some, first, end, d_gates, stride, count, columns,
                                         write == OP_ADD, scratch);
        } else {
            blas_gradient(d_kernel, some, first, end, d_gates, count, columns, write);
            if (d_bias)
                sum_rows(d_bias, d_gates, count, columns, write);
        }
        pass_progress(pass);
    }
}

/* As parameter_gradients, of floats. The last layer's gradients have no computation after them that could hide their sum
 * over ranks, so most of them are reported while the rest is computed. */
static void gradients_in_parts(const struct lstm_layer *layer, const struct pass *pass, struct kernels_rows a,
                               int examples, float *scratch)
{
    int rows = layer->input_size + layer->units;
    int first_part = layer->is_last && pass->listener ? rows * 2 / 3 : rows;
    gradient_rows(layer, pass, a, pass->gradients + layer->bias, 0, first_part, examples, scratch);
    if (first_part == rows)
        return;
    pass_ready(pass, layer->kernel + (size_t)first_part * 4 * (size_t)layer->units);
    gradient_rows(layer, pass, a, NULL, first_part, rows, examples, scratch);
}

/* Gradients of kernel and bias from those of all gates. */
static void parameter_gradients(struct lstm_layer *layer, const struct pass *pass, const struct lstm_scratch *scratch,
                                int steps, int rows)
{
    int units = layer->units, columns = 4 * units, all = steps * rows;
    struct operand x = {layer->input, layer->input16}, d_gates = {layer->gates, layer->gradient16};
    struct operand h_before = operand_at(layer->h, layer->h16, layer->reverse ? slot_size(layer, rows) : 0);
    if (!pass->bf16) {
        struct kernels_rows a = {x.values, h_before.values, layer->input_size, units, layer->input_size};
        gradients_in_parts(layer, pass, a, all, scratch->gradient);
        return;
    }
    float *d_bias = pass->gradients + layer->bias;
    if (layer->input_size > 0)
        gemm_gradient(pass, layer->kernel, x, d_gates, layer->input_size, columns, all);
    gemm_gradient(pass, recurrent_kernel(layer), h_before, d_gates, units, columns, all);
    sum_rows(d_bias, layer->gates, all, columns, pass->write);
}

/* scratch->packed: rows [first, first + count) of the kernel, transposed. */
static void prepare_back(struct lstm_scratch *scratch, const struct lstm_layer *layer, const struct pass *pass,
                         int first, int count)
{
    size_t columns = 4 * (size_t)layer->units;
    if (uses_packed_gemm(pass))
        pass->kernels->gemm_pack(scratch->packed, pass->values + layer->kernel + (size_t)first * columns, (int)columns,
                                 count, 1, columns);
}

/* out [rows, count] (= or +=) d_gates [rows, 4H] times the rows of the kernel that prepare_back packed. */
static void gemm_back(float *out, struct operand d_gates, const struct lstm_scratch *scratch,
                      const struct lstm_layer *layer, const struct pass *pass, int first, int count, int rows,
                      enum op_write write)
{
    int columns = 4 * layer->units;
    if (uses_packed_gemm(pass)) {
        struct kernels_rows a = {d_gates.values, NULL, columns, 0, (int)gates_stride(layer, pass)};
        pass->kernels->gemm_packed(out, (size_t)count, a, scratch->packed, columns, rows, count, write == OP_ADD);
    } else {
        size_t kernel = layer->kernel + (size_t)first * (size_t)columns;
        gemm_transposed(pass, out, d_gates, kernel, rows, count, columns, write);
    }
}

static void backward_rows(struct lstm_layer *layer, const struct pass *pass, struct lstm_scratch *scratch,
                          const float *dh_above, struct step_rows some, int rows, bool from_zero)
{
    size_t units = (size_t)layer->units, all = (size_t)rows, first = (size_t)some.first;
    size_t now = (size_t)some.t * all + first;
    size_t before = (slot_before(layer, some.t) * all + first) * units;
    size_t after = (slot_after(layer, some.t) * all + first) * units;
    size_t stride = gates_stride(layer, pass);
    float *dh = scratch->dh + first * units;
    pass->kernels->lstm_backward(layer->gates + now * stride, stride, scratch->dc + first * units, layer->c + after,
                                 layer->c + before, dh, dh_above ? dh_above + now * units : NULL, some.count,
                                 layer->units);
    operand_round(pass, layer->gradient16, layer->gates, now * stride, (size_t)some.count * 4 * units);
    if (!from_zero)
        gemm_back(dh, operand_at(layer->gates, layer->gradient16, now * stride), scratch, layer, pass,
                  layer->input_size, layer->units, some.count, OP_REPLACE);
}

void lstm_backward(struct lstm_layer *layer, const struct pass *pass, struct lstm_scratch *scratch,
                   const float *dh_above, const float *dh_final, int steps, int rows)
{
    size_t size = slot_size(layer, rows);
    int chunk = chunk_size(pass, rows);
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
    int all = steps * rows, some = uses_packed_gemm(pass) ? 4 * KERNELS_CHUNK_ROWS : all;
    prepare_back(scratch, layer, pass, first, count);
    for (int from = 0; from < all; from += some) {
        struct operand d_gates = operand_at(layer->gates, layer->gradient16, (size_t)from * gates_stride(layer, pass));
        gemm_back(d_input + (size_t)from * (size_t)count, d_gates, scratch, layer, pass, first, count,
                  all - from < some ? all - from : some, write);
        pass_progress(pass);
    }
}
