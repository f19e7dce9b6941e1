#include "exchange/magenta_names.h"

#include "model/vae/model_shape.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Magenta's name of what is NAME here, but for /kernel and /bias. In `core` is what stands before the core decoder's names. */
static void put_layer_name(char name[MAGENTA_NAME_SIZE], const char *ours, const char *core)
{
    static const struct {
        const char *ours, *magentas;
    } rows[] = {
        {"encoder/mu",              "encoder/mu"                                },
        {"encoder/sigma",           "encoder/sigma"                             },
        {"conductor/initial_state", "decoder/hierarchical_level_0/initial_state"},
    };
    static const struct {
        const char *ours, *before, *after;
    } layers[] = {
        {"encoder/forward/layer_",  "encoder/cell_",                      "/bidirectional_rnn/fw/multi_rnn_cell/cell_0/lstm_cell"},
        {"encoder/backward/layer_", "encoder/cell_",                      "/bidirectional_rnn/bw/multi_rnn_cell/cell_0/lstm_cell"},
        {"conductor/layer_",        "decoder/hierarchical_level_0/cell_", "/lstm_cell"                                           },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(ours, rows[i].ours) == 0) {
            snprintf(name, MAGENTA_NAME_SIZE, "%s", rows[i].magentas);
            return;
        }
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        size_t length = strlen(layers[i].ours);
        if (strncmp(ours, layers[i].ours, length) == 0) {
            snprintf(name, MAGENTA_NAME_SIZE, "%s%s%s", layers[i].before, ours + length, layers[i].after);
            return;
        }
    }
    static const char decoder_layer[] = "decoder/layer_";
    if (strncmp(ours, decoder_layer, sizeof decoder_layer - 1) == 0)
        snprintf(name, MAGENTA_NAME_SIZE, "%sdecoder/multi_rnn_cell/cell_%s/lstm_cell", core,
                 ours + sizeof decoder_layer - 1);
    else
        snprintf(name, MAGENTA_NAME_SIZE, "%sdecoder/%s", core,
                 strcmp(ours, "decoder/output") == 0 ? "output_projection" : "z_to_initial_state");
}

static void put_name(char name[MAGENTA_NAME_SIZE], const char *ours, const char *core)
{
    char layer[TENSOR_NAME_SIZE];
    const char *kind = strrchr(ours, '/'); /* /kernel or /bias */
    assert(kind);
    snprintf(layer, sizeof layer, "%.*s", (int)(kind - ours), ours);
    put_layer_name(name, layer, core);
    size_t length = strlen(name);
    snprintf(name + length, MAGENTA_NAME_SIZE - length, "%s", kind);
}

static void add_block(struct magenta_variable *variable, enum magenta_rows kind, int count, int first)
{
    if (count == 0)
        return;
    assert(variable->num_blocks < MAGENTA_MAX_BLOCKS);
    variable->blocks[variable->num_blocks++] = (struct magenta_block){kind, count, first};
    variable->rows += count;
}

/* The blocks of a kernel or bias of `rows` rows here. */
static void add_blocks(struct magenta_variable *variable, const char *ours, int rows, const struct model_shape *shape)
{
    int depth = shape->depth, controls = shape->num_controls, embedding = shape->embedding_size;
    if (strcmp(ours, "decoder/layer_0/kernel") == 0) {
        int inputs = depth + controls + embedding;
        add_block(variable, MAGENTA_ROWS_OURS, depth, 0);
        add_block(variable, MAGENTA_ROWS_OURS, embedding, depth + controls);
        add_block(variable, MAGENTA_ROWS_OURS, controls, depth);
        add_block(variable, MAGENTA_ROWS_OURS, rows - inputs, inputs);
    } else if (strcmp(ours, "conductor/layer_0/kernel") == 0) {
        add_block(variable, MAGENTA_ROWS_UNUSED, 1, 0);
        add_block(variable, MAGENTA_ROWS_OURS, rows, 0);
    } else if (strcmp(ours, "encoder/forward/layer_0/kernel") == 0 ||
               strcmp(ours, "encoder/backward/layer_0/kernel") == 0) {
        int inputs = model_shape_encoder_inputs(shape);
        add_block(variable, MAGENTA_ROWS_OURS, inputs, 0);
        add_block(variable, MAGENTA_ROWS_ZERO, controls - shape->encoder_controls, 0);
        add_block(variable, MAGENTA_ROWS_OURS, rows - inputs, inputs);
    } else {
        add_block(variable, MAGENTA_ROWS_OURS, rows, 0);
    }
}

void magenta_names_make(struct magenta_names *names, const struct hparams *hparams, const struct tensor_table *table)
{
    struct model_shape shape = model_shape_of(hparams);
    names->count = table->num_rows;
    for (int i = 0; i < table->num_rows; i++) {
        const struct tensor *tensor = &table->rows[i];
        struct magenta_variable *variable = &names->variables[i];
        *variable = (struct magenta_variable){.tensor = i, .num_dims = tensor->num_dims, .columns = tensor->columns};
        put_name(variable->name, tensor->name, shape.hierarchical ? "core_decoder/" : "");
        add_blocks(variable, tensor->name, tensor->rows, &shape);
    }
}

const struct magenta_variable *magenta_names_find(const struct magenta_names *names, const char *name)
{
    for (int i = 0; i < names->count; i++)
        if (strcmp(names->variables[i].name, name) == 0)
            return &names->variables[i];
    return NULL;
}

size_t magenta_variable_count(const struct magenta_variable *variable)
{
    return (size_t)variable->rows * (size_t)variable->columns;
}

void magenta_variable_write(float *out, const struct magenta_variable *variable, const struct tensor_table *table,
                            const float *values)
{
    const float *tensor = values + table->rows[variable->tensor].offset;
    size_t columns = (size_t)variable->columns;
    for (int i = 0; i < variable->num_blocks; i++) {
        const struct magenta_block *block = &variable->blocks[i];
        size_t count = (size_t)block->count * columns;
        if (block->kind == MAGENTA_ROWS_OURS)
            memcpy(out, tensor + (size_t)block->first * columns, count * sizeof *out);
        else
            memset(out, 0, count * sizeof *out);
        out += count;
    }
}

bool magenta_variable_read(float *values, const struct magenta_variable *variable, const struct tensor_table *table,
                           const float *in, struct error *error)
{
    float *tensor = values + table->rows[variable->tensor].offset;
    size_t columns = (size_t)variable->columns;
    for (int i = 0; i < variable->num_blocks; i++) {
        const struct magenta_block *block = &variable->blocks[i];
        size_t count = (size_t)block->count * columns;
        if (block->kind == MAGENTA_ROWS_OURS)
            memcpy(tensor + (size_t)block->first * columns, in, count * sizeof *in);
        for (size_t j = 0; block->kind == MAGENTA_ROWS_ZERO && j < count; j++)
            if (!(in[j] == 0.0f))
                return error_set(error,
                                 "%s: has weights of controls, which an encoder of a model with input_as_controls does "
                                 "not have",
                                 variable->name);
        in += count;
    }
    return true;
}
