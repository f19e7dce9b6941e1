#include "programs/generate/job.h"

#include "base/hdf5/hdf5.h"
#include "base/log.h"
#include "base/threads.h"
#include "data/dataset/batch.h"
#include "programs/common/transform.h"
#include "programs/generate/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool keeps_hits(const struct generate_options *options, const struct hparams *hparams)
{
    if (options->keep_hits != SETTING_AUTO)
        return options->keep_hits == SETTING_TRUE;
    return generate_edits(options->mode) && (hparams->humanize || hparams->hits_as_controls);
}

static bool load(struct generate_job *job, struct error *error)
{
    const struct generate_options *options = job->options;
    const struct run_model_source source = {
        .checkpoint_file = options->checkpoint_file,
        .run_dir = options->run_dir,
        .checkpoint = (enum run_checkpoint_choice)options->checkpoint,
        .config = options->config,
        .models_dir = options->models_dir,
        .program = options->program,
    };
    return run_model_load(&job->model, &source, options->mode != GENERATE_SAMPLE, error);
}

/* What apply and transfer ask of a model. */
static bool check_editing(const struct generate_job *job, struct error *error)
{
    const struct generate_options *options = job->options;
    const struct checkpoint *checkpoint = &job->model.checkpoint;
    if (!generate_edits(options->mode))
        return true;
    if (options->mode == GENERATE_TRANSFER && !checkpoint->hparams.hits_as_controls)
        return error_set(error,
                         "--mode=transfer needs a model that is given the hits (hits_as_controls), such as "
                         "groovae_2bar_hits_control; %s is not",
                         checkpoint->config);
    bool keeps = keeps_hits(options, &checkpoint->hparams);
    if (keeps && checkpoint->hparams.add_instruments.count > 0)
        return error_set(error, "%s adds drums, and --keep_hits would leave it nothing to add", checkpoint->config);
    if (!keeps && options->amount > 0 && options->amount < 1)
        return error_set(error, "--amount is for hits that are kept (--keep_hits); %s plays hits of its own",
                         checkpoint->config);
    return true;
}

static bool check_checkpoint(const struct generate_job *job, bool *wrong_usage, struct error *error)
{
    const struct generate_options *options = job->options;
    const struct checkpoint *checkpoint = &job->model.checkpoint;
    if (!generate_output_name_is_safe(checkpoint->config))
        return error_set(error, "%s: the name of its config can't be used in file names", job->model.path);
    if (options->config && strcmp(options->config, checkpoint->config) != 0)
        return error_set(error, "%s: is of config %s, not %s: omit --config, or give another checkpoint",
                         job->model.path, checkpoint->config, options->config);
    if ((options->velocity_noise > 0 || options->timing_noise > 0) && !job->model.residual_sd)
        return error_set(error,
                         "%s: has no standard deviations of velocities and timing, which --velocity_noise and "
                         "--timing_noise need: --mode=latents of drumline-train measures and stores them",
                         job->model.path);
    *wrong_usage = true;
    bool given = options->input_midi[0] != NULL, controls = model_shape_of(&checkpoint->hparams).num_controls > 0;
    if (options->mode == GENERATE_SAMPLE && controls && !given)
        return error_set(error, "%s needs an input: give --input_midi_1 FILE, and --mode=apply for all of it",
                         checkpoint->config);
    if (options->mode == GENERATE_SAMPLE && !controls && given)
        return error_set(error,
                         "%s does not use --input_midi_1 in --mode=sample: give another --mode, such as "
                         "similar or apply",
                         checkpoint->config);
    if (options->bars > 0 && controls)
        return error_set(error,
                         "%s plays to an input, and its outputs are as long: --bars is for models that need none",
                         checkpoint->config);
    if (!check_editing(job, error))
        return false;
    *wrong_usage = false;
    return true;
}

/* How much of it: what is asked for, or for samples of a model that knows its residuals all of it. */
static double noise_of(const struct generate_job *job, double asked)
{
    return asked >= 0 ? asked : job->options->mode == GENERATE_SAMPLE && job->model.residual_sd ? 1 : 0;
}

static uint64_t choose_seed(const struct generate_options *options)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t mixed =
        ((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec) * 0x9E3779B97F4A7C15u ^ (uint64_t)getpid() << 32;
    return options->seed >= 0 ? (uint64_t)options->seed : mixed >> 32;
}

static bool start(struct generate_job *job, struct error *error)
{
    const struct generate_options *options = job->options;
    bool draws = options->mode == GENERATE_SAMPLE || options->mode == GENERATE_SIMILAR;
    job->shape = inference_decoder_shape(job->model.decoder);
    size_t steps = (size_t)job->shape->steps, depth = (size_t)job->shape->depth;
    job->seed = choose_seed(options);
    if (!draws)
        job->choice.density = LATENT_PRIOR;
    job->temperature = options->temperature;
    if (!(job->temperature > 0))
        job->temperature = job->choice.density != LATENT_PRIOR && options->mode == GENERATE_SAMPLE
                               ? (double)latents_temperature(&job->model.latents)
                               : 0.5;
    job->bars = (uint32_t)job->model.checkpoint.hparams.bars;
    job->keeps_hits = keeps_hits(options, &job->model.checkpoint.hparams);
    job->threads = threads_choose((int)options->threads, 1);
    if (!transform_of(&job->transform, &job->model.checkpoint.hparams, error))
        return false;
    job->transform.max_note_dropout = 0;
    job->ends = calloc(GENERATE_MAX_INPUTS * (size_t)job->shape->z_size, sizeof(float));
    job->controls = calloc(steps * (size_t)job->shape->num_controls + 1, sizeof(float));
    job->rows = calloc(steps * depth, sizeof(float));
    job->kept = calloc(steps * depth, sizeof(float));
    if (!job->ends || !job->controls || !job->rows || !job->kept)
        return error_set(error, "no memory for windows of %" PRIu32 " bars", job->bars);
    return feel_noise_make(&job->noise, hparams_representation(&job->model.checkpoint.hparams), job->model.residual_sd,
                           &job->model.latents, noise_of(job, options->velocity_noise),
                           noise_of(job, options->timing_noise), error);
}

/* Writes the windows of an input as files to choose from. Always fails: nothing was chosen. */
static bool offer_windows(struct generate_job *job, const struct generate_input *input, const uint32_t *first_bars,
                          uint32_t count, struct error *error)
{
    const char *const kinds[GENERATE_MAX_INPUTS] = {"input-1", "input-2", "input-3", "input-4"};
    struct generate_output *output = &job->output;
    if (!generate_output_start(output, job->options->output_dir, job->model.checkpoint.config, kinds[input->number - 1],
                               (int)count, &job->output_map, error))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct grid part = generate_input_part(input, first_bars[i], job->bars);
        if (!generate_output_write(output, &part, error))
            return false;
        char *path = generate_output_path(output, (int)i);
        log_info("from bar %" PRIu32 ": %s", first_bars[i] + 1, path);
        free(path);
    }
    return error_set(error,
                     "%s: has %" PRIu32 " windows of %" PRIu32 " bars, now written as %s and so on in %s: give one "
                     "of them as --input_midi_%d, or choose the first bar with --input_bar_%d N",
                     input->path, count, job->bars, output->first_name, output->folder, input->number, input->number);
}

static bool choose_window(struct generate_job *job, struct generate_input *input, struct error *error)
{
    int64_t bar = job->options->input_bar[input->number - 1];
    if (bar > 0)
        return generate_input_choose(input, bar, job->bars, error);
    uint32_t *first_bars, count;
    if (!generate_input_windows(&first_bars, &count, input, job->bars, error))
        return false;
    bool takes_first = job->options->mode != GENERATE_INTERPOLATE, ok = count == 1 || takes_first;
    if (ok)
        input->first_bar = first_bars[0];
    if (ok && count > 1)
        log_info("%s: has %" PRIu32 " windows of %" PRIu32 " bars: the one from bar %" PRIu32
                 " is used; --input_bar_%d N chooses another, --mode=apply plays all",
                 input->path, count, job->bars, input->first_bar + 1, input->number);
    if (!ok)
        offer_windows(job, input, first_bars, count, error);
    free(first_bars);
    return ok;
}

/* The map of the model's data. The first version read all data as Roland's, and stored none. */
static bool read_stored_map(struct generate_job *job, struct error *error)
{
    const struct checkpoint *checkpoint = &job->model.checkpoint;
    if (checkpoint->drum_map[0] == '\0') {
        drum_map_builtin(&job->stored_map, "roland");
        return true;
    }
    return drum_map_parse(&job->stored_map, checkpoint->drum_map, checkpoint->drum_map_table, error) ||
           error_prefix(error, "%s: drum_map_table", job->model.path);
}

bool generate_job_rules(struct generate_input_rules *rules, const struct generate_job *job, struct error *error)
{
    const struct generate_options *options = job->options;
    *rules = (struct generate_input_rules){.drum_map = options->drum_map ? options->drum_map : "auto",
                                           .stored = &job->stored_map,
                                           .taps = job->model.checkpoint.hparams.tapify,
                                           .choice.track = options->track};
    return drum_channel_parse(&rules->choice.channel, options->channel ? options->channel : "auto", error) ||
           error_prefix(error, "--channel");
}

/* All files are read before windows of any are offered, and windows of all are, so that one run reports all there is to
 * change. */
static bool read_files(struct generate_job *job, struct error *error)
{
    const struct generate_options *options = job->options;
    struct generate_input_rules rules;
    job->num_inputs = generate_num_inputs(options);
    if (!generate_job_rules(&rules, job, error))
        return false;
    for (int i = 0; i < job->num_inputs; i++)
        if (!generate_input_read(&job->inputs[i], options->input_midi[i], i + 1, job->bars, &rules, error))
            return false;
    bool ok = true;
    for (int i = 0; i < job->num_inputs; i++) {
        struct error reason;
        if (choose_window(job, &job->inputs[i], &reason))
            continue;
        if (!ok)
            log_error("%s", error->message);
        *error = reason;
        ok = false;
    }
    return ok;
}

/* An input's window into `rows` and, at that tempo, `controls`; transformed where it is the controls itself (again does not matter). */
static void read_window(struct generate_job *job, const struct generate_input *input, float qpm)
{
    const struct model_shape *shape = job->shape;
    size_t depth = (size_t)shape->depth, steps = (size_t)shape->steps;
    window_from_grid(job->rows, &input->grid, input->first_bar, job->bars, &job->transform);
    if (job->transform.input_as_controls)
        window_transform(job->rows, depth, (uint32_t)steps, &job->transform, NULL);
    if (shape->num_controls > 0)
        window_controls(job->controls, (size_t)shape->num_controls, job->rows, job->rows, depth, steps, qpm,
                        &job->transform);
}

bool generate_any_number(const float *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i] > 0 || rows[i] < 0)
            return true;
    return false;
}

/* The means of the inputs' latent vectors, into `ends`. */
static bool encode_inputs(struct generate_job *job, struct error *error)
{
    const struct model_shape *shape = job->shape;
    size_t depth = (size_t)shape->depth;
    struct inference_scratch *scratch = inference_scratch_make(job->model.decoder, 1, error);
    bool ok = scratch != NULL;
    for (int i = 0; ok && i < job->num_inputs; i++) {
        const struct generate_input *input = &job->inputs[i];
        read_window(job, input, input->grid.qpm);
        window_transform(job->rows, depth, (uint32_t)shape->steps, &job->transform, NULL);
        ok = generate_any_number(job->rows, (size_t)shape->steps * depth) ||
             error_set(error, "%s: %s gets no input from it: the model adds all of its drums itself", input->path,
                       job->model.checkpoint.config);
        if (ok)
            inference_encode(job->ends + (size_t)i * (size_t)shape->z_size, job->rows, job->controls,
                             job->model.decoder, scratch);
    }
    inference_scratch_free(scratch);
    return ok;
}

bool generate_job_read_inputs(struct generate_job *job, struct error *error)
{
    const struct generate_options *options = job->options;
    if (!read_files(job, error))
        return false;
    job->qpm = job->num_inputs > 0 ? job->inputs[0].grid.qpm : 120.0f;
    if (options->qpm > 0 || options->bpm > 0)
        job->qpm = (float)(options->qpm > 0 ? options->qpm : options->bpm);
    if (options->mode != GENERATE_SAMPLE && !encode_inputs(job, error))
        return false;
    if (job->num_inputs == 0)
        return true;
    const struct generate_input *first = &job->inputs[0];
    read_window(job, first, job->qpm);
    window_from_grid(job->kept, &first->grid, first->first_bar, job->bars, &job->transform);
    if (options->mode == GENERATE_RECONSTRUCT && options->keep_hits == SETTING_AUTO && job->transform.humanize)
        log_info("the model decides which drums it hits: --keep_hits plays exactly those of the input");
    return true;
}

static bool find_output_map(struct generate_job *job, struct error *error)
{
    const char *name = job->options->output_drum_map;
    return (drum_map_find(&job->output_map, name ? name : "general", error) &&
            drum_map_check_written(&job->output_map, error)) ||
           error_prefix(error, "--output_drum_map");
}

bool generate_job_open(struct generate_job *job, const struct generate_options *options, bool *wrong_usage,
                       struct error *error)
{
    *job = (struct generate_job){.options = options};
    *wrong_usage = !latent_choice_check(options, error) || !find_output_map(job, error);
    return !*wrong_usage && load(job, error) && check_checkpoint(job, wrong_usage, error) &&
           latent_choice_make(&job->choice, options, &job->model, wrong_usage, error) && start(job, error) &&
           read_stored_map(job, error);
}

void generate_job_close(struct generate_job *job)
{
    for (int i = 0; i < job->num_inputs; i++)
        generate_input_free(&job->inputs[i]);
    free(job->command);
    feel_noise_free(&job->noise);
    latent_choice_free(&job->choice);
    free(job->kept);
    free(job->rows);
    free(job->controls);
    free(job->ends);
    run_model_free(&job->model);
}

/* What the files say of how they were made. */
static bool describe_output(struct generate_job *job, struct error *error)
{
    uint64_t checksum;
    if (!hdf5_seal_checksum(&checksum, job->model.path, error))
        return false;
    job->command = generate_command(job->options, job->model.path, job->seed);
    job->output.command = job->command;
    snprintf(job->output.model_hash, sizeof job->output.model_hash, "%016" PRIx64, checksum);
    return true;
}

/* Several outputs in which nothing is drawn: hits and latent vectors are the input's, and no noise is added. */
static void warn_of_copies(const struct generate_job *job, int count)
{
    int mode = job->options->mode;
    bool fixed = generate_edits(mode) || mode == GENERATE_RECONSTRUCT || mode == GENERATE_ATTRIBUTE;
    if (count > 1 && fixed && job->keeps_hits && !job->noise.draws)
        log_warning("all %d outputs are the same, as hits are kept: --velocity_noise and --timing_noise vary them%s",
                    count, job->model.residual_sd ? "" : ", with a model that stores what they need");
}

bool generate_job_start_output(struct generate_job *job, int count, struct error *error)
{
    const struct generate_options *options = job->options;
    if (!generate_output_start(&job->output, options->output_dir, job->model.checkpoint.config,
                               generate_mode_name(options->mode), count, &job->output_map, error))
        return false;
    if (!describe_output(job, error))
        return false;
    if (options->output_channel > 0)
        job->output.channel = (uint8_t)(options->output_channel - 1);
    job->output.wrap_pick_up = options->wrap_pick_up;
    warn_of_copies(job, count);
    return true;
}
