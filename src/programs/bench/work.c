#include "programs/bench/work.h"

#include "base/clock.h"
#include "base/io/files.h"
#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "model/checkpoint.h"
#include "model/inference/generation.h"
#include "programs/bench/folder.h"
#include "programs/bench/turns.h"
#include "programs/bench/windows.h"
#include "programs/generate/generate.h"
#include "programs/generate/play.h"
#include "programs/preprocess/preprocess.h"
#include "programs/train/agreement.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATS = 3 };

/* The programs' own messages are not wanted while they are timed. Returns the level to go back to. */
static enum log_level be_quiet(void)
{
    enum log_level level = log_get_level();
    if (level == LOG_LEVEL_INFO)
        log_set_level(LOG_LEVEL_WARNING);
    return level;
}

/* What is played: a checkpoint that no training made, and an input for the configs that must be given one. */
struct playing {
    const struct bench_options *options; /* not owned */
    char *folder, *checkpoint, *input;   /* owned */
    struct model *model;                 /* owned */
    struct inference_decoder *decoder;   /* owned; of the same parameters */
    int threads;
    int num_folders; /* that outputs were written to */
};

static bool save_checkpoint(struct playing *playing, const struct hparams *hparams, struct error *error)
{
    struct checkpoint checkpoint = {.hparams = *hparams, .num_ranks = 1};
    const struct tensor_group weights = {CHECKPOINT_WEIGHTS, playing->model->values};
    const struct checkpoint_content content = {&playing->model->table, &weights, 1, CHECKPOINT_FLOAT32};
    snprintf(checkpoint.config, sizeof checkpoint.config, "%s", playing->options->config);
    memset(checkpoint.content_sha256, '0', 64);
    snprintf(checkpoint.program_version, sizeof checkpoint.program_version, "%s", drumline_version());
    date_now(checkpoint.date);
    playing->checkpoint = path_join(playing->folder, "checkpoint.h5");
    return checkpoint_save(playing->checkpoint, &checkpoint, &content, error);
}

/* A made-up window as a MIDI file, and its hits as the model's controls. */
static bool make_input(struct playing *playing, const struct hparams *hparams, struct error *error)
{
    struct bench_windows windows;
    struct generate_output output;
    struct drum_map map;
    struct grid grid;
    struct model_step part = {.batch = 1};
    if (!bench_windows_make(&windows, hparams, error))
        return false;
    bench_windows_fill(&windows, playing->model, &part);
    /* A hit in the last step, and none that is early in the first: the file is one window. */
    drum_map_builtin(&map, "general");
    bool ok = grid_from_window(&grid, windows.rows, (uint32_t)hparams->bars, 120, &windows.transform, error);
    if (ok) {
        size_t last = (size_t)(grid.num_steps - 1) * NUM_DRUMS;
        grid.hits[last] = 1;
        grid.velocity[last] = 127;
        grid.offset[last] = 0;
        memset(grid.offset, 0, NUM_DRUMS * sizeof *grid.offset);
        ok = generate_output_start(&output, playing->folder, playing->options->config, "input", 1, &map, error) &&
             generate_output_write(&output, &grid, error);
        if (ok)
            playing->input = generate_output_path(&output, 0);
        grid_free(&grid);
    }
    bench_windows_free(&windows);
    return ok;
}

static bool playing_open(struct playing *playing, const struct hparams *hparams, struct error *error)
{
    playing->folder = bench_folder_make(playing->options->temporary_dir, error);
    if (!playing->folder)
        return false;
    playing->model = model_make(hparams, 1, error);
    if (!playing->model)
        return false;
    model_initialize(playing->model, 0);
    playing->decoder = inference_decoder_make(hparams, &playing->model->table, playing->model->values, false, error);
    if (!playing->decoder)
        return false;
    return save_checkpoint(playing, hparams, error) &&
           (!hparams->hits_as_controls || make_input(playing, hparams, error));
}

static void playing_close(struct playing *playing)
{
    inference_decoder_free(playing->decoder);
    model_free(playing->model);
    free(playing->checkpoint);
    free(playing->input);
    bench_folder_remove(playing->folder);
}

/* drumline-generate's whole work for so many samples, into a folder of their own. */
static bool time_generate(double *seconds, struct playing *playing, int64_t num_outputs, struct error *error)
{
    bool wrong_usage;
    char *name = format_text("output-%d", playing->num_folders++);
    struct generate_options options = {
        .checkpoint_file = playing->checkpoint,
        .mode = GENERATE_SAMPLE,
        .num_outputs = num_outputs,
        .input_midi = {playing->input},
        .temperature = 1,
        .threads = playing->threads,
        .output_dir = path_join(playing->folder, name),
    };
    double started = clock_seconds();
    bool ok = generate(&options, &wrong_usage, error);
    *seconds = clock_seconds() - started;
    free(options.output_dir);
    free(name);
    return ok;
}

static void draw_latents(void *context, float *z, int first, int count)
{
    const struct playing *playing = context;
    generation_draw_latents(z, count, inference_decoder_shape(playing->decoder)->z_size, 0, (uint32_t)first);
}

/* The same windows, played and not written. */
static bool time_playing(double *seconds, struct playing *playing, struct error *error)
{
    struct generate_work work = {
        .decoder = playing->decoder,
        .make_latents = draw_latents,
        .context = playing,
        .count = (int)playing->options->num_outputs,
        .threads = playing->threads,
        .request = {.controls = playing->model->controls, .temperature = 1},
    };
    double started = clock_seconds();
    bool ok = generate_play(&work, error);
    *seconds = clock_seconds() - started;
    return ok;
}

static bool time_all(struct bench_figures *figures, struct playing *playing, struct error *error)
{
    double one[REPEATS], unwritten[REPEATS], written[REPEATS], count = (double)playing->options->num_outputs;
    for (int i = 0; i < REPEATS; i++)
        if (!time_generate(&one[i], playing, 1, error) || !time_playing(&unwritten[i], playing, error) ||
            !time_generate(&written[i], playing, playing->options->num_outputs, error))
            return false;
    double rate = count / bench_median(unwritten, REPEATS);
    bench_add(figures, "generate", "ms", 1e3 * bench_median(one, REPEATS), "one_sample_from_checkpoint_to_MIDI");
    bench_add(figures, "generate", "1/s", rate, "windows_played_per_second");
    bench_hold_against(
        bench_add(figures, "generate", "1/s", count / bench_median(written, REPEATS), "windows_written_per_second"),
        "played, not written", rate);
    return true;
}

bool bench_generate(struct bench_figures *figures, const struct bench_options *options, const struct hparams *hparams,
                    int threads, struct comm *comm, struct error *error)
{
    struct playing playing = {.options = options, .threads = threads};
    enum log_level level = be_quiet();
    bool ok = comm_rank(comm) != 0 || (playing_open(&playing, hparams, error) && time_all(figures, &playing, error));
    playing_close(&playing);
    log_set_level(level);
    return comm_all_ok(comm, ok, error);
}

/* Folders that rank 0 makes and all know by name. Collective. */
static bool share_folder(char **folder, const struct bench_options *options, struct comm *comm, struct error *error)
{
    *folder = comm_rank(comm) == 0 ? bench_folder_make(options->temporary_dir, error) : NULL;
    if (!comm_all_ok(comm, comm_rank(comm) != 0 || *folder, error))
        return false;
    agreement_share_text(comm, folder);
    return true;
}

/* What is preprocessed, and the folder that its data sets go into. */
struct preprocessing {
    const struct bench_options *options; /* not owned, as is the next */
    const char *folder;
};

static bool preprocess_once(void *context, struct comm *comm, int number, double *seconds, struct error *error)
{
    const struct preprocessing *preprocessing = context;
    char *name = format_text("data-%d", number);
    struct preprocess_options work = {
        .input_dir = preprocessing->options->input_dir,
        .output_dir = path_join(preprocessing->folder, name),
        .recursive = true,
        .min_bars = 1,
    };
    double started = clock_seconds();
    bool ok = preprocess_run(&work, comm, error);
    *seconds = clock_seconds() - started;
    free(work.output_dir);
    free(name);
    return ok;
}

/* Rank 0's count of the files that preprocessing reads. */
static bool count_files(double *count, const struct bench_options *options, struct error *error)
{
    static const char *const suffixes[] = {".mid", ".midi", NULL};
    struct file_list list;
    if (!file_list_make(&list, options->input_dir, true, suffixes, error))
        return error_prefix(error, "--input_dir");
    *count = (double)list.count;
    file_list_free(&list);
    return true;
}

/* How often it is worth preprocessing, after a run that is not counted: a short time is easily disturbed, and where it is
 * long, turns of one rank alone would take too long. Collective. */
static bool plan_turns(int *repeats, bool *beside_one, struct preprocessing *preprocessing, struct comm *comm,
                       struct error *error)
{
    enum { MOST_REPEATS = 15 };
    static const double most_seconds = 2, most_alone = 60;
    int ranks = comm_size(comm);
    double seconds;
    /* The first may have to fetch the files from a disk. */
    if (!preprocess_once(preprocessing, comm, -1, &seconds, error))
        return false;
    comm_max_doubles(comm, &seconds, 1);
    if (seconds < most_seconds && !preprocess_once(preprocessing, comm, -2, &seconds, error))
        return false;
    comm_max_doubles(comm, &seconds, 1);
    *repeats = (int)fmin(MOST_REPEATS, fmax(REPEATS, most_seconds / seconds));
    *beside_one = ranks > 1 && ranks * seconds < most_alone;
    return true;
}

static bool time_preprocess(struct bench_figures *figures, struct preprocessing *preprocessing, double num_files,
                            struct comm *comm, struct error *error)
{
    int repeats, ranks = comm_size(comm);
    bool beside_one;
    struct bench_turns turns;
    if (!plan_turns(&repeats, &beside_one, preprocessing, comm, error) ||
        !bench_turns_take(&turns, preprocess_once, preprocessing, repeats, beside_one, comm, error))
        return false;
    bench_add(figures, "preprocess", "s", turns.together, "seconds");
    bench_add(figures, "preprocess", "1/s", num_files / turns.together, "files_per_second");
    if (beside_one)
        bench_add_times_of_one(figures, "preprocess", "speed", turns.ratio, ranks);
    return true;
}

bool bench_preprocess(struct bench_figures *figures, const struct bench_options *options, struct comm *comm,
                      struct error *error)
{
    char *folder = NULL;
    double num_files = 0;
    enum log_level level = be_quiet();
    bool ok = comm_all_ok(comm, comm_rank(comm) != 0 || count_files(&num_files, options, error), error) &&
              share_folder(&folder, options, comm, error);
    struct preprocessing preprocessing = {options, folder};
    ok = ok && time_preprocess(figures, &preprocessing, num_files, comm, error);
    if (comm_rank(comm) == 0)
        bench_folder_remove(folder);
    else
        free(folder);
    log_set_level(level);
    return ok;
}
