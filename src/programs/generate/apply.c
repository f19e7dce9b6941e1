#include "programs/generate/apply.h"

#include "base/log.h"
#include "base/text.h"
#include "data/dataset/batch.h"
#include "programs/common/provenance.h"
#include "programs/generate/play.h"
#include "programs/generate/song.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A stretch of the song, or the performance that lends its feel, as rows of the model. */
struct stretch {
    uint32_t bars, windows;
    float *target;   /* [bars * 16, D], owned, as are the next three: what is played */
    float *input;    /* [bars * 16, D]: what the encoder is given of it */
    float *controls; /* [bars * 16, C]; NULL where C is 0 */
    float *played;   /* [bars * 16, D]: what the model makes of it */
};

struct apply {
    struct generate_job *job;
    struct song song;
    struct stretch here; /* that is worked on */
    float *feel;         /* [num_feels, Z], owned: latent vectors that take the place of the song's; NULL: none do */
    uint32_t num_feels;
    uint64_t num_bars, num_kept, num_added;
};

static void stretch_free(struct stretch *stretch)
{
    free(stretch->target);
    free(stretch->input);
    free(stretch->controls);
    free(stretch->played);
    *stretch = (struct stretch){0};
}

static bool stretch_take_memory(struct stretch *stretch, const struct model_shape *shape, struct error *error)
{
    size_t steps = (size_t)stretch->bars * GRID_BAR_STEPS, depth = (size_t)shape->depth;
    stretch->target = calloc(steps * depth, sizeof(float));
    stretch->input = calloc(steps * depth, sizeof(float));
    stretch->played = calloc(steps * depth, sizeof(float));
    if (shape->num_controls > 0)
        stretch->controls = calloc(steps * (size_t)shape->num_controls, sizeof(float));
    return (stretch->target && stretch->input && stretch->played && (shape->num_controls == 0 || stretch->controls)) ||
           error_set_no_memory(error, "no memory for %" PRIu32 " bars", stretch->bars);
}

/* The tempo at bar `bar` of a part of the song; without a part, and beyond its bars, that at its beginning. */
static float tempo_of_bar(const struct song *song, const struct grid_part *part, const struct grid *grid, uint32_t bar)
{
    uint32_t step = bar * GRID_BAR_STEPS;
    if (!part || step >= grid->num_steps)
        return grid->qpm;
    return grid_starting_qpm(&song->midi, grid_tick_of_step(part, step, song->midi.ppq));
}

/* Bar by bar, each at its own tempo. */
static void fill_controls(struct stretch *stretch, const struct song *song, const struct grid_part *part,
                          const struct grid *grid, const struct generate_job *job)
{
    size_t depth = (size_t)job->shape->depth, width = (size_t)job->shape->num_controls;
    for (uint32_t bar = 0; stretch->controls && bar < stretch->bars; bar++) {
        size_t step = (size_t)bar * GRID_BAR_STEPS;
        window_controls(stretch->controls + step * width, width, stretch->target + step * depth,
                        stretch->input + step * depth, depth, GRID_BAR_STEPS, tempo_of_bar(song, part, grid, bar),
                        &job->transform);
    }
}

/* The rows of `bars` bars of a grid, that of a part of the song where it is not NULL, and at least a window of them. */
static bool stretch_make(struct stretch *stretch, const struct song *song, const struct grid_part *part,
                         const struct grid *grid, uint32_t bars, const struct generate_job *job, struct error *error)
{
    const struct transform *transform = &job->transform;
    size_t depth = (size_t)job->shape->depth, bar = GRID_BAR_STEPS * depth;
    *stretch = (struct stretch){.bars = bars > job->bars ? bars : job->bars};
    stretch->windows = stretch->bars - job->bars + 1;
    if (!stretch_take_memory(stretch, job->shape, error))
        return false;
    window_from_grid(stretch->target, grid, 0, bars, transform);
    for (uint32_t b = bars; b < stretch->bars && stretch->bars % bars == 0; b++)
        memcpy(stretch->target + b * bar, stretch->target + (b % bars) * bar, bar * sizeof(float));
    uint32_t steps = stretch->bars * GRID_BAR_STEPS;
    memcpy(stretch->input, stretch->target, steps * depth * sizeof(float));
    window_transform(stretch->input, depth, steps, transform, NULL);
    fill_controls(stretch, song, part, grid, job);
    return true;
}

/* The mean of the latent vector of the window from bar `first` on. */
static void encode(float *z, const struct stretch *stretch, uint32_t first, const struct generate_job *job,
                   struct inference_scratch *scratch)
{
    size_t step = (size_t)first * GRID_BAR_STEPS;
    const float *controls =
        stretch->controls ? stretch->controls + step * (size_t)job->shape->num_controls : stretch->controls;
    inference_encode(z, stretch->input + step * (size_t)job->shape->depth, controls, job->model.decoder, scratch);
}

static void make_latents(void *context, float *z, int first, int count, int window, struct inference_scratch *scratch)
{
    const struct apply *apply = context;
    size_t size = (size_t)apply->job->shape->z_size;
    (void)window;
    for (int i = 0; i < count; i++) {
        uint32_t number = (uint32_t)(first + i);
        if (apply->feel)
            memcpy(z + (size_t)i * size, apply->feel + (number % apply->num_feels) * size, size * sizeof(float));
        else
            encode(z + (size_t)i * size, &apply->here, number, apply->job, scratch);
    }
}

/* The window that bar `bar` is taken from. */
static uint32_t window_of(const struct apply *apply, uint32_t bar)
{
    uint32_t before = apply->job->bars / 2, window = bar > before ? bar - before : 0;
    return window < apply->here.windows ? window : apply->here.windows - 1;
}

static void take_bars(void *context, int number, const float *rows)
{
    const struct apply *apply = context;
    uint32_t window = (uint32_t)number;
    size_t bar = GRID_BAR_STEPS * (size_t)apply->job->shape->depth;
    for (uint32_t b = window; b < window + apply->job->bars; b++)
        if (window_of(apply, b) == window)
            memcpy(apply->here.played + b * bar, rows + (b - window) * bar, bar * sizeof(float));
}

/* Plays the stretch; `variant` tells the outputs of one run from one another. */
static bool play_stretch(struct apply *apply, int variant, struct error *error)
{
    const struct generate_job *job = apply->job;
    size_t bar = GRID_BAR_STEPS * (size_t)job->shape->depth;
    struct generate_work work = {
        .decoder = job->model.decoder,
        .make_latents = make_latents,
        .context = apply,
        .count = (int)apply->here.windows,
        .threads = job->threads,
        .request = {.controls = apply->here.controls,
                    .controls_stride = GRID_BAR_STEPS * (size_t)job->shape->num_controls,
                    .kept = job->keeps_hits ? apply->here.target : NULL,
                    .kept_stride = bar,
                    .noise = &job->noise,
                    .temperature = (float)job->temperature,
                    .seed = job->seed,
                    .window = (uint32_t)variant},
        .take = take_bars,
    };
    return generate_play(&work, error);
}

/* What was played of the first `bars` bars, as a grid. */
static bool played_grid(struct grid *grid, const struct apply *apply, uint32_t bars, struct error *error)
{
    const struct generate_job *job = apply->job;
    return grid_from_window(grid, apply->here.played, bars, 120, &job->transform, error) ||
           error_prefix(error, "%s", job->model.path);
}

/* Hits that the song has are not added. */
static void drop_hits_of(struct grid *model, const struct grid *song)
{
    for (size_t i = 0; i < (size_t)song->num_steps * NUM_DRUMS; i++)
        model->hits[i] = model->hits[i] && !song->hits[i];
}

static bool place(struct apply *apply, size_t p, struct grid *model, struct error *error)
{
    const struct generate_job *job = apply->job;
    const struct generate_options *options = job->options;
    const struct song_voice voice = {&job->output_map, options->output_drum_map == NULL && !job->transform.tapify,
                                     (int)options->output_channel - 1};
    uint32_t adds = job->transform.removed_classes;
    *error = (struct error){0};
    if (job->keeps_hits) {
        apply->num_kept += song_set_feel(&apply->song, p, model, options->amount, error);
        return error->message[0] == '\0';
    }
    if (adds != 0)
        drop_hits_of(model, &apply->song.list.parts[p].grid);
    else
        song_remove(&apply->song, p);
    return song_add(&apply->song, p, model, adds != 0 ? adds : (1U << NUM_DRUMS) - 1, &voice, &apply->num_added, error);
}

static bool apply_to_part(struct apply *apply, size_t p, int variant, struct error *error)
{
    const struct grid_part *part = &apply->song.list.parts[p];
    const struct grid *grid = &part->grid;
    uint32_t bars = grid->num_steps / GRID_BAR_STEPS;
    struct grid model = {0};
    bool ok = stretch_make(&apply->here, &apply->song, part, grid, bars, apply->job, error);
    size_t count = (size_t)grid->num_steps * (size_t)apply->job->shape->depth;
    if (ok && (apply->feel || generate_any_number(apply->here.input, count)))
        ok = play_stretch(apply, variant, error) && played_grid(&model, apply, bars, error) &&
             place(apply, p, &model, error);
    else if (ok)
        log_info("%s: %s gets no input from %" PRIu32 " bar%s, which stay as they are", apply->song.path,
                 apply->job->model.checkpoint.config, bars, PLURAL(bars));
    apply->num_bars += bars;
    grid_free(&model);
    stretch_free(&apply->here);
    return ok;
}

/* The latent vectors of the second input: of the window that --input_bar_2 chooses, else of all that have a hit. */
static bool encode_feel(struct apply *apply, struct error *error)
{
    struct generate_job *job = apply->job;
    struct generate_input *input = &job->inputs[1];
    struct stretch stretch = {0};
    size_t size = (size_t)job->shape->z_size, depth = (size_t)job->shape->depth;
    int64_t chosen = job->options->input_bar[1];
    if (chosen > 0 && !generate_input_choose(input, chosen, job->bars, error))
        return false;
    struct inference_scratch *scratch = inference_scratch_make(job->model.decoder, 1, error);
    bool ok = scratch && stretch_make(&stretch, &apply->song, NULL, &input->grid, input->num_bars, job, error);
    if (ok) {
        apply->feel = calloc(stretch.windows * size, sizeof(float));
        ok = apply->feel || error_set_no_memory(error, "%s: out of memory", input->path);
    }
    uint32_t first = chosen > 0 ? input->first_bar : 0, end = chosen > 0 ? first + 1 : stretch.windows;
    for (uint32_t w = first; ok && w < end; w++) {
        const float *rows = stretch.target + (size_t)w * GRID_BAR_STEPS * depth;
        if (generate_any_number(rows, (size_t)job->bars * GRID_BAR_STEPS * depth))
            encode(apply->feel + apply->num_feels++ * size, &stretch, w, job, scratch);
    }
    stretch_free(&stretch);
    inference_scratch_free(scratch);
    return ok;
}

static bool read_inputs(struct apply *apply, struct error *error)
{
    struct generate_job *job = apply->job;
    const struct generate_options *options = job->options;
    struct generate_input_rules rules;
    if (!generate_job_rules(&rules, job, error) || !song_read(&apply->song, options->input_midi[0], &rules, error))
        return false;
    job->qpm = apply->song.list.parts[0].grid.qpm;
    job->input_map = apply->song.map;
    job->input_channels = apply->song.finding.channels;
    if (options->mode != GENERATE_TRANSFER)
        return true;
    if (!generate_input_read(&job->inputs[1], options->input_midi[1], 2, job->bars, &rules, error))
        return false;
    job->num_inputs = 2; /* of which the first is empty: it is the song */
    return encode_feel(apply, error);
}

static bool write_variant(struct apply *apply, int variant, struct error *error)
{
    struct generate_output *output = &apply->job->output;
    uint8_t *bytes = NULL;
    size_t size;
    apply->num_bars = apply->num_kept = apply->num_added = 0;
    bool ok = song_reset(&apply->song, error);
    for (size_t p = 0; ok && p < apply->song.list.count; p++)
        if (song_uses(&apply->song.list.parts[p]))
            ok = apply_to_part(apply, p, variant, error);
    char *text = generate_output_text(output, variant);
    ok = ok && song_write(&bytes, &size, &apply->song, PROVENANCE_PREFIX, text, error) &&
         generate_output_write_bytes(output, bytes, size, error);
    free(text);
    free(bytes);
    return ok;
}

/* Whether the song's drums are taken out for the model's. */
static bool replaces_drums(const struct apply *apply)
{
    return !apply->job->keeps_hits && apply->job->transform.removed_classes == 0 &&
           apply->song.finding.evidence != DRUMS_UNKNOWN;
}

static void report(const struct apply *apply)
{
    if (apply->job->keeps_hits)
        log_info("%s: %" PRIu64 " bar%s, %" PRIu64 " hit%s given velocities and timing", apply->song.path,
                 apply->num_bars, PLURAL(apply->num_bars), apply->num_kept, PLURAL(apply->num_kept));
    else
        log_info("%s: %" PRIu64 " bar%s, %" PRIu64 " hit%s %s", apply->song.path, apply->num_bars,
                 PLURAL(apply->num_bars), apply->num_added, PLURAL(apply->num_added),
                 replaces_drums(apply) ? "in place of the file's own" : "added");
    if (!apply->job->keeps_hits && apply->num_added == 0)
        log_warning("the model added nothing: try another --seed or a higher --temperature");
}

bool generate_apply(struct generate_job *job, struct error *error)
{
    struct apply apply = {.job = job};
    int count = generate_num_outputs(job->options);
    bool ok = read_inputs(&apply, error) && generate_job_start_output(job, count, error);
    for (int variant = 0; ok && variant < count; variant++)
        ok = write_variant(&apply, variant, error);
    if (ok)
        report(&apply);
    free(apply.feel);
    song_free(&apply.song);
    return ok;
}
