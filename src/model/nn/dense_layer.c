#include "model/nn/dense_layer.h"

void dense_layer_bind(struct dense_layer *layer, const struct tensor_table *table, const char *name)
{
    const struct tensor *kernel = tensors_find(table, "%s/kernel", name);
    layer->kernel = kernel->offset;
    layer->bias = tensors_find(table, "%s/bias", name)->offset;
    layer->inputs = kernel->rows;
    layer->outputs = kernel->columns;
}

/* The operand with its rounded numbers, for which there is room in `scratch`. */
static struct operand rounded_operand(const struct pass *pass, uint16_t *scratch, struct operand x, size_t count)
{
    if (!x.rounded) {
        operand_round(pass, scratch, x.values, 0, count);
        x.rounded = scratch;
    }
    return x;
}

void dense_layer_forward(const struct dense_layer *layer, const struct pass *pass, float *out, struct operand x,
                         int rows)
{
    const float *kernel = pass->values + layer->kernel, *bias = pass->values + layer->bias;
    if (!pass->bf16) {
        dense(out, x.values, kernel, bias, rows, layer->inputs, layer->outputs);
        return;
    }
    x = rounded_operand(pass, pass->bf16->dense_x, x, (size_t)rows * (size_t)layer->inputs);
    gemm(pass, out, x, layer->kernel, rows, layer->outputs, layer->inputs, OP_REPLACE);
    add_bias(out, bias, rows, layer->outputs);
}

void dense_layer_backward(const struct dense_layer *layer, const struct pass *pass, float *d_x, const float *d_out,
                          struct operand x, int rows, enum op_write write_x)
{
    float *d_kernel = pass->gradients + layer->kernel, *d_bias = pass->gradients + layer->bias;
    if (!pass->bf16) {
        dense_backward(d_kernel, d_bias, d_x, d_out, x.values, pass->values + layer->kernel, rows, layer->inputs,
                       layer->outputs, pass->write, write_x);
        return;
    }
    struct operand d = {d_out, NULL};
    d = rounded_operand(pass, pass->bf16->dense_d_out, d, (size_t)rows * (size_t)layer->outputs);
    x = rounded_operand(pass, pass->bf16->dense_x, x, (size_t)rows * (size_t)layer->inputs);
    gemm_gradient(pass, layer->kernel, x, d, layer->inputs, layer->outputs, rows);
    sum_rows(d_bias, d_out, rows, layer->outputs, pass->write);
    gemm_transposed(pass, d_x, d, layer->kernel, rows, layer->inputs, layer->outputs, write_x);
}
