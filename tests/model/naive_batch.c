#include "tests/model/naive_batch.h"

#include "tests/model/naive_ops.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t *make_mask(struct naive_made_up *made_up, size_t count, double keep_prob, uint64_t *seed)
{
    uint8_t *mask = malloc(count);
    if (mask == NULL)
        abort();
    naive_fill_mask(mask, count, keep_prob, seed);
    made_up->masks[made_up->num_masks++] = mask;
    return mask;
}

static double *make_numbers(size_t count, double scale, uint64_t *seed)
{
    double *values = naive_doubles(count);
    naive_fill(values, count, scale, seed);
    return values;
}

void naive_make_up(struct naive_made_up *made_up, const struct naive_sizes *sizes, uint64_t *seed)
{
    size_t rows = sizes->bars * sizes->steps_per_bar * sizes->batch;
    double keep = sizes->keep_prob;
    memset(made_up, 0, sizeof *made_up);
    made_up->input = make_numbers(rows * NAIVE_DEPTH, 1, seed);
    made_up->target = make_numbers(rows * NAIVE_DEPTH, 1, seed);
    made_up->controls = make_numbers(rows * sizes->control_depth, 1, seed);
    made_up->eps = make_numbers(sizes->batch * sizes->z_size, 1.5, seed);
    struct naive_batch *batch = &made_up->batch;
    batch->input = made_up->input;
    batch->target = made_up->target;
    batch->controls = made_up->controls;
    batch->eps = made_up->eps;
    for (size_t layer = 0; layer < sizes->num_encoder_layers; layer++)
        batch->encoder_masks[layer] = make_mask(made_up, rows * naive_encoder_inputs(sizes, layer), keep, seed);
    for (size_t layer = 0; layer < sizes->num_layers; layer++) {
        batch->decoder_masks[layer] = make_mask(made_up, rows * naive_decoder_inputs(sizes, layer), keep, seed);
        if (!sizes->hierarchical || layer == 0)
            continue;
        size_t count = sizes->bars * sizes->batch * naive_conductor_inputs(sizes, layer);
        batch->conductor_masks[layer] = make_mask(made_up, count, keep, seed);
    }
}

void naive_made_up_free(struct naive_made_up *made_up)
{
    free(made_up->input);
    free(made_up->target);
    free(made_up->controls);
    free(made_up->eps);
    for (size_t n = 0; n < made_up->num_masks; n++)
        free(made_up->masks[n]);
}

void naive_make_up_weights(struct naive_model *model, double scale, uint64_t *seed)
{
    for (size_t n = 0; n < model->num_tensors; n++)
        naive_fill(model->tensors[n].values, naive_tensor_count(&model->tensors[n]), scale, seed);
}

double naive_difference(double *value, struct naive_outputs *outputs, struct naive_model *model,
                        const struct naive_batch *batch)
{
    const double step = 1e-4, before = *value;
    const double at[4] = {2, 1, -1, -2};
    double losses[4];
    for (int n = 0; n < 4; n++) {
        *value = before + at[n] * step;
        losses[n] = naive_model_loss(outputs, model, batch);
    }
    *value = before;
    return (-losses[0] + 8 * losses[1] - 8 * losses[2] + losses[3]) / (12 * step);
}
