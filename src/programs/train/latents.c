#include "programs/train/latents.h"

#include "base/log.h"
#include "data/dataset/batch.h"
#include "model/inference/inference_decoder.h"
#include "programs/common/transform.h"

#include <stdlib.h>

/* What one window is encoded in; all owned. */
struct room {
    float *input, *target; /* [T, D] */
    float *controls;       /* [T, C] */
    float *mu;             /* [Z] */
};

static bool make_room(struct room *room, const struct model_shape *shape, struct error *error)
{
    size_t steps = (size_t)shape->steps;
    room->input = calloc(steps * (size_t)shape->depth, sizeof(float));
    room->target = calloc(steps * (size_t)shape->depth, sizeof(float));
    room->controls = calloc(steps * (size_t)shape->num_controls + 1, sizeof(float));
    room->mu = calloc((size_t)shape->z_size, sizeof(float));
    return (room->input && room->target && room->controls && room->mu) ||
           error_set(error, "no memory for a window of %d steps", shape->steps);
}

static void free_room(struct room *room)
{
    free(room->input);
    free(room->target);
    free(room->controls);
    free(room->mu);
}

static bool add_windows(struct latent_sums *sums, const struct windows *windows, const struct transform *transform,
                        const struct inference_decoder *decoder, struct error *error)
{
    const struct model_shape *shape = inference_decoder_shape(decoder);
    struct inference_scratch *scratch = inference_scratch_make(decoder, 1, error);
    struct room room = {0};
    bool ok = scratch && make_room(&room, shape, error);
    float *controls = shape->num_controls > 0 ? room.controls : NULL;
    for (uint32_t i = 0; ok && i < windows->count; i++) {
        batch_fill(room.input, room.target, controls, windows, &i, 1, transform, 0, 0, i);
        inference_encode(room.mu, room.input, controls, decoder, scratch);
        latent_sums_add(sums, room.mu);
    }
    free_room(&room);
    inference_scratch_free(scratch);
    return ok;
}

static bool fit(struct latent_density *density, const struct hparams *hparams, const struct dataset *dataset,
                const struct inference_decoder *decoder, struct error *error)
{
    struct windows windows = {0};
    struct latent_sums sums = {0};
    struct transform transform;
    int size = inference_decoder_shape(decoder)->z_size;
    bool ok = transform_of(&transform, hparams, error) && batch_check_dataset(&transform, dataset, error) &&
              windows_make(&windows, dataset, "train", (int)hparams->bars, (int)hparams->bars, error) &&
              (!hparams->skip_silent || windows_skip_silent(&windows, error));
    transform.max_note_dropout = 0;
    transform.drop_class = 0;
    ok = ok && latent_sums_make(&sums, size, error) && latent_density_make(density, size, error);
    if (ok)
        log_info("fitting the latent density to %zu windows of the train split", windows.count);
    ok = ok && add_windows(&sums, &windows, &transform, decoder, error) && latent_density_fit(density, &sums, error);
    if (!ok)
        latent_density_free(density);
    latent_sums_free(&sums);
    windows_free(&windows);
    return ok;
}

bool latents_fit(struct latent_density *density, const struct hparams *hparams, const struct tensor_table *table,
                 const float *values, const char *examples_path, struct error *error)
{
    *density = (struct latent_density){0};
    struct dataset *dataset = dataset_open(examples_path, error);
    if (!dataset)
        return false;
    struct inference_decoder *decoder = inference_decoder_make(hparams, table, values, true, error);
    bool ok = decoder && fit(density, hparams, dataset, decoder, error);
    if (!ok)
        error_prefix(error, "%s", examples_path);
    inference_decoder_free(decoder);
    dataset_close(dataset);
    return ok;
}
