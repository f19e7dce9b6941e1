#include "model/optimizer.h"

#include "model/kernels/kernels.h"
#include "model/ops.h"

#include <math.h>

static const double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;

static void lay_out(struct optimizer *optimizer)
{
    optimizer->m = arena_floats(&optimizer->arena, optimizer->num_floats);
    optimizer->v = arena_floats(&optimizer->arena, optimizer->num_floats);
}

bool optimizer_make(struct optimizer *optimizer, const struct param_table *table, struct error *error)
{
    *optimizer = (struct optimizer){.num_floats = table->num_floats, .arena = arena_measure()};
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

double optimizer_step(struct optimizer *optimizer, float *values, const float *gradients, const struct hparams *hparams,
                      double learning_rate)
{
    double norm = global_norm(gradients, optimizer->num_floats);
    if (!(norm <= hparams->grad_norm_clip_to_zero)) {
        optimizer->skipped++;
        return norm;
    }
    optimizer->updates++;
    double scale = norm > hparams->grad_clip ? hparams->grad_clip / norm : 1;
    double correction1 = 1 - pow(beta1, (double)optimizer->updates);
    double correction2 = sqrt(1 - pow(beta2, (double)optimizer->updates));
    kernels_best()->adam(values, optimizer->m, optimizer->v, gradients, (float)scale,
                         (float)(learning_rate * correction2 / correction1), (float)(epsilon * correction2),
                         optimizer->num_floats);
    return norm;
}
