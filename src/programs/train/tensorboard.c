#include "programs/train/tensorboard.h"

#include "base/io/files.h"
#include "base/log.h"
#include "data/dataset/batch.h"
#include "model/inference/generation.h"
#include "model/inference/inference_decoder.h"
#include "programs/common/transform.h"
#include "render/drum_roll.h"
#include "run/event_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUM_ROLLS = 4, COLUMNS = 2, SEED = 1 };
static const float temperature = 0.5f, qpm = 120.0f;

struct tensorboard {
    struct event_file *train, *eval;
    struct hparams hparams;
};

struct tensorboard *tensorboard_open(const char *train_folder, const char *eval_folder, uint64_t step,
                                     const struct hparams *hparams, struct error *error)
{
    struct tensorboard *board = calloc(1, sizeof *board);
    if (!board) {
        error_set_no_memory(error, "out of memory for --tensorboard");
        return NULL;
    }
    board->hparams = *hparams;
    if (folder_make(eval_folder, error) && (board->train = event_file_open(train_folder, step, error)) &&
        (board->eval = event_file_open(eval_folder, step, error)) &&
        event_file_put_hparams(board->train, &hparams_table, hparams, error))
        return board;
    tensorboard_close(board);
    return NULL;
}

void tensorboard_close(struct tensorboard *board)
{
    if (!board)
        return;
    event_file_close(board->train);
    event_file_close(board->eval);
    free(board);
}

bool tensorboard_put_line(struct tensorboard *board, const struct metrics_line *line, struct error *error)
{
    char keys[METRIC_MAX][METRIC_NAME_SIZE];
    struct event_scalar scalars[METRIC_MAX];
    size_t count = 0;
    if (!board)
        return true;
    for (int i = 0; i < line->set->count; i++) {
        const struct metric *metric = &line->set->metrics[i];
        double value = line->values.values[i];
        if (!(metric->row->places & (line->split ? METRIC_IN_EVALUATION : METRIC_IN_TRAINING)) || !isfinite(value))
            continue;
        metric_key(keys[count], metric, line->split);
        scalars[count] = (struct event_scalar){keys[count], value};
        count++;
    }
    return event_file_put_scalars(line->split ? board->eval : board->train, line->step, scalars, count, error);
}

bool tensorboard_put_norms(struct tensorboard *board, uint64_t step, const struct tensor_table *table,
                           const struct tensor_norms *norms, struct error *error)
{
    enum { TAG_SIZE = TENSOR_NAME_SIZE + 16 };
    char tags[2 * TENSORS_MAX_ROWS][TAG_SIZE];
    struct event_scalar scalars[2 * TENSORS_MAX_ROWS];
    size_t count = 0;
    if (!board)
        return true;
    for (int i = 0; i < table->num_rows; i++) {
        snprintf(tags[count], TAG_SIZE, "grad_norm/%s", table->rows[i].name);
        snprintf(tags[count + 1], TAG_SIZE, "update_norm/%s", table->rows[i].name);
        scalars[count] = (struct event_scalar){tags[count], norms[i].gradient};
        scalars[count + 1] = (struct event_scalar){tags[count + 1], norms[i].update};
        count += 2;
    }
    return event_file_put_scalars(board->train, step, scalars, count, error);
}

static bool put_gradients(struct tensorboard *board, uint64_t step, const struct model *model, struct error *error)
{
    char tag[TENSOR_NAME_SIZE + 16];
    bool ok = true;
    for (int i = 0; i < model->table.num_rows && ok; i++) {
        const struct tensor *tensor = &model->table.rows[i];
        snprintf(tag, sizeof tag, "gradients/%s", tensor->name);
        ok = event_file_put_histogram(board->train, step, tag, model->gradients + tensor->offset, tensor->count, error);
    }
    return ok;
}

/* Grids of a picture, and what they are made in. */
struct picture {
    const struct model_shape *shape;
    struct inference_decoder *decoder;
    struct inference_scratch *scratch;
    struct transform transform;
    float *z, *windows;              /* [NUM_ROLLS, Z], [NUM_ROLLS, T, D] */
    float *input, *target, *control; /* of one window */
    struct grid grids[NUM_ROLLS];
    struct drum_roll rolls[NUM_ROLLS];
    int count;
};

static bool picture_open(struct picture *picture, const struct model *model, const float *weights,
                         const struct hparams *hparams, struct error *error)
{
    *picture = (struct picture){0};
    if (!transform_of(&picture->transform, hparams, error) ||
        !(picture->decoder = inference_decoder_make(hparams, &model->table, weights, true, error)) ||
        !(picture->scratch = inference_scratch_make(picture->decoder, NUM_ROLLS, error)))
        return false;
    picture->shape = inference_decoder_shape(picture->decoder);
    size_t window = (size_t)picture->shape->steps * (size_t)picture->shape->depth;
    size_t control = (size_t)picture->shape->steps * (size_t)picture->shape->num_controls;
    picture->z = calloc((size_t)NUM_ROLLS * (size_t)picture->shape->z_size, sizeof *picture->z);
    picture->windows = calloc(NUM_ROLLS * window, sizeof *picture->windows);
    picture->input = calloc(window, sizeof *picture->input);
    picture->target = calloc(window, sizeof *picture->target);
    picture->control = calloc(control + 1, sizeof *picture->control);
    return (picture->z && picture->windows && picture->input && picture->target && picture->control) ||
           error_set_no_memory(error, "out of memory for a picture of samples");
}

static void picture_close(struct picture *picture)
{
    for (int i = 0; i < picture->count; i++)
        grid_free(&picture->grids[i]);
    free(picture->z);
    free(picture->windows);
    free(picture->input);
    free(picture->target);
    free(picture->control);
    inference_scratch_free(picture->scratch);
    inference_decoder_free(picture->decoder);
}

static bool add_roll(struct picture *picture, const char *title, const float *window, int bars, struct error *error)
{
    if (!grid_from_window(&picture->grids[picture->count], window, (uint32_t)bars, qpm, &picture->transform, error))
        return false;
    picture->rolls[picture->count] = (struct drum_roll){title, &picture->grids[picture->count]};
    picture->count++;
    return true;
}

static bool add_samples(struct picture *picture, int bars, struct error *error)
{
    static const char *const titles[NUM_ROLLS] = {"sample 1", "sample 2", "sample 3", "sample 4"};
    const struct model_shape *shape = picture->shape;
    struct inference_request request = {.batch = NUM_ROLLS, .temperature = temperature, .seed = SEED};
    generation_draw_latents(picture->z, NUM_ROLLS, shape->z_size, SEED, 0);
    inference_decode(picture->windows, picture->z, picture->decoder, picture->scratch, &request);
    bool ok = true;
    for (int i = 0; i < NUM_ROLLS && ok; i++)
        ok = add_roll(picture, titles[i], picture->windows + (size_t)i * (size_t)(shape->steps * shape->depth), bars,
                      error);
    return ok;
}

/* Each window beside what the model makes of its input. */
static bool add_reconstructions(struct picture *picture, const struct windows *inputs, int bars, struct error *error)
{
    bool has_controls = picture->shape->num_controls > 0, ok = true;
    for (uint32_t number = 0; number < NUM_ROLLS / 2 && number < inputs->count && ok; number++) {
        float *controls = has_controls ? picture->control : NULL;
        struct inference_request request = {
            .batch = 1, .controls = controls, .temperature = temperature, .seed = SEED, .first_output = number};
        batch_fill(picture->input, picture->target, controls, inputs, &number, 1, &picture->transform, SEED, 0, number);
        inference_encode(picture->z, picture->input, controls, picture->decoder, picture->scratch);
        inference_decode(picture->windows, picture->z, picture->decoder, picture->scratch, &request);
        ok = add_roll(picture, "played", picture->target, bars, error) &&
             add_roll(picture, "by the model", picture->windows, bars, error);
    }
    return ok;
}

bool tensorboard_put_model(struct tensorboard *board, uint64_t step, const struct model *model, const float *weights,
                           const struct windows *inputs, struct error *error)
{
    struct picture picture;
    struct render_bytes png = {0};
    if (!board)
        return true;
    if (!put_gradients(board, step, model, error))
        return false;
    if (!drum_roll_available())
        return true;
    const int bars = (int)board->hparams.bars;
    struct error reason; /* a model that has diverged plays nothing that can be drawn: no reason to end its training */
    bool ok = picture_open(&picture, model, weights, &board->hparams, &reason);
    bool needs_input = ok && (picture.shape->num_controls > 0 || board->hparams.tapify || board->hparams.humanize);
    ok = ok && (!needs_input ? add_samples(&picture, bars, &reason)
                             : !inputs || add_reconstructions(&picture, inputs, bars, &reason));
    const struct drum_roll_sheet sheet = {.rolls = picture.rolls, .num_rolls = picture.count, .columns = COLUMNS};
    const bool drawn = ok && picture.count > 0 && (ok = drum_roll_png(&png, &sheet, &reason));
    if (!ok)
        log_warning("no drum rolls for TensorBoard: %s", reason.message);
    ok = !drawn || event_file_put_image(board->train, step, needs_input ? "reconstructions" : "samples", png.data,
                                        png.size, error);
    render_bytes_free(&png);
    picture_close(&picture);
    return ok;
}
