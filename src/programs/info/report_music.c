#include "programs/info/report_music.h"

#include "data/dataset/batch.h"
#include "data/midi/drum_map.h"
#include "model/inference/generation.h"
#include "model/inference/inference_decoder.h"
#include "programs/common/transform.h"
#include "programs/info/report_text.h"
#include "render/audio.h"
#include "run/run_model.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NUM_SAMPLES = 4, NUM_BETWEEN = 5, SEED = 1 };
enum { STEP_WIDTH = 12, LANE_HEIGHT = 14, LABEL_WIDTH = 84, RULER_HEIGHT = 14, NUM_LOUDNESSES = 8 };
static const float qpm = 120.0f;
static const float temperature = 0.5f;

/* Lanes from top to bottom. */
static const int lanes[NUM_DRUMS] = {7, 8, 6, 5, 4, 3, 2, 1, 0};

static void put_base64(FILE *out, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        unsigned group = (unsigned)bytes[i] << 16 | (i + 1 < size ? (unsigned)bytes[i + 1] << 8 : 0) |
                         (i + 2 < size ? bytes[i + 2] : 0);
        putc(digits[group >> 18], out);
        putc(digits[group >> 12 & 63], out);
        putc(i + 1 < size ? digits[group >> 6 & 63] : '=', out);
        putc(i + 2 < size ? digits[group & 63] : '=', out);
    }
}

static void put_grid_lines(FILE *out, const struct grid *grid)
{
    int height = NUM_DRUMS * LANE_HEIGHT;
    for (int lane = 0; lane < NUM_DRUMS; lane++) {
        int top = RULER_HEIGHT + lane * LANE_HEIGHT;
        if (lane % 2 == 0)
            fprintf(out, "<rect class=\"lane\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>", LABEL_WIDTH, top,
                    (int)grid->num_steps * STEP_WIDTH, LANE_HEIGHT);
        fprintf(out, "<text x=\"0\" y=\"%d\">%s</text>", top + LANE_HEIGHT - 3, drum_name(lanes[lane]));
    }
    for (int step = 0; step <= (int)grid->num_steps; step++) {
        bool bar = step % GRID_BAR_STEPS == 0, beat = step % STEPS_PER_QUARTER == 0;
        int x = LABEL_WIDTH + step * STEP_WIDTH;
        fprintf(out, "<line class=\"%s\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>",
                bar    ? "barline"
                : beat ? "beat"
                       : "step",
                x, x, bar ? RULER_HEIGHT - 5 : RULER_HEIGHT, RULER_HEIGHT + height);
    }
}

static void put_hits(FILE *out, const struct grid *grid)
{
    for (uint32_t step = 0; step < grid->num_steps; step++)
        for (int lane = 0; lane < NUM_DRUMS; lane++) {
            size_t cell = (size_t)step * NUM_DRUMS + (size_t)lanes[lane];
            if (!grid->hits[cell])
                continue;
            int velocity = grid->velocity[cell];
            double x = LABEL_WIDTH + ((double)step - 0.5 * (double)grid->offset[cell]) * STEP_WIDTH;
            double height = 3 + (LANE_HEIGHT - 4) * velocity / 127.0;
            fprintf(out, "<rect style=\"fill: var(--v%d)\" x=\"%.1f\" y=\"%.1f\" width=\"6\" height=\"%.1f\"/>",
                    velocity * NUM_LOUDNESSES / 128, x, RULER_HEIGHT + (lane + 1) * LANE_HEIGHT - 1 - height, height);
        }
}

static void put_audio(FILE *out, const struct grid *grid, struct audio_renderer *renderer)
{
    struct drum_map map;
    struct midi midi;
    struct audio audio;
    struct render_bytes ogg;
    struct error error;
    drum_map_builtin(&map, "general");
    if (!renderer || !grid_to_midi(&midi, grid, &map, &error))
        return;
    bool rendered = audio_render(&audio, renderer, &midi, 1.0, &error);
    midi_free(&midi);
    if (rendered && audio_encode(&ogg, &audio, AUDIO_OGG, &error)) {
        fprintf(out, "<audio controls preload=\"metadata\" src=\"data:audio/ogg;base64,");
        put_base64(out, ogg.data, ogg.size);
        fprintf(out, "\"></audio>");
        render_bytes_free(&ogg);
    }
    if (rendered)
        audio_free(&audio);
}

static void put_roll(FILE *out, const char *title, const float *window, const struct run_model *model,
                     struct audio_renderer *renderer)
{
    const struct model_shape *shape = inference_decoder_shape(model->decoder);
    struct transform transform;
    struct grid grid;
    struct error error;
    if (!transform_of(&transform, &model->checkpoint.hparams, &error) ||
        !grid_from_window(&grid, window, (uint32_t)model->checkpoint.hparams.bars, qpm, &transform, &error)) {
        fprintf(out, "<p>%s: ", title);
        report_put_text(out, error.message);
        fprintf(out, "</p>\n");
        return;
    }
    int width = shape->steps * STEP_WIDTH, height = RULER_HEIGHT + NUM_DRUMS * LANE_HEIGHT + 1;
    fprintf(
        out,
        "<figure class=\"roll\" data-left=\"%d\" data-width=\"%d\" data-seconds=\"%g\"><figcaption>%s</figcaption>\n",
        LABEL_WIDTH, width, shape->steps * 60.0 / (double)qpm / STEPS_PER_QUARTER, title);
    fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Drum roll of %s\">", LABEL_WIDTH + width + 8,
            height, title);
    put_grid_lines(out, &grid);
    put_hits(out, &grid);
    fprintf(out, "<line class=\"playhead\" y1=\"%d\" y2=\"%d\" visibility=\"hidden\"/></svg>\n", RULER_HEIGHT - 6,
            height);
    put_audio(out, &grid, renderer);
    fprintf(out, "</figure>\n");
    grid_free(&grid);
}

static void fill_latents(float *z, int size)
{
    generation_draw_latents(z, NUM_SAMPLES, size, SEED, 0);
    for (int i = 0; i < NUM_BETWEEN; i++)
        generation_slerp(z + (NUM_SAMPLES + i) * size, z, z + size, (double)i / (NUM_BETWEEN - 1), size);
}

static void put_rolls(FILE *out, const struct run_model *model, const float *windows, struct audio_renderer *renderer)
{
    const struct model_shape *shape = inference_decoder_shape(model->decoder);
    size_t window = (size_t)shape->steps * (size_t)shape->depth;
    fprintf(out, "<div class=\"rolls\">\n");
    for (int i = 0; i < NUM_SAMPLES + NUM_BETWEEN; i++) {
        char title[64];
        if (i == NUM_SAMPLES)
            fprintf(out, "</div>\n<h2>Interpolation from sample 1 to sample 2</h2>\n<div class=\"rolls\">\n");
        if (i < NUM_SAMPLES)
            snprintf(title, sizeof title, "sample %d", i + 1);
        else
            snprintf(title, sizeof title, "%d %%", 100 * (i - NUM_SAMPLES) / (NUM_BETWEEN - 1));
        put_roll(out, title, windows + (size_t)i * window, model, renderer);
    }
    fprintf(out, "</div>\n");
}

static void play(FILE *out, const struct run_model *model, const char *soundfont)
{
    const struct model_shape *shape = inference_decoder_shape(model->decoder);
    size_t window = (size_t)shape->steps * (size_t)shape->depth;
    enum { COUNT = NUM_SAMPLES + NUM_BETWEEN };
    struct error error;
    struct audio_renderer *renderer = audio_renderer_make(soundfont, &error);
    if (!renderer) {
        fprintf(out, "<p class=\"faint\">No audio: ");
        report_put_text(out, error.message);
        fprintf(out, "</p>\n");
    }
    float *z = calloc((size_t)COUNT * (size_t)shape->z_size, sizeof *z),
          *windows = calloc(COUNT * window, sizeof *windows);
    struct inference_scratch *scratch = inference_scratch_make(model->decoder, COUNT, &error);
    if (z && windows && scratch) {
        struct inference_request request = {.batch = COUNT, .temperature = temperature, .seed = SEED};
        fill_latents(z, shape->z_size);
        inference_decode(windows, z, model->decoder, scratch, &request);
        put_rolls(out, model, windows, renderer);
    } else {
        fprintf(out, "<p>Not enough memory for samples.</p>\n");
    }
    inference_scratch_free(scratch);
    free(windows);
    free(z);
    audio_renderer_free(renderer);
}

void report_put_music(FILE *out, const char *run_dir, const char *soundfont)
{
    struct run_model model;
    const struct run_model_source source = {.run_dir = run_dir, .checkpoint = RUN_CHECKPOINT_BEST};
    struct error error;
    fprintf(out, "<h2>Samples</h2>\n");
    if (!run_model_load(&model, &source, false, &error)) {
        fprintf(out, "<p class=\"faint\">No samples: ");
        report_put_text(out, error.message);
        fprintf(out, "</p>\n");
        return;
    }
    if (inference_decoder_shape(model.decoder)->num_controls > 0) {
        fprintf(out, "<p class=\"faint\">This model needs an input; use drumline-generate to hear it.</p>\n");
    } else {
        fprintf(out,
                "<p class=\"faint\">From the checkpoint of step %" PRIu64
                ", temperature %g, seed %d, %g quarter notes per minute.</p>\n",
                model.checkpoint.step, (double)temperature, SEED, (double)qpm);
        play(out, &model, soundfont);
    }
    run_model_free(&model);
}
