#include "model/optimizer/optimizer.h"

#include "model/kernels/kernels.h"
#include "model/nn/ops.h"

#include <math.h>

static const double beta1 = 0.9, beta2 = 0.999, adam_epsilon = 1e-8, lamb_epsilon = 1e-6;

static void lay_out(struct optimizer *optimizer)
{
    optimizer->m = arena_floats(&optimizer->arena, optimizer->table->num_floats);
    optimizer->v = arena_floats(&optimizer->arena, optimizer->table->num_floats);
}

bool optimizer_make(struct optimizer *optimizer, const struct tensor_table *table, struct error *error)
{
    *optimizer = (struct optimizer){.table = table, .arena = arena_measure()};
    lay_out(optimizer);
    if (!arena_reserve(&optimizer->arena, error))
        return error_prefix(error, "optimizer");
    lay_out(optimizer);
    return true;
}

void optimizer_free(struct optimizer *optimizer)
{
    arena_free(&optimizer->arena);
}

void optimizer_groups(struct tensor_group groups[OPTIMIZER_NUM_GROUPS], const struct optimizer *optimizer)
{
    groups[0] = (struct tensor_group){OPTIMIZER_FIRST_MOMENTS, optimizer->m};
    groups[1] = (struct tensor_group){OPTIMIZER_SECOND_MOMENTS, optimizer->v};
}

/* What one update has in common over all tensors. */
struct update {
    double learning_rate, scale;
    double correction1, correction2; /* 1 - b1^n, sqrt(1 - b2^n) */
};

static void adam(struct optimizer *optimizer, float *values, const float *gradients, const struct update *update,
                 double epsilon, size_t offset, size_t count)
{
    kernels_best()->adam(values + offset, optimizer->m + offset, optimizer->v + offset, gradients + offset,
                         (float)update->scale,
                         (float)(update->learning_rate * update->correction2 / update->correction1),
                         (float)(epsilon * update->correction2), count);
}

/* The decoupled decay of AdamW, before its step. */
static void shrink_kernels(float *values, const struct tensor_table *table, double factor)
{
    for (int i = 0; i < table->num_rows; i++) {
        const struct tensor *tensor = &table->rows[i];
        float *w = values + tensor->offset;
        for (size_t k = 0; tensor->num_dims > 1 && k < tensor->count; k++)
            w[k] *= (float)factor;
    }
}

static void lamb(struct optimizer *optimizer, float *values, const float *gradients, const struct update *update,
                 double weight_decay, const struct tensor *tensor)
{
    const struct kernels *kernels = kernels_best();
    float *w = values + tensor->offset, *m = optimizer->m + tensor->offset, *v = optimizer->v + tensor->offset;
    const struct lamb_step step = {
        .scale = (float)update->scale,
        .correction = (float)(update->correction2 / update->correction1),
        .epsilon = (float)(lamb_epsilon * update->correction2),
        .weight_decay = (float)weight_decay,
    };
    double squares[2];
    kernels->lamb_moments(squares, m, v, w, gradients + tensor->offset, &step, tensor->count);
    double ratio = squares[0] > 0 && squares[1] > 0 ? sqrt(squares[0] / squares[1]) : 1;
    kernels->lamb_move(w, m, v, &step, (float)(update->learning_rate * ratio), tensor->count);
}

double optimizer_step(struct optimizer *optimizer, float *values, const float *gradients, const struct hparams *hparams,
                      double learning_rate)
{
    const struct tensor_table *table = optimizer->table;
    double norm = global_norm(gradients, table->num_floats);
    if (!(norm <= hparams->grad_norm_clip_to_zero)) {
        optimizer->skipped++;
        return norm;
    }
    optimizer->updates++;
    const struct update update = {
        .learning_rate = learning_rate,
        .scale = norm > hparams->grad_clip ? hparams->grad_clip / norm : 1,
        .correction1 = 1 - pow(beta1, (double)optimizer->updates),
        .correction2 = sqrt(1 - pow(beta2, (double)optimizer->updates)),
    };
    if (hparams->optimizer != OPTIMIZER_LAMB) {
        if (hparams->weight_decay > 0)
            shrink_kernels(values, table, 1 - learning_rate * hparams->weight_decay);
        adam(optimizer, values, gradients, &update, adam_epsilon, 0, table->num_floats);
        return norm;
    }
    for (int i = 0; i < table->num_rows; i++) {
        const struct tensor *tensor = &table->rows[i];
        if (tensor->num_dims == 1)
            adam(optimizer, values, gradients, &update, lamb_epsilon, tensor->offset, tensor->count);
        else
            lamb(optimizer, values, gradients, &update, hparams->weight_decay, tensor);
    }
    return norm;
}
