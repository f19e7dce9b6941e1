#include "programs/info/report_music.h"

#include "data/dataset/batch.h"
#include "data/midi/drum_map.h"
#include "model/inference/generation.h"
#include "model/inference/inference_decoder.h"
#include "programs/common/transform.h"
#include "programs/info/report_text.h"
#include "render/audio.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NUM_SAMPLES = 4, NUM_BETWEEN = 5, NUM_ANSWERS = 3, SEED = 1 };
enum { STEP_WIDTH = 12, LANE_HEIGHT = 14, LABEL_WIDTH = 84, RULER_HEIGHT = 14, NUM_LOUDNESSES = 8 };
static const float qpm = 120.0f;

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

/* What is played from. */
struct player {
    const struct run_model *model;
    struct audio_renderer *renderer; /* NULL: no audio */
    struct inference_scratch *scratch;
    struct transform transform;  /* of an input; no note dropout */
    size_t window;               /* numbers of one: T * D */
    float *z, *windows;          /* [NUM_SAMPLES + NUM_BETWEEN, Z] and [.., T, D], owned */
    float *controls;             /* [T, C], owned */
    bool takes_input;            /* what is played answers an input; else it is drawn */
    enum latent_density density; /* that latent vectors are drawn from */
    float temperature;
    struct feel_noise noise; /* of samples; of answers to an input it draws nothing, but plays medians */
};

static void put_roll(FILE *out, const char *title, const struct grid *grid, struct audio_renderer *renderer)
{
    int steps = (int)grid->num_steps, width = steps * STEP_WIDTH, height = RULER_HEIGHT + NUM_DRUMS * LANE_HEIGHT + 1;
    fprintf(
        out,
        "<figure class=\"roll\" data-left=\"%d\" data-width=\"%d\" data-seconds=\"%g\"><figcaption>%s</figcaption>\n",
        LABEL_WIDTH, width, steps * 60.0 / (double)qpm / STEPS_PER_QUARTER, title);
    fprintf(out, "<div class=\"scroll\"><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Drum roll of %s\">",
            LABEL_WIDTH + width + 8, height, title);
    put_grid_lines(out, grid);
    put_hits(out, grid);
    fprintf(out, "<line class=\"playhead\" y1=\"%d\" y2=\"%d\" visibility=\"hidden\"/></svg></div>\n", RULER_HEIGHT - 6,
            height);
    put_audio(out, grid, renderer);
    fprintf(out, "</figure>\n");
}

static void put_window(FILE *out, const char *title, const float *window, const struct player *player)
{
    struct grid grid;
    struct error error;
    uint32_t bars = (uint32_t)player->model->checkpoint.hparams.bars;
    if (!grid_from_window(&grid, window, bars, qpm, &player->transform, &error)) {
        fprintf(out, "<p>%s: ", title);
        report_put_text(out, error.message);
        fprintf(out, "</p>\n");
        return;
    }
    put_roll(out, title, &grid, player->renderer);
    grid_free(&grid);
}

/* Drawn as drumline-generate draws by default: from what is fitted, with the noise of the model's residuals, where it has them;
 * the points of an interpolation with the same random numbers, those of sample 1. */
static void play_samples(const struct player *player)
{
    int size = inference_decoder_shape(player->model->decoder)->z_size;
    float *z = player->z, *between = z + (size_t)NUM_SAMPLES * (size_t)size;
    struct inference_request request = {
        .batch = NUM_SAMPLES, .noise = &player->noise, .temperature = player->temperature, .seed = SEED};
    generation_draw_latents(z, NUM_SAMPLES, size, SEED, 0);
    latents_apply(z, NUM_SAMPLES, &player->model->latents, player->density, 0, SEED, 0, 0);
    inference_decode(player->windows, z, player->model->decoder, player->scratch, &request);
    for (int i = 0; i < NUM_BETWEEN; i++)
        generation_slerp(between + (size_t)i * (size_t)size, z, z + size, (double)i / (NUM_BETWEEN - 1), size);
    request.batch = NUM_BETWEEN;
    request.same_numbers = true;
    inference_decode(player->windows + NUM_SAMPLES * player->window, between, player->model->decoder, player->scratch,
                     &request);
}

static void put_samples(FILE *out, const struct player *player)
{
    enum { COUNT = NUM_SAMPLES + NUM_BETWEEN };
    play_samples(player);
    fprintf(out, "<div class=\"rolls\">\n");
    for (int i = 0; i < COUNT; i++) {
        char title[64];
        if (i == NUM_SAMPLES)
            fprintf(out, "</div>\n<h2>Interpolation from sample 1 to sample 2</h2>\n<div class=\"rolls\">\n");
        if (i < NUM_SAMPLES)
            snprintf(title, sizeof title, "sample %d", i + 1);
        else
            snprintf(title, sizeof title, "%d %%", 100 * (i - NUM_SAMPLES) / (NUM_BETWEEN - 1));
        put_window(out, title, player->windows + (size_t)i * player->window, player);
    }
    fprintf(out, "</div>\n");
}

/* A plain beat, every hit on its step: what models that need an input are given. */
static bool make_beat(struct grid *grid, uint32_t bars, struct error *error)
{
    enum { KICK, SNARE, CLOSED_HAT };
    static const struct {
        int step, drum, velocity;
    } notes[] = {
        {0,  KICK,       100},
        {8,  KICK,       100},
        {10, KICK,       80 },
        {4,  SNARE,      100},
        {12, SNARE,      100},
        {0,  CLOSED_HAT, 90 },
        {2,  CLOSED_HAT, 60 },
        {4,  CLOSED_HAT, 80 },
        {6,  CLOSED_HAT, 60 },
        {8,  CLOSED_HAT, 90 },
        {10, CLOSED_HAT, 60 },
        {12, CLOSED_HAT, 80 },
        {14, CLOSED_HAT, 60 }
    };
    if (!grid_make(grid, bars * GRID_BAR_STEPS, error))
        return false;
    grid->qpm = qpm;
    grid->time_signature = (struct time_signature){4, 4};
    for (uint32_t bar = 0; bar < bars; bar++)
        for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
            size_t cell = ((size_t)bar * GRID_BAR_STEPS + (size_t)notes[i].step) * NUM_DRUMS + (size_t)notes[i].drum;
            grid->hits[cell] = 1;
            grid->velocity[cell] = (uint8_t)notes[i].velocity;
        }
    return true;
}

static bool takes_input(const struct run_model *model, const struct transform *transform)
{
    return inference_decoder_shape(model->decoder)->num_controls > 0 || transform->humanize || transform->tapify ||
           transform->fixed_velocities || transform->removed_classes != 0;
}

/* Encodes the beat as the model was trained to hear it, and plays its answers. A model that is given the hits, or humanizes
 * them, keeps them, as --keep_hits does. */
static void answer(FILE *out, const struct player *player, const struct grid *beat)
{
    const struct model_shape *shape = inference_decoder_shape(player->model->decoder);
    size_t depth = (size_t)shape->depth, num_controls = (size_t)shape->num_controls;
    uint32_t bars = (uint32_t)player->model->checkpoint.hparams.bars, steps = (uint32_t)shape->steps;
    float *heard = player->windows, *kept = heard + player->window, *answers = kept + player->window;
    bool keeps = player->transform.humanize || (num_controls > 0 && !player->transform.input_as_controls);
    int count = keeps ? 1 : NUM_ANSWERS;
    window_from_grid(kept, beat, 0, bars, &player->transform);
    memcpy(heard, kept, player->window * sizeof *heard);
    window_transform(heard, depth, steps, &player->transform, NULL);
    if (num_controls > 0)
        window_controls(player->controls, num_controls, kept, heard, depth, steps, beat->qpm, &player->transform);
    inference_encode(player->z, heard, num_controls > 0 ? player->controls : NULL, player->model->decoder,
                     player->scratch);
    for (int i = 1; i < count; i++)
        memcpy(player->z + (size_t)i * (size_t)shape->z_size, player->z, (size_t)shape->z_size * sizeof *player->z);
    const struct inference_request request = {.batch = count,
                                              .controls = num_controls > 0 ? player->controls : NULL,
                                              .kept = keeps ? kept : NULL,
                                              .noise = &player->noise,
                                              .temperature = player->temperature,
                                              .seed = SEED};
    inference_decode(answers, player->z, player->model->decoder, player->scratch, &request);
    fprintf(out, "<p>What the model makes of a plain beat%s:</p>\n<div class=\"rolls\">\n",
            keeps ? ", whose hits it keeps" : "");
    put_roll(out, "input", beat, player->renderer);
    for (int i = 0; i < count; i++) {
        char title[32];
        snprintf(title, sizeof title, "output %d", i + 1);
        put_window(out, title, answers + (size_t)i * player->window, player);
    }
    fprintf(out, "</div>\n");
}

static bool open_player(struct player *player, const struct run_model *model, struct error *error)
{
    enum { COUNT = NUM_SAMPLES + NUM_BETWEEN };
    const struct model_shape *shape = inference_decoder_shape(model->decoder);
    const struct latent_counts *fitted = &model->latents.counts;
    *player = (struct player){.model = model};
    if (!transform_of(&player->transform, &model->checkpoint.hparams, error))
        return false;
    player->transform.max_note_dropout = 0;
    player->takes_input = takes_input(model, &player->transform);
    player->density = fitted->components > 0 ? LATENT_MIXTURE : fitted->size > 0 ? LATENT_GAUSSIAN : LATENT_PRIOR;
    player->temperature = !player->takes_input && fitted->size > 0 ? latents_temperature(&model->latents) : 0.5f;
    player->window = (size_t)shape->steps * (size_t)shape->depth;
    player->z = calloc((size_t)COUNT * (size_t)shape->z_size, sizeof *player->z);
    player->windows = calloc(COUNT * player->window, sizeof *player->windows);
    player->controls = calloc((size_t)shape->steps * (size_t)shape->num_controls + 1, sizeof *player->controls);
    player->scratch = inference_scratch_make(model->decoder, COUNT, error);
    double amount = !player->takes_input && model->residual_sd ? 1 : 0;
    return player->scratch &&
           ((player->z && player->windows && player->controls) || error_set(error, "out of memory")) &&
           feel_noise_make(&player->noise, hparams_representation(&model->checkpoint.hparams), model->residual_sd,
                           &model->latents, amount, amount, error);
}

static void close_player(struct player *player)
{
    inference_scratch_free(player->scratch);
    feel_noise_free(&player->noise);
    free(player->controls);
    free(player->windows);
    free(player->z);
}

static void put_reason(FILE *out, const char *what, const struct error *error)
{
    fprintf(out, "<p class=\"faint\">%s: ", what);
    report_put_text(out, error->message);
    fprintf(out, "</p>\n");
}

static void put_all(FILE *out, struct player *player, const char *soundfont)
{
    struct grid beat = {0};
    struct error error;
    static const char *const densities[] = {
        [LATENT_PRIOR] = "prior", [LATENT_GAUSSIAN] = "fitted density", [LATENT_MIXTURE] = "fitted mixture"};
    const bool takes = player->takes_input;
    fprintf(out,
            "<p class=\"faint\">From the checkpoint of step %" PRIu64
            ", latent vectors of the %s, temperature %g, seed %d, %g quarter notes per minute.</p>\n",
            player->model->checkpoint.step, takes ? "input" : densities[player->density], (double)player->temperature,
            SEED, (double)qpm);
    player->renderer = audio_renderer_make(soundfont, &error);
    if (!player->renderer)
        put_reason(out, "No audio", &error);
    if (!takes)
        put_samples(out, player);
    else if (make_beat(&beat, (uint32_t)player->model->checkpoint.hparams.bars, &error))
        answer(out, player, &beat);
    else
        put_reason(out, "No samples", &error);
    grid_free(&beat);
    audio_renderer_free(player->renderer);
}

void report_put_music(FILE *out, const struct run_model_source *source, const char *soundfont, struct latents *latents)
{
    struct run_model model;
    struct player player = {0};
    struct error error;
    fprintf(out, "<h2>Samples</h2>\n");
    if (!run_model_load(&model, source, true, &error)) {
        put_reason(out, "No samples", &error);
        return;
    }
    if (open_player(&player, &model, &error))
        put_all(out, &player, soundfont);
    else
        put_reason(out, "No samples", &error);
    close_player(&player);
    if (latents) {
        *latents = model.latents;
        model.latents = (struct latents){0};
    }
    run_model_free(&model);
}
