/* make_checkpoint CONFIG HPARAMS STEP FILE: a checkpoint of a model that was never trained, for tests of programs that play
 * from checkpoints or describe them. */
#include "base/files.h"
#include "model/checkpoint.h"
#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool make(const char *config_name, const char *changes, uint64_t step, const char *path, struct error *error)
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
        model_initialize(model, checkpoint.seed);
        ok = checkpoint_save(path, &checkpoint, &model->table, model->values, optimizer.m, optimizer.v, error);
    }
    optimizer_free(&optimizer);
    model_free(model);
    return ok;
}

int main(int argc, char **argv)
{
    struct error error;
    if (argc != 5) {
        fprintf(stderr, "usage: make_checkpoint CONFIG HPARAMS STEP FILE\n");
        return 2;
    }
    if (make(argv[1], argv[2], strtoull(argv[3], NULL, 10), argv[4], &error))
        return EXIT_SUCCESS;
    fprintf(stderr, "make_checkpoint: %s\n", error.message);
    return EXIT_FAILURE;
}
