#include "programs/generate/generate.h"

#include "base/cli/settings.h"
#include "base/io/foreign_file.h"
#include "base/log.h"
#include "base/threads.h"
#include "data/dataset/batch.h"
#include "model/inference/generation.h"
#include "programs/common/transform.h"
#include "programs/generate/input.h"
#include "programs/generate/play.h"
#include "programs/generate/render_outputs.h"
#include "run/run_model.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const mode_names[] = {"sample", "interpolate", "reconstruct"};

struct generation {
    const struct generate_options *options;
    struct run_model model;
    bool fitted; /* samples are drawn from the model's latent density, not from N(0, 1) */
    double temperature;
    uint32_t bars;
    uint64_t seed;
    float qpm;
    int num_inputs;
    struct generate_input inputs[2];
    float *ends;                /* [2, Z] means of the inputs; owned, as are the next two */
    float *controls;            /* [T, C]: hits of the first input */
    float *rows;                /* [T, D]: one window */
    float *kept;                /* [T, D]: the first input's window, whose hits are kept; owned */
    float *noise_sd;            /* [D], owned */
    struct transform transform; /* of an input; no note dropout */
    struct drum_map stored_map, output_map;
    struct generate_output output;
};

static bool check_inputs(const struct generate_options *options, struct error *error)
{
    const char *mode = mode_names[options->mode];
    bool first = options->input_midi[0] != NULL, second = options->input_midi[1] != NULL;
    for (int i = 0; i < 2; i++)
        if (options->input_bar[i] > 0 && !options->input_midi[i])
            return error_set(error, "--input_bar_%d without --input_midi_%d", i + 1, i + 1);
    if (options->mode == GENERATE_INTERPOLATE && !(first && second))
        return error_set(error, "--mode=interpolate needs --input_midi_1 and --input_midi_2");
    if (options->mode != GENERATE_INTERPOLATE && second)
        return error_set(error, "--mode=%s does not use --input_midi_2; --mode=interpolate does", mode);
    if (options->mode == GENERATE_RECONSTRUCT && !first)
        return error_set(error, "--mode=reconstruct needs --input_midi_1");
    if (options->keep_hits == SETTING_TRUE && !first)
        return error_set(error, "--keep_hits keeps the hits of an input: give --input_midi_1 FILE");
    if (options->mode == GENERATE_INTERPOLATE && options->num_outputs < 2)
        return error_set(error, "--mode=interpolate needs --num_outputs=2 or more, as both ends are included");
    return true;
}

bool generate_check(const struct generate_options *options, struct error *error)
{
    if (options->run_dir && options->checkpoint_file)
        return error_set(error, "give one of --run_dir DIR and --checkpoint_file FILE");
    if (!options->run_dir && !options->checkpoint_file && !options->config)
        return error_set(error, "give one of --run_dir DIR, --checkpoint_file FILE and "
                                "--config NAME (a shipped model)");
    const char *files[] = {options->run_dir, options->checkpoint_file, options->input_midi[0], options->input_midi[1]};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (files[i] && !foreign_file_check(files[i], error))
            return false;
    if (!options->output_dir)
        return error_set(error, "give --output_dir DIR, the folder for the MIDI files");
    if (options->config && !config_find(options->config, error))
        return false;
    int channel;
    if (options->channel && !drum_channel_parse(&channel, options->channel, error))
        return error_prefix(error, "--channel");
    if (options->qpm > 0 && options->bpm > 0)
        return error_set(error, "--qpm and --bpm are the same: give one");
    return check_inputs(options, error);
}

static bool load(struct generation *generation, struct error *error)
{
    const struct generate_options *options = generation->options;
    const struct run_model_source source = {
        .checkpoint_file = options->checkpoint_file,
        .run_dir = options->run_dir,
        .checkpoint = (enum run_checkpoint_choice)options->checkpoint,
        .config = options->config,
        .models_dir = options->models_dir,
        .program = options->program,
    };
    return run_model_load(&generation->model, &source, options->mode != GENERATE_SAMPLE, error);
}

static bool check_checkpoint(const struct generation *generation, bool *wrong_usage, struct error *error)
{
    const struct generate_options *options = generation->options;
    const struct checkpoint *checkpoint = &generation->model.checkpoint;
    if (!generate_output_name_is_safe(checkpoint->config))
        return error_set(error, "%s: the name of its config can't be used in file names", generation->model.path);
    if (options->config && strcmp(options->config, checkpoint->config) != 0)
        return error_set(error, "%s: is of config %s, not %s: omit --config, or give another checkpoint",
                         generation->model.path, checkpoint->config, options->config);
    if (options->latent == GENERATE_LATENT_FITTED && generation->model.latents.counts.size == 0)
        return error_set(error,
                         "%s: has no fitted latent density: --mode=export of drumline-train with --examples_path "
                         "stores one, and --latent=prior does without",
                         generation->model.path);
    if ((options->velocity_noise > 0 || options->timing_noise > 0) && !generation->model.residual_sd)
        return error_set(error,
                         "%s: has no standard deviations of velocities and timing, which --velocity_noise and "
                         "--timing_noise need: --mode=latents of drumline-train measures and stores them",
                         generation->model.path);
    *wrong_usage = true;
    bool given = options->input_midi[0] != NULL, controls = model_shape_of(&checkpoint->hparams).num_controls > 0;
    if (options->mode == GENERATE_SAMPLE && controls && !given)
        return error_set(error, "%s needs an input: give --input_midi_1 FILE", checkpoint->config);
    if (options->mode == GENERATE_SAMPLE && !controls && given)
        return error_set(error,
                         "%s does not use --input_midi_1 in --mode=sample; use --mode=reconstruct or "
                         "--mode=interpolate",
                         checkpoint->config);
    *wrong_usage = false;
    return true;
}

/* The standard deviation of the noise in each column: the model's residual times --velocity_noise or --timing_noise. */
static void set_noise(struct generation *generation)
{
    const struct representation *representation = hparams_representation(&generation->model.checkpoint.hparams);
    for (int i = 0, column = 0; generation->model.residual_sd && i < representation->num_heads; i++) {
        const struct representation_head *head = &representation->heads[i];
        double factor = strcmp(head->kind, HEAD_SIGMOID) == 0 ? generation->options->velocity_noise
                        : strcmp(head->kind, HEAD_TANH) == 0  ? generation->options->timing_noise
                                                              : 0;
        for (int k = 0; k < head->width; k++, column++)
            generation->noise_sd[column] = (float)(factor * (double)generation->model.residual_sd[column]);
    }
}

static bool start(struct generation *generation, struct error *error)
{
    const struct generate_options *options = generation->options;
    const struct model_shape *shape = inference_decoder_shape(generation->model.decoder);
    size_t steps = (size_t)shape->steps;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t mixed =
        ((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec) * 0x9E3779B97F4A7C15u ^ (uint64_t)getpid() << 32;
    generation->seed = options->seed >= 0 ? (uint64_t)options->seed : mixed >> 32;
    generation->fitted = options->mode == GENERATE_SAMPLE && options->latent != GENERATE_LATENT_PRIOR &&
                         generation->model.latents.counts.size > 0;
    generation->temperature = options->temperature > 0 ? options->temperature : generation->fitted ? 1 : 0.5;
    generation->bars = (uint32_t)generation->model.checkpoint.hparams.bars;
    if (!transform_of(&generation->transform, &generation->model.checkpoint.hparams, error))
        return false;
    generation->transform.max_note_dropout = 0;
    generation->ends = calloc(2 * (size_t)shape->z_size, sizeof(float));
    generation->controls = calloc(steps * (size_t)shape->num_controls + 1, sizeof(float));
    generation->rows = calloc(steps * (size_t)shape->depth, sizeof(float));
    generation->kept = calloc(steps * (size_t)shape->depth, sizeof(float));
    generation->noise_sd = calloc((size_t)shape->depth, sizeof(float));
    if (!generation->ends || !generation->controls || !generation->rows || !generation->kept || !generation->noise_sd)
        return error_set(error, "no memory for windows of %" PRIu32 " bars", generation->bars);
    set_noise(generation);
    return true;
}

/* Writes the windows of an input as files to choose from. Always fails: nothing was chosen. */
static bool offer_windows(struct generation *generation, const struct generate_input *input, const uint32_t *first_bars,
                          uint32_t count, struct error *error)
{
    const char *const kinds[] = {"input-1", "input-2"};
    struct generate_output *output = &generation->output;
    if (!generate_output_start(output, generation->options->output_dir, generation->model.checkpoint.config,
                               kinds[input->number - 1], (int)count, &generation->output_map, error))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct grid part = generate_input_part(input, first_bars[i], generation->bars);
        if (!generate_output_write(output, &part, error))
            return false;
        char *path = generate_output_path(output, (int)i);
        log_info("from bar %" PRIu32 ": %s", first_bars[i] + 1, path);
        free(path);
    }
    return error_set(error,
                     "%s: has %" PRIu32 " windows of %" PRIu32 " bars, now written as %s and so on in %s: give one "
                     "of them as --input_midi_%d, or choose the first bar with --input_bar_%d N",
                     input->path, count, generation->bars, output->first_name, output->folder, input->number,
                     input->number);
}

static bool choose_window(struct generation *generation, struct generate_input *input, struct error *error)
{
    int64_t bar = generation->options->input_bar[input->number - 1];
    if (bar > 0)
        return generate_input_choose(input, bar, generation->bars, error);
    uint32_t *first_bars, count;
    if (!generate_input_windows(&first_bars, &count, input, generation->bars, error))
        return false;
    bool ok = count == 1;
    if (ok)
        input->first_bar = first_bars[0];
    else
        offer_windows(generation, input, first_bars, count, error);
    free(first_bars);
    return ok;
}

/* The map of the model's data. The first version read all data as Roland's, and stored none. */
static bool read_stored_map(struct generation *generation, struct error *error)
{
    const struct checkpoint *checkpoint = &generation->model.checkpoint;
    if (checkpoint->drum_map[0] == '\0') {
        drum_map_builtin(&generation->stored_map, "roland");
        return true;
    }
    return drum_map_parse(&generation->stored_map, checkpoint->drum_map, checkpoint->drum_map_table, error) ||
           error_prefix(error, "%s: drum_map_table", generation->model.path);
}

/* Both files are read before windows of either are offered, and windows of both are, so that one run reports all there is to
 * change. */
static bool read_inputs(struct generation *generation, struct error *error)
{
    const struct generate_options *options = generation->options;
    generation->num_inputs = !options->input_midi[0] ? 0 : !options->input_midi[1] ? 1 : 2;
    struct generate_input_rules rules = {.drum_map = options->drum_map ? options->drum_map : "auto",
                                         .stored = &generation->stored_map,
                                         .taps = generation->model.checkpoint.hparams.tapify,
                                         .choice.track = options->track};
    if (!drum_channel_parse(&rules.choice.channel, options->channel ? options->channel : "auto", error))
        return error_prefix(error, "--channel");
    if (!read_stored_map(generation, error))
        return false;
    for (int i = 0; i < generation->num_inputs; i++)
        if (!generate_input_read(&generation->inputs[i], options->input_midi[i], i + 1, generation->bars, &rules,
                                 error))
            return false;
    bool ok = true;
    for (int i = 0; i < generation->num_inputs; i++) {
        struct error reason;
        if (choose_window(generation, &generation->inputs[i], &reason))
            continue;
        if (!ok)
            log_error("%s", error->message);
        *error = reason;
        ok = false;
    }
    generation->qpm = generation->num_inputs > 0 ? generation->inputs[0].grid.qpm : 120.0f;
    if (options->qpm > 0 || options->bpm > 0)
        generation->qpm = (float)(options->qpm > 0 ? options->qpm : options->bpm);
    return ok;
}

/* The first columns of an input's window as controls, the window itself being in `rows`. */
static void set_controls(struct generation *generation)
{
    const struct model_shape *shape = inference_decoder_shape(generation->model.decoder);
    size_t num_controls = (size_t)shape->num_controls;
    for (int t = 0; num_controls > 0 && t < shape->steps; t++)
        memcpy(generation->controls + (size_t)t * num_controls, generation->rows + (size_t)t * (size_t)shape->depth,
               num_controls * sizeof(float));
}

/* An input's window into `rows` and `controls`; transformed where it is the controls itself (again does not matter). */
static void read_window(struct generation *generation, const struct generate_input *input)
{
    window_from_grid(generation->rows, &input->grid, input->first_bar, generation->bars, &generation->transform);
    if (generation->transform.input_as_controls) {
        const struct model_shape *shape = inference_decoder_shape(generation->model.decoder);
        window_transform(generation->rows, (size_t)shape->depth, (uint32_t)shape->steps, &generation->transform, NULL);
    }
    set_controls(generation);
}

static bool any_number(const float *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i] > 0 || rows[i] < 0)
            return true;
    return false;
}

/* The means of the inputs' latent vectors, into `ends`. */
static bool encode_inputs(struct generation *generation, struct error *error)
{
    const struct model_shape *shape = inference_decoder_shape(generation->model.decoder);
    size_t depth = (size_t)shape->depth;
    struct inference_scratch *scratch = inference_scratch_make(generation->model.decoder, 1, error);
    bool ok = scratch != NULL;
    for (int i = 0; ok && i < generation->num_inputs; i++) {
        const struct generate_input *input = &generation->inputs[i];
        read_window(generation, input);
        window_transform(generation->rows, depth, (uint32_t)shape->steps, &generation->transform, NULL);
        ok = any_number(generation->rows, (size_t)shape->steps * depth) ||
             error_set(error, "%s: %s gets no input from it: the model adds all of its drums itself", input->path,
                       generation->model.checkpoint.config);
        if (ok)
            inference_encode(generation->ends + i * shape->z_size, generation->rows, generation->controls,
                             generation->model.decoder, scratch);
    }
    inference_scratch_free(scratch);
    return ok;
}

static bool prepare(struct generation *generation, struct error *error)
{
    if (generation->options->mode != GENERATE_SAMPLE && !encode_inputs(generation, error))
        return false;
    if (generation->num_inputs == 0)
        return true;
    const struct generate_input *first = &generation->inputs[0];
    read_window(generation, first);
    window_from_grid(generation->kept, &first->grid, first->first_bar, generation->bars, &generation->transform);
    if (generation->options->mode == GENERATE_RECONSTRUCT && generation->options->keep_hits == SETTING_AUTO &&
        generation->transform.humanize)
        log_info("the model decides which drums it hits: --keep_hits plays exactly those of the input");
    return true;
}

static void make_latents(void *context, float *z, int first, int count)
{
    const struct generation *generation = context;
    int size = inference_decoder_shape(generation->model.decoder)->z_size;
    if (generation->options->mode == GENERATE_SAMPLE) {
        generation_draw_latents(z, count, size, generation->seed, (uint32_t)first);
        if (generation->fitted)
            latents_apply(z, count, &generation->model.latents, LATENT_GAUSSIAN, 0, generation->seed, (uint32_t)first);
        return;
    }
    const float *a = generation->ends, *b = generation->ends + size;
    for (int i = 0; i < count; i++) {
        double fraction = 0;
        if (generation->options->mode == GENERATE_INTERPOLATE)
            fraction = (double)(first + i) / (double)(generation->options->num_outputs - 1);
        generation_slerp(z + i * size, a, b, fraction, size);
    }
}

static struct render_outputs_request renderings_of(const struct generate_options *options)
{
    return (struct render_outputs_request){
        .wanted = {[RENDERING_PNG] = options->png,
                   [RENDERING_SVG] = options->svg,
                   [RENDERING_WAV] = options->wav,
                   [RENDERING_OGG] = options->ogg},
        .dark = options->dark,
        .sheet = options->mode == GENERATE_INTERPOLATE,
        .soundfont = options->soundfont,
        .threads = threads_choose((int)options->threads, 1),
    };
}

static bool render(const struct generation *generation, struct error *error)
{
    struct render_outputs_request request = renderings_of(generation->options);
    return !render_outputs_any(&request) || render_outputs(&generation->output, &request, error);
}

static bool play(struct generation *generation, struct error *error)
{
    const struct generate_options *options = generation->options;
    struct generate_work work = {
        .decoder = generation->model.decoder,
        .make_latents = make_latents,
        .context = generation,
        .count = (int)options->num_outputs,
        .threads = threads_choose((int)options->threads, 1),
        .request = {.controls = generation->controls,
                    .kept = options->keep_hits == SETTING_TRUE ? generation->kept : NULL,
                    .noise_sd = options->velocity_noise > 0 || options->timing_noise > 0 ? generation->noise_sd : NULL,
                    .raw_feedback = options->feedback == GENERATE_FEEDBACK_RAW,
                    .temperature = (float)generation->temperature,
                    .seed = generation->seed},
        .qpm = generation->qpm,
        .bars = generation->bars,
        .transform = &generation->transform,
        .output = &generation->output,
    };
    struct generate_output *output = &generation->output;
    if (!generate_output_start(output, options->output_dir, generation->model.checkpoint.config,
                               mode_names[options->mode], work.count, &generation->output_map, error))
        return false;
    if (options->output_channel > 0)
        output->channel = (uint8_t)(options->output_channel - 1);
    output->wrap_pick_up = options->wrap_pick_up;
    return generate_play(&work, error);
}

static void report(const struct generation *generation)
{
    const struct generate_output *output = &generation->output;
    if (output->num_silent > 0)
        log_warning("%d of %d outputs are silent: try another --seed or a higher --temperature", output->num_silent,
                    output->written);
    log_info("%d MIDI file%s in %s: %s%s; %s at step %" PRIu64 ", seed %" PRIu64 ", %s, temperature %g, %.6g qpm",
             output->written, output->written == 1 ? "" : "s", output->folder, output->first_name,
             output->written == 1 ? "" : " and so on", generation->model.checkpoint.config,
             generation->model.checkpoint.step, generation->seed,
             generation->options->mode != GENERATE_SAMPLE ? "latent vectors of the input"
             : generation->fitted                         ? "fitted latent density"
                                                          : "latent prior N(0, 1)",
             generation->temperature, (double)generation->qpm);
}

static bool find_output_map(struct generation *generation, bool *wrong_usage, struct error *error)
{
    const char *name = generation->options->output_drum_map;
    if (drum_map_find(&generation->output_map, name ? name : "general", error) &&
        drum_map_check_written(&generation->output_map, error))
        return true;
    *wrong_usage = true;
    return error_prefix(error, "--output_drum_map");
}

bool generate(const struct generate_options *options, bool *wrong_usage, struct error *error)
{
    struct generation generation = {.options = options};
    struct render_outputs_request renderings = renderings_of(options);
    *wrong_usage = false;
    bool ok = render_outputs_check(&renderings, error) && find_output_map(&generation, wrong_usage, error) &&
              load(&generation, error) && check_checkpoint(&generation, wrong_usage, error) &&
              start(&generation, error) && read_inputs(&generation, error) && prepare(&generation, error) &&
              play(&generation, error) && render(&generation, error);
    if (ok)
        report(&generation);
    for (int i = 0; i < generation.num_inputs; i++)
        generate_input_free(&generation.inputs[i]);
    free(generation.noise_sd);
    free(generation.kept);
    free(generation.rows);
    free(generation.controls);
    free(generation.ends);
    run_model_free(&generation.model);
    return ok;
}
