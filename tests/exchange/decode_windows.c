/* decode_windows MODEL DATA_SET SPLIT COUNT FILE: what Drumline makes of some windows of a data set, for a test that holds
 * another program to it. Hits by threshold, with raw feedback.
 *
 * FILE gets 32-bit floats: for each window its input [T, D], controls [T, C], the mean of its latent vector [Z], the music
 * decoded from it [T, D], a latent vector drawn from N(0, 1) [Z] and the music decoded from that [T, D]. Standard output
 * gets their sizes, as JSON. The windows are spread evenly over the split. */
#include "data/dataset/batch.h"
#include "model/inference/generation.h"
#include "programs/common/transform.h"
#include "run/run_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* So small that a hit is drawn where its logit is above 0. */
static const float threshold_temperature = 1e-6f;

enum { SEED = 5 };

struct decoding {
    struct run_model model;
    const struct model_shape *shape;
    struct inference_scratch *scratch;
    struct transform transform;
    float *input, *target, *controls, *z, *music;
    FILE *file;
};

static bool put(const struct decoding *decoding, const float *values, size_t count, struct error *error)
{
    return fwrite(values, sizeof *values, count, decoding->file) == count || error_set(error, "can't write");
}

static void decode(const struct decoding *decoding)
{
    const struct inference_request request = {.batch = 1,
                                              .controls = decoding->shape->num_controls > 0 ? decoding->controls : NULL,
                                              .raw_feedback = true,
                                              .temperature = threshold_temperature,
                                              .seed = SEED};
    inference_decode(decoding->music, decoding->z, decoding->model.decoder, decoding->scratch, &request);
}

static bool put_window(const struct decoding *decoding, const struct windows *windows, uint32_t number,
                       struct error *error)
{
    const struct model_shape *shape = decoding->shape;
    size_t steps = (size_t)shape->steps, music = steps * (size_t)shape->depth, z_size = (size_t)shape->z_size;
    float *controls = shape->num_controls > 0 ? decoding->controls : NULL;
    batch_fill(decoding->input, decoding->target, controls, windows, &number, 1, &decoding->transform, SEED, 0, number);
    inference_encode(decoding->z, decoding->input, controls, decoding->model.decoder, decoding->scratch);
    decode(decoding);
    bool ok = put(decoding, decoding->input, music, error) &&
              put(decoding, decoding->controls, steps * (size_t)shape->num_controls, error) &&
              put(decoding, decoding->z, z_size, error) && put(decoding, decoding->music, music, error);
    generation_draw_latents(decoding->z, 1, shape->z_size, SEED, number);
    decode(decoding);
    return ok && put(decoding, decoding->z, z_size, error) && put(decoding, decoding->music, music, error);
}

static bool start(struct decoding *decoding, const char *model, const char *file, struct error *error)
{
    const struct run_model_source source = {.checkpoint_file = model};
    if (!run_model_load(&decoding->model, &source, true, error) ||
        !transform_of(&decoding->transform, &decoding->model.checkpoint.hparams, error))
        return false;
    decoding->transform.max_note_dropout = 0;
    decoding->transform.drop_class = 0;
    decoding->shape = inference_decoder_shape(decoding->model.decoder);
    decoding->scratch = inference_scratch_make(decoding->model.decoder, 1, error);
    size_t music = (size_t)decoding->shape->steps * (size_t)decoding->shape->depth;
    decoding->input = calloc(music, sizeof(float));
    decoding->target = calloc(music, sizeof(float));
    decoding->controls =
        calloc((size_t)decoding->shape->steps * (size_t)decoding->shape->num_controls + 1, sizeof(float));
    decoding->music = calloc(music, sizeof(float));
    decoding->z = calloc((size_t)decoding->shape->z_size, sizeof(float));
    decoding->file = fopen(file, "wb");
    return (decoding->scratch && decoding->input && decoding->target && decoding->controls && decoding->music &&
            decoding->z && decoding->file) ||
           error_set(error, "%s: can't begin", file);
}

static bool end(struct decoding *decoding, struct error *error)
{
    bool ok = !decoding->file || fclose(decoding->file) == 0;
    inference_scratch_free(decoding->scratch);
    free(decoding->input);
    free(decoding->target);
    free(decoding->controls);
    free(decoding->music);
    free(decoding->z);
    run_model_free(&decoding->model);
    return ok || error_set(error, "can't write");
}

static bool run(char **argv, struct error *error)
{
    struct decoding decoding = {0};
    struct windows windows = {0};
    struct dataset *dataset = dataset_open(argv[2], error);
    size_t wanted = strtoull(argv[4], NULL, 10);
    bool ok = dataset && start(&decoding, argv[1], argv[5], error);
    int bars = (int)decoding.model.checkpoint.hparams.bars;
    ok = ok && windows_make(&windows, dataset, argv[3], bars, bars, error);
    size_t count = windows.count < wanted ? windows.count : wanted;
    for (size_t i = 0; ok && i < count; i++)
        ok = put_window(&decoding, &windows, (uint32_t)(i * windows.count / count), error);
    if (ok)
        printf("{\"windows\": %zu, \"steps\": %d, \"depth\": %d, \"controls\": %d, \"z\": %d}\n", count,
               decoding.shape->steps, decoding.shape->depth, decoding.shape->num_controls, decoding.shape->z_size);
    ok = end(&decoding, error) && ok;
    windows_free(&windows);
    dataset_close(dataset);
    return ok;
}

int main(int argc, char **argv)
{
    struct error error;
    if (argc != 6) {
        fprintf(stderr, "usage: decode_windows MODEL DATA_SET SPLIT COUNT FILE\n");
        return 2;
    }
    if (run(argv, &error))
        return EXIT_SUCCESS;
    fprintf(stderr, "decode_windows: %s\n", error.message);
    return EXIT_FAILURE;
}
