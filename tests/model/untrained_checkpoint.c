#include "tests/model/untrained_checkpoint.h"
#include "base/clock.h"

#include "model/checkpoint.h"
#include "model/optimizer/optimizer.h"
#include "model/vae/model.h"

#include <stdio.h>
#include <string.h>

static void scale(struct model *model, const char *name, float factor)
{
    const struct tensor *tensor = tensors_find(&model->table, "%s", name);
    for (size_t i = 0; i < tensor->count; i++)
        model->values[tensor->offset + i] *= factor;
}

static void draw_weights(struct model *model, uint64_t seed)
{
    model_initialize(model, seed);
    scale(model, "encoder/mu/kernel", 2000);
    scale(model, model->decoder.hierarchical ? "conductor/initial_state/kernel" : "decoder/initial_state/kernel", 1000);
    scale(model, "decoder/output/kernel", 5);
}

bool untrained_checkpoint(const char *path, const char *config_name, const char *changes, uint64_t step,
                          struct error *error)
{
    struct checkpoint checkpoint = {.seed = 1, .step = step, .updates = step, .num_ranks = 1};
    struct optimizer optimizer = {0};
    const struct config *config = config_find(config_name, NULL);
    if (!config)
        return error_set(error, "%s: no such config", config_name);
    if (!hparams_make(&checkpoint.hparams, config, changes, error))
        return false;
    struct model *model = model_make(&checkpoint.hparams, 1, error);
    if (!model)
        return false;
    bool ok = optimizer_make(&optimizer, &model->table, error);
    if (ok) {
        snprintf(checkpoint.config, sizeof checkpoint.config, "%s", config->name);
        memset(checkpoint.content_sha256, 'a', 64);
        snprintf(checkpoint.program_version, sizeof checkpoint.program_version, "0.1.0");
        date_now(checkpoint.date);
        draw_weights(model, checkpoint.seed);
        struct tensor_group groups[1 + OPTIMIZER_NUM_GROUPS] = {
            {CHECKPOINT_WEIGHTS, model->values}
        };
        optimizer_groups(groups + 1, &optimizer);
        const struct checkpoint_content content = {&model->table, groups, 1 + OPTIMIZER_NUM_GROUPS, CHECKPOINT_FLOAT32,
                                                   NULL};
        ok = checkpoint_save(path, &checkpoint, &content, error);
    }
    optimizer_free(&optimizer);
    model_free(model);
    return ok;
}
