#include "model/inference/inference_decoder.h"

#include "base/arena.h"
#include "base/random.h"
#include "model/kernels/kernels.h"
#include "model/nn/arrays.h"
#include "model/vae/output_head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* out = x kernel (+ bias) */
struct affine {
    int inputs, outputs;
    float *panels; /* the kernel, packed */
    float *bias;   /* [outputs]; NULL: none */
};

/* A layer of LSTM cells. Its GEMM has [fed, h] side by side in one row: the input of each step, and the h of the step
 * before. An input that stays the same through all steps is multiplied once, and is no part of it. */
struct cell {
    int fed, units;
    float *panels; /* [fed + units, 4 * units], packed */
    float *bias;   /* [4 * units] */
};

/* Cells one above the other that start from a vector: the core decoder and the conductor. */
struct stack {
    int num_cells;
    struct cell cells[SETTING_LIST_MAX];
    struct affine initial;  /* source to [c h] of every cell, before tanh */
    struct affine constant; /* the constant input to the lowest cell's gates; inputs is 0 where there is none */
};

struct inference_decoder {
    struct model_shape shape;
    const struct kernels *kernels;
    struct output_heads heads;
    bool encodes;
    bool hits_are_given; /* as controls */
    struct stack core, conductor;
    struct affine output, mu;
    int num_encoder_cells;
    struct cell encoder[2][SETTING_LIST_MAX]; /* forward, backward */
    struct arena arena;
};

struct stack_state {
    float *fed;                    /* [B, fed of the lowest cell] */
    float *h[SETTING_LIST_MAX];    /* [B, units] */
    float *c[SETTING_LIST_MAX][2]; /* [B, units] */
    int now;                       /* which of the two c's holds the last step's */
};

struct inference_scratch {
    struct stack_state core, conductor;
    float *initial;  /* [B, state of the larger stack] */
    float *constant; /* [B, 4 * units of the lowest core cell] */
    float *gates;    /* [B, 4 * most units] */
    float *outputs;  /* [B, D] */
    float *raw;      /* [B, D]: the step before, where it is fed as raw_feedback has it */
    struct random_stream *streams, *noise_streams;
    float *noise;        /* [D] */
    float *sequences[2]; /* [T, widest input of an encoder cell]: what one layer of the encoder is fed and makes */
    float *encoder_h;    /* [most units]: where every direction starts */
    float *encoder_c[2]; /* [most units] */
    struct arena arena;
};

int inference_decoder_num_tensors(const struct tensor_table *table, bool encodes)
{
    static const char encoder[] = "encoder/";
    int count = 0;
    while (count < table->num_rows && (encodes || strncmp(table->rows[count].name, encoder, strlen(encoder)) != 0))
        count++;
    return count;
}

/* Memory is laid out and weights are packed by one walk over all cells and affines, which is made twice: first to measure
 * (`values` is NULL), then to fill. */
struct maker {
    struct inference_decoder *decoder;
    const struct tensor_table *table;
    const float *values;
    struct arena *arena;
    float *gathered; /* room for the rows of the kernel that has a constant part; filling only */
};

static float *take_bias(struct maker *maker, const char *name, int count)
{
    float *bias = arena_floats(maker->arena, (size_t)count);
    if (maker->values)
        memcpy(bias, maker->values + tensors_find(maker->table, "%s/bias", name)->offset, (size_t)count * sizeof *bias);
    return bias;
}

static float *take_panels(struct maker *maker, const float *kernel, int inputs, int outputs)
{
    float *panels = arena_floats(maker->arena, kernels_packed_floats(inputs, outputs));
    if (maker->values)
        maker->decoder->kernels->gemm_pack(panels, kernel, inputs, outputs, (size_t)outputs, 1);
    return panels;
}

/* Row `first` of a kernel; NULL while measuring. */
static const float *kernel_row(const struct maker *maker, const char *name, int first)
{
    const struct tensor *kernel = tensors_find(maker->table, "%s/kernel", name);
    return maker->values ? maker->values + kernel->offset + (size_t)first * (size_t)kernel->columns : NULL;
}

static void make_affine(struct maker *maker, struct affine *affine, const char *name)
{
    const struct tensor *kernel = tensors_find(maker->table, "%s/kernel", name);
    affine->inputs = kernel->rows;
    affine->outputs = kernel->columns;
    affine->panels = take_panels(maker, kernel_row(maker, name, 0), affine->inputs, affine->outputs);
    affine->bias = take_bias(maker, name, affine->outputs);
}

/* A cell whose kernel's rows are those of what is fed, of `constant` inputs that stay the same, and of h. */
static void make_cell(struct maker *maker, struct cell *cell, const char *name, int fed, int constant)
{
    const struct tensor *kernel = tensors_find(maker->table, "%s/kernel", name);
    size_t row_size = (size_t)kernel->columns;
    cell->fed = fed;
    cell->units = kernel->columns / 4;
    const float *rows = kernel_row(maker, name, 0);
    if (rows && constant > 0) {
        memcpy(maker->gathered, rows, (size_t)fed * row_size * sizeof *rows);
        memcpy(maker->gathered + (size_t)fed * row_size, rows + (size_t)(fed + constant) * row_size,
               (size_t)cell->units * row_size * sizeof *rows);
        rows = maker->gathered;
    }
    cell->panels = take_panels(maker, rows, fed + cell->units, kernel->columns);
    cell->bias = take_bias(maker, name, kernel->columns);
}

static void make_stack(struct maker *maker, struct stack *stack, const char *stack_name, int num_cells, int fed,
                       int constant)
{
    char name[TENSOR_NAME_SIZE];
    stack->num_cells = num_cells;
    for (int i = 0; i < num_cells; i++) {
        snprintf(name, sizeof name, "%s/layer_%d", stack_name, i);
        make_cell(maker, &stack->cells[i], name, i > 0 ? stack->cells[i - 1].units : fed, i > 0 ? 0 : constant);
    }
    if (constant > 0) {
        snprintf(name, sizeof name, "%s/layer_0", stack_name);
        stack->constant = (struct affine){.inputs = constant, .outputs = 4 * stack->cells[0].units};
        stack->constant.panels = take_panels(maker, kernel_row(maker, name, fed), constant, stack->constant.outputs);
    }
    snprintf(name, sizeof name, "%s/initial_state", stack_name);
    make_affine(maker, &stack->initial, name);
}

static void make_encoder(struct maker *maker, int fed)
{
    static const char *const directions[] = {"forward", "backward"};
    struct inference_decoder *decoder = maker->decoder;
    for (int direction = 0; direction < 2; direction++) {
        struct cell *cells = decoder->encoder[direction];
        for (int i = 0; i < decoder->num_encoder_cells; i++) {
            char name[TENSOR_NAME_SIZE];
            snprintf(name, sizeof name, "encoder/%s/layer_%d", directions[direction], i);
            make_cell(maker, &cells[i], name, i > 0 ? 2 * cells[i - 1].units : fed, 0);
        }
    }
    make_affine(maker, &decoder->mu, "encoder/mu");
}

static void make_all(struct maker *maker, const struct hparams *hparams)
{
    struct inference_decoder *decoder = maker->decoder;
    const struct model_shape *shape = &decoder->shape;
    int fed = shape->depth + shape->num_controls, num_cells = hparams->dec_rnn_size.count;
    make_affine(maker, &decoder->output, "decoder/output");
    make_stack(maker, &decoder->core, "decoder", num_cells, fed, shape->embedding_size);
    if (shape->hierarchical)
        make_stack(maker, &decoder->conductor, "conductor", num_cells, 0, 0);
    if (decoder->encodes)
        make_encoder(maker, model_shape_encoder_inputs(shape));
}

static void describe(struct inference_decoder *decoder, const struct hparams *hparams, bool encodes)
{
    decoder->kernels = kernels_best();
    output_heads_bind(&decoder->heads, hparams);
    decoder->encodes = encodes;
    decoder->hits_are_given = hparams->hits_as_controls;
    decoder->num_encoder_cells = hparams->enc_rnn_size.count;
    decoder->shape = model_shape_of(hparams);
}

struct inference_decoder *inference_decoder_make(const struct hparams *hparams, const struct tensor_table *table,
                                                 const float *values, bool encodes, struct error *error)
{
    struct inference_decoder *decoder = calloc(1, sizeof *decoder);
    struct maker maker = {.decoder = decoder, .table = table};
    bool ok = false;
    if (!decoder) {
        error_set_no_memory(error, "out of memory");
        return NULL;
    }
    describe(decoder, hparams, encodes);
    maker.arena = &decoder->arena;
    make_all(&maker, hparams);
    const struct cell *lowest = &decoder->core.cells[0];
    maker.gathered = malloc((size_t)(lowest->fed + lowest->units) * 4 * (size_t)lowest->units * sizeof(float));
    if (!maker.gathered) {
        error_set_no_memory(error, "no memory for the model's weights");
        goto done;
    }
    if (!arena_reserve(&decoder->arena, error)) {
        error_prefix(error, "the model's packed weights");
        goto done;
    }
    maker.values = values;
    make_all(&maker, hparams);
    ok = true;
done:
    free(maker.gathered);
    if (ok)
        return decoder;
    free(decoder);
    return NULL;
}

void inference_decoder_free(struct inference_decoder *decoder)
{
    if (!decoder)
        return;
    arena_free(&decoder->arena);
    free(decoder);
}

const struct model_shape *inference_decoder_shape(const struct inference_decoder *decoder)
{
    return &decoder->shape;
}

static void lay_out_stack(struct stack_state *state, struct arena *arena, const struct stack *stack, size_t batch)
{
    state->fed = arena_floats(arena, batch * (size_t)stack->cells[0].fed);
    for (int i = 0; i < stack->num_cells; i++) {
        size_t count = batch * (size_t)stack->cells[i].units;
        state->h[i] = arena_floats(arena, count);
        for (int side = 0; side < 2; side++)
            state->c[i][side] = arena_floats(arena, count);
    }
}

static size_t most_units(const struct stack *stack)
{
    size_t most = 0;
    for (int i = 0; i < stack->num_cells; i++)
        most = larger_size(most, (size_t)stack->cells[i].units);
    return most;
}

/* Returns the units of the widest cell. */
static size_t lay_out_encoder(struct inference_scratch *scratch, struct arena *arena,
                              const struct inference_decoder *decoder)
{
    size_t units = 0, fed = 0;
    for (int i = 0; i < decoder->num_encoder_cells; i++) {
        units = larger_size(units, (size_t)decoder->encoder[0][i].units);
        fed = larger_size(fed, (size_t)decoder->encoder[0][i].fed);
    }
    fed = larger_size(fed, 2 * units);
    for (int side = 0; side < 2; side++) {
        scratch->sequences[side] = arena_floats(arena, (size_t)decoder->shape.steps * fed);
        scratch->encoder_c[side] = arena_floats(arena, units);
    }
    scratch->encoder_h = arena_floats(arena, units);
    return units;
}

static void lay_out_scratch(struct inference_scratch *scratch, struct arena *arena,
                            const struct inference_decoder *decoder, size_t batch)
{
    const struct stack *core = &decoder->core, *conductor = &decoder->conductor;
    size_t units = larger_size(most_units(core), most_units(conductor));
    lay_out_stack(&scratch->core, arena, core, batch);
    lay_out_stack(&scratch->conductor, arena, conductor, batch);
    if (decoder->encodes)
        units = larger_size(units, lay_out_encoder(scratch, arena, decoder));
    size_t initial = larger_size((size_t)core->initial.outputs, (size_t)conductor->initial.outputs);
    scratch->initial = arena_floats(arena, batch * initial);
    scratch->constant = arena_floats(arena, batch * (size_t)core->constant.outputs);
    scratch->gates = arena_floats(arena, batch * 4 * units);
    scratch->outputs = arena_floats(arena, batch * (size_t)decoder->shape.depth);
    scratch->raw = arena_floats(arena, batch * (size_t)decoder->shape.depth);
    scratch->streams = (struct random_stream *)arena_bytes(arena, batch * sizeof *scratch->streams);
    scratch->noise_streams = (struct random_stream *)arena_bytes(arena, batch * sizeof *scratch->streams);
    scratch->noise = arena_floats(arena, (size_t)decoder->shape.depth);
}

struct inference_scratch *inference_scratch_make(const struct inference_decoder *decoder, int max_batch,
                                                 struct error *error)
{
    struct inference_scratch *scratch = calloc(1, sizeof *scratch);
    if (!scratch) {
        error_set_no_memory(error, "out of memory");
        return NULL;
    }
    lay_out_scratch(scratch, &scratch->arena, decoder, (size_t)max_batch);
    if (!arena_reserve(&scratch->arena, error)) {
        error_prefix(error, "buffers to decode %d windows at a time", max_batch);
        free(scratch);
        return NULL;
    }
    lay_out_scratch(scratch, &scratch->arena, decoder, (size_t)max_batch);
    return scratch;
}

void inference_scratch_free(struct inference_scratch *scratch)
{
    if (!scratch)
        return;
    arena_free(&scratch->arena);
    free(scratch);
}

/* out [batch, outputs] of x [batch, inputs] */
static void apply(float *out, const float *x, const struct affine *affine, const struct kernels *kernels, int batch)
{
    struct kernels_rows rows = {.first = x, .first_size = affine->inputs, .first_stride = affine->inputs};
    kernels->gemm_packed(out, (size_t)affine->outputs, rows, affine->panels, affine->inputs, batch, affine->outputs,
                         false);
    for (int b = 0; b < batch && affine->bias; b++)
        for (int j = 0; j < affine->outputs; j++)
            out[(size_t)b * (size_t)affine->outputs + (size_t)j] += affine->bias[j];
}

/* One step of a cell: h and c [batch, units] from what is fed [batch, cell->fed], h_before and c_before. h may be h_before.
 * gates [batch, 4 * units]: in, where `add`, what the GEMM is added to. */
static void run_cell(float *h, float *c, const float *h_before, const float *c_before, const float *fed, float *gates,
                     bool add, const struct cell *cell, const struct kernels *kernels, int batch)
{
    size_t gates_size = 4 * (size_t)cell->units;
    struct kernels_rows rows = {fed, h_before, cell->fed, cell->units, cell->fed};
    kernels->gemm_packed(gates, gates_size, rows, cell->panels, cell->fed + cell->units, batch, 4 * cell->units, add);
    kernels->lstm_forward(gates, gates_size, c, h, c_before, cell->bias, batch, cell->units);
}

/* The initial state from source [batch, S]: tanh(dense(source)), split [c h] cell by cell. */
static void begin(struct stack_state *state, const float *source, const struct stack *stack,
                  const struct inference_decoder *decoder, struct inference_scratch *scratch, int batch)
{
    size_t width = (size_t)stack->initial.outputs;
    apply(scratch->initial, source, &stack->initial, decoder->kernels, batch);
    state->now = 0;
    for (size_t b = 0; b < (size_t)batch; b++) {
        float *from = scratch->initial + b * width;
        decoder->kernels->tanh(from, from, width); /* row by row: where a row lies must not decide how it is rounded */
        for (int i = 0; i < stack->num_cells; i++) {
            size_t units = (size_t)stack->cells[i].units;
            memcpy(state->c[i][0] + b * units, from, units * sizeof *from);
            memcpy(state->h[i] + b * units, from + units, units * sizeof *from);
            from += 2 * units;
        }
    }
}

/* One step of all cells; returns the top one's h. What is fed to the lowest is in place; `constant` [batch, 4 * units] is
 * what its gates start from, NULL for nothing. */
static const float *step(struct stack_state *state, const float *constant, const struct stack *stack,
                         const struct inference_decoder *decoder, struct inference_scratch *scratch, int batch)
{
    int before = state->now, after = 1 - before;
    const float *fed = state->fed;
    if (constant)
        memcpy(scratch->gates, constant, (size_t)batch * 4 * (size_t)stack->cells[0].units * sizeof *constant);
    for (int i = 0; i < stack->num_cells; i++) {
        run_cell(state->h[i], state->c[i][after], state->h[i], state->c[i][before], fed, scratch->gates,
                 i == 0 && constant, &stack->cells[i], decoder->kernels, batch);
        fed = state->h[i];
    }
    state->now = after;
    return fed;
}

/* What the core is fed at step t: the step before it in music, or as it is in raw, and the controls. */
static void feed(float *fed, const float *music, const float *raw, int t, const struct model_shape *shape,
                 const struct inference_request *request)
{
    size_t depth = (size_t)shape->depth, num_controls = (size_t)shape->num_controls, steps = (size_t)shape->steps;
    for (size_t b = 0; b < (size_t)request->batch; b++) {
        float *row = fed + b * (depth + num_controls);
        if (t > 0 && request->taught)
            memcpy(row, request->taught + b * request->taught_stride + ((size_t)t - 1) * depth, depth * sizeof *row);
        else if (t > 0 && request->raw_feedback)
            memcpy(row, raw + b * depth, depth * sizeof *row);
        else if (t > 0)
            memcpy(row, music + (b * steps + (size_t)t - 1) * depth, depth * sizeof *row);
        else if (request->before)
            memcpy(row, request->before + b * depth, depth * sizeof *row);
        else
            memset(row, 0, depth * sizeof *row);
        if (num_controls > 0)
            memcpy(row + depth, request->controls + b * request->controls_stride + (size_t)t * num_controls,
                   num_controls * sizeof *row);
    }
}

/* `room` [D] */
static void add_noise(float *music, const struct inference_decoder *decoder, float *room,
                      const struct feel_noise *noise, struct random_stream *stream)
{
    const struct output_heads *heads = &decoder->heads;
    size_t depth = (size_t)decoder->shape.depth;
    random_fill_normal(room, depth, stream);
    for (size_t i = 0; i < depth; i++)
        room[i] *= noise->sd[i];
    output_heads_add_noise(heads, music, room);
    for (int i = 0; noise->bins > 0 && i < heads->representation->num_heads; i++)
        if (heads->rows[i].head == &sigmoid_head && heads->rows[i].gate >= 0 && heads->rows[i].width == noise->classes)
            feel_noise_draw_velocities(music + heads->rows[i].first, music + heads->rows[i].gate, noise, stream);
}

/* Step t of window b, from its outputs. */
static void draw_step(float *music, int t, size_t b, const struct inference_decoder *decoder,
                      struct inference_scratch *scratch, const struct inference_request *request)
{
    size_t depth = (size_t)decoder->shape.depth;
    const float *outputs = scratch->outputs + b * depth;
    if (request->kept)
        output_heads_keep(&decoder->heads, music, outputs,
                          request->kept + b * request->kept_stride + (size_t)t * depth);
    else
        output_heads_sample(&decoder->heads, music, outputs, request->temperature, &scratch->streams[b]);
    if (!decoder->hits_are_given && !request->raw_feedback)
        output_heads_condition(&decoder->heads, music, outputs, !request->kept);
    if (request->noise && request->noise->values)
        add_noise(music, decoder, scratch->noise, request->noise, &scratch->noise_streams[b]);
    if (request->raw_feedback)
        output_heads_ungate(&decoder->heads, scratch->raw + b * depth, music, outputs);
}

static void decode_step(float *music, int t, const struct inference_decoder *decoder, struct inference_scratch *scratch,
                        const struct inference_request *request)
{
    size_t depth = (size_t)decoder->shape.depth, steps = (size_t)decoder->shape.steps;
    feed(scratch->core.fed, music, scratch->raw, t, &decoder->shape, request);
    const float *h = step(&scratch->core, scratch->constant, &decoder->core, decoder, scratch, request->batch);
    apply(scratch->outputs, h, &decoder->output, decoder->kernels, request->batch);
    for (size_t b = 0; b < (size_t)request->batch; b++)
        draw_step(music + (b * steps + (size_t)t) * depth, t, b, decoder, scratch, request);
}

void inference_decode(float *music, const float *z, const struct inference_decoder *decoder,
                      struct inference_scratch *scratch, const struct inference_request *request)
{
    int batch = request->batch;
    const float *embedding = z;
    for (int b = 0; b < batch; b++) {
        uint32_t output = request->same_numbers ? 0 : request->first_output + (uint32_t)b;
        random_stream_start(&scratch->streams[b], request->seed, RANDOM_SAMPLED_OUTPUT, request->window, output);
        random_stream_start(&scratch->noise_streams[b], request->seed, RANDOM_FEEL_NOISE, request->window, output);
    }
    if (decoder->shape.hierarchical)
        begin(&scratch->conductor, z, &decoder->conductor, decoder, scratch, batch);
    for (int g = 0; g < decoder->shape.segments; g++) {
        if (decoder->shape.hierarchical)
            embedding = step(&scratch->conductor, NULL, &decoder->conductor, decoder, scratch, batch);
        begin(&scratch->core, embedding, &decoder->core, decoder, scratch, batch);
        apply(scratch->constant, embedding, &decoder->core.constant, decoder->kernels, batch);
        for (int s = 0; s < decoder->shape.segment_steps; s++)
            decode_step(music, g * decoder->shape.segment_steps + s, decoder, scratch, request);
    }
}

/* One direction of one layer of the encoder over fed [T, cell->fed]: its h into columns [first, first + units) of
 * made [T, width]. Starts from zeros. */
static void encode_direction(float *made, int width, int first, const float *fed, const struct cell *cell, bool reverse,
                             const struct inference_decoder *decoder, struct inference_scratch *scratch)
{
    float *c = scratch->encoder_c[0], *c_next = scratch->encoder_c[1];
    const float *h = scratch->encoder_h;
    memset(scratch->encoder_h, 0, (size_t)cell->units * sizeof(float));
    memset(c, 0, (size_t)cell->units * sizeof(float));
    for (int s = 0; s < decoder->shape.steps; s++) {
        int t = reverse ? decoder->shape.steps - 1 - s : s;
        float *h_next = made + (size_t)t * (size_t)width + first;
        run_cell(h_next, c_next, h, c, fed + (size_t)t * (size_t)cell->fed, scratch->gates, false, cell,
                 decoder->kernels, 1);
        h = h_next;
        float *other = c;
        c = c_next;
        c_next = other;
    }
}

void inference_encode(float *mu, const float *input, const float *controls, const struct inference_decoder *decoder,
                      struct inference_scratch *scratch)
{
    const struct model_shape *shape = &decoder->shape;
    int fed = model_shape_encoder_inputs(shape), units = 0;
    float *from = scratch->sequences[0], *to = scratch->sequences[1];
    size_t steps = (size_t)shape->steps, depth = (size_t)shape->depth, num_controls = (size_t)shape->encoder_controls;
    copy_columns(from, (size_t)fed, input, depth, steps, depth);
    if (num_controls > 0)
        copy_columns(from + depth, (size_t)fed, controls, num_controls, steps, num_controls);
    for (int i = 0; i < decoder->num_encoder_cells; i++) {
        units = decoder->encoder[0][i].units;
        for (int direction = 0; direction < 2; direction++)
            encode_direction(to, 2 * units, direction * units, from, &decoder->encoder[direction][i], direction == 1,
                             decoder, scratch);
        float *other = from;
        from = to;
        to = other;
    }
    /* each direction's h after its last step: forward's in the last row, backward's in the first */
    memcpy(to, from + (size_t)(shape->steps - 1) * 2 * (size_t)units, (size_t)units * sizeof *to);
    memcpy(to + units, from + units, (size_t)units * sizeof *to);
    apply(mu, to, &decoder->mu, decoder->kernels, 1);
}
