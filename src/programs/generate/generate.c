#include "programs/generate/generate.h"

#include "base/log.h"
#include "base/text.h"
#include "base/threads.h"
#include "programs/generate/apply.h"
#include "programs/generate/job.h"
#include "programs/generate/latents.h"
#include "programs/generate/play.h"
#include "programs/generate/render_outputs.h"

#include <inttypes.h>
#include <stdlib.h>

static struct render_outputs_request renderings_of(const struct generate_options *options)
{
    return (struct render_outputs_request){
        .wanted = {[RENDERING_PNG] = options->png,
                   [RENDERING_SVG] = options->svg,
                   [RENDERING_WAV] = options->wav,
                   [RENDERING_OGG] = options->ogg},
        .dark = options->dark,
        .sheet = options->mode == GENERATE_INTERPOLATE && !options->join,
        .sheet_columns = generate_num_inputs(options) == 4 ? generate_num_outputs(options) : 2,
        .before = generate_edits(options->mode) ? options->input_midi[0] : NULL,
        .soundfont = options->soundfont,
        .device = options->play,
        .threads = threads_choose((int)options->threads, 1),
    };
}

static void make_latents(void *context, float *z, int first, int count, int window, struct inference_scratch *scratch)
{
    (void)scratch;
    generate_latents(context, z, first, count, window);
}

/* Outputs and windows of each: those of an interpolation that are joined are windows of one. */
static void count_windows(struct generate_work *work, const struct generate_job *job)
{
    const struct generate_options *options = job->options;
    work->count = generate_num_outputs(options);
    work->num_windows = 1;
    if (options->mode == GENERATE_INTERPOLATE && job->num_inputs == 4)
        work->count *= work->count;
    if (options->join) {
        work->num_windows = work->count;
        work->count = 1;
    }
    work->bars = (uint32_t)work->num_windows * job->bars;
    if (options->bars > 0) {
        work->bars = (uint32_t)options->bars;
        work->num_windows = (int)((work->bars + job->bars - 1) / job->bars);
    }
}

static bool play(struct generate_job *job, struct error *error)
{
    struct generate_work work = {
        .decoder = job->model.decoder,
        .make_latents = make_latents,
        .context = job,
        .threads = job->threads,
        .request = {.controls = job->controls,
                    .kept = job->keeps_hits ? job->kept : NULL,
                    .noise = &job->noise,
                    .same_numbers = job->options->mode == GENERATE_INTERPOLATE,
                    .raw_feedback = job->options->feedback == GENERATE_FEEDBACK_RAW,
                    .temperature = (float)job->temperature,
                    .seed = job->seed},
        .qpm = job->qpm,
        .transform = &job->transform,
        .output = &job->output,
    };
    count_windows(&work, job);
    return generate_job_start_output(job, work.count, error) && generate_play(&work, error);
}

/* "5 MIDI files, 6 pictures (PNG) and 5 audio files (WAV)": owned by the caller. */
static char *list_files(const struct generate_output *output, const struct render_outputs_count *rendered)
{
    static const char *const kinds[NUM_RENDERINGS] = {
        [RENDERING_PNG] = "PNG", [RENDERING_SVG] = "SVG", [RENDERING_WAV] = "WAV", [RENDERING_OGG] = "Ogg Vorbis"};
    char *list = format_text("%d MIDI file%s", output->written, PLURAL(output->written));
    int last = NUM_RENDERINGS - 1;
    while (last >= 0 && rendered->files[last] == 0)
        last--;
    for (int i = 0; i <= last; i++) {
        if (rendered->files[i] == 0)
            continue;
        char *longer = format_text("%s%s%d %s%s (%s)", list, i == last ? " and " : ", ", rendered->files[i],
                                   rendering_is_picture((enum rendering)i) ? "picture" : "audio file",
                                   PLURAL(rendered->files[i]), kinds[i]);
        free(list);
        list = longer;
    }
    return list;
}

/* What was written, and how it is made again. */
static void report(const struct generate_job *job, const struct render_outputs_count *rendered)
{
    const struct generate_output *output = &job->output;
    const struct checkpoint *checkpoint = &job->model.checkpoint;
    char *files = list_files(output, rendered), *words = latent_choice_words(&job->choice, &job->model);
    if (output->num_silent > 0)
        log_warning("%d of %d outputs are silent: try another --seed or a higher --temperature", output->num_silent,
                    output->written);
    log_info("%s in %s: %s%s", files, output->folder, output->first_name, output->written == 1 ? "" : " and so on");
    log_info("made by %s at step %" PRIu64 ", seed %" PRIu64 ", %s, temperature %g, %.5g qpm", checkpoint->config,
             checkpoint->step, job->seed, job->options->mode != GENERATE_SAMPLE ? "latent vectors of the input" : words,
             job->temperature, (double)job->qpm);
    free(words);
    free(files);
}

/* Which notes of an edited file, and of its copies, are drums: as the options say it of the file. What the model plays may be
 * on a channel that they do not name, beside drums of the file that stay. */
static bool find_drums(struct render_outputs_request *renderings, const struct generate_job *job, struct error *error)
{
    struct generate_input_rules rules;
    if (!generate_edits(job->options->mode))
        return true;
    if (!generate_job_rules(&rules, job, error))
        return false;
    renderings->input_map = &job->input_map;
    renderings->drums = renderings->before_drums = rules.choice;
    if (job->options->output_channel > 0 && !job->keeps_hits)
        renderings->drums.channels = (uint16_t)(job->input_channels | 1U << (job->options->output_channel - 1));
    return true;
}

bool generate(const struct generate_options *options, bool *wrong_usage, struct error *error)
{
    struct generate_job job;
    struct render_outputs_request renderings = renderings_of(options);
    struct render_outputs_count rendered;
    *wrong_usage = false;
    if (!render_outputs_check(&renderings, error))
        return false;
    bool ok = generate_job_open(&job, options, wrong_usage, error);
    if (ok && generate_edits(options->mode))
        ok = generate_apply(&job, error);
    else if (ok)
        ok = generate_job_read_inputs(&job, error) && play(&job, error);
    ok = ok && find_drums(&renderings, &job, error) && render_outputs(&rendered, &job.output, &renderings, error);
    if (ok)
        report(&job, &rendered);
    ok = ok && render_outputs_play(&job.output, &renderings, error);
    generate_job_close(&job);
    return ok;
}
