#include "programs/bench/work.h"

#include "base/clock.h"
#include "base/io/files.h"
#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "model/checkpoint.h"
#include "model/inference/generation.h"
#include "programs/bench/folder.h"
#include "programs/bench/rounds.h"
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

/* Prints the programs' own warnings and errors only. Returns the level to go back to. */
static enum log_level be_quiet(void)
{
    enum log_level level = log_get_level();
    if (level == LOG_LEVEL_INFO)
        log_set_level(LOG_LEVEL_WARNING);
    return level;
}

/* An untrained model, as a checkpoint and in memory, and an input file for the configs that need one. */
struct generating {
    const struct bench_options *options; /* not owned */
    struct bench_folder *folder;         /* owned, as are the next four */
    char *checkpoint, *input;
    struct model *model;
    struct inference_decoder *decoder; /* of the same parameters */
    int threads;
    int num_folders; /* that outputs were written to */
};

static bool save_checkpoint(struct generating *generating, const struct hparams *hparams, struct error *error)
{
    struct checkpoint checkpoint = {.hparams = *hparams, .num_ranks = 1};
    const struct tensor_group weights = {CHECKPOINT_WEIGHTS, generating->model->values};
    const struct checkpoint_content content = {&generating->model->table, &weights, 1, CHECKPOINT_FLOAT32, NULL};
    snprintf(checkpoint.config, sizeof checkpoint.config, "%s", generating->options->config);
    memset(checkpoint.content_sha256, '0', 64);
    snprintf(checkpoint.program_version, sizeof checkpoint.program_version, "%s", drumline_version());
    date_now(checkpoint.date);
    generating->checkpoint = path_join(bench_folder_path(generating->folder), "checkpoint.h5");
    return checkpoint_save(generating->checkpoint, &checkpoint, &content, error);
}

/* A synthetic window as a MIDI file, and its hits as the model's controls. */
static bool make_input(struct generating *generating, const struct hparams *hparams, struct error *error)
{
    struct bench_windows windows;
    struct generate_output output;
    struct drum_map map;
    struct grid grid;
    struct model_step part = {.batch = 1};
    if (!bench_windows_make(&windows, hparams, error))
        return false;
    bench_windows_fill(&windows, generating->model, &part);
    /* A hit in the last step, and none that is early in the first: the file is one window. */
    drum_map_builtin(&map, "general");
    bool ok = grid_from_window(&grid, windows.rows, (uint32_t)hparams->bars, 120, &windows.transform, error);
    if (ok) {
        size_t last = (size_t)(grid.num_steps - 1) * NUM_DRUMS;
        grid.hits[last] = 1;
        grid.velocity[last] = 127;
        grid.offset[last] = 0;
        memset(grid.offset, 0, NUM_DRUMS * sizeof *grid.offset);
        ok = generate_output_start(&output, bench_folder_path(generating->folder), generating->options->config, "input",
                                   1, &map, error) &&
             generate_output_write(&output, &grid, error);
        if (ok)
            generating->input = generate_output_path(&output, 0);
        grid_free(&grid);
    }
    bench_windows_free(&windows);
    return ok;
}

static bool generating_open(struct generating *generating, const struct hparams *hparams, struct error *error)
{
    generating->folder = bench_folder_make(generating->options->temporary_dir, error);
    if (!generating->folder)
        return false;
    generating->model = model_make(hparams, 1, error);
    if (!generating->model)
        return false;
    model_initialize(generating->model, 0);
    generating->decoder =
        inference_decoder_make(hparams, &generating->model->table, generating->model->values, false, error);
    if (!generating->decoder)
        return false;
    return save_checkpoint(generating, hparams, error) &&
           (model_shape_of(hparams).num_controls == 0 || make_input(generating, hparams, error));
}

static void generating_close(struct generating *generating)
{
    inference_decoder_free(generating->decoder);
    model_free(generating->model);
    free(generating->checkpoint);
    free(generating->input);
    bench_folder_remove(generating->folder);
}

/* All that drumline-generate does for that many samples, into a folder of their own. */
static bool time_generate(double *seconds, struct generating *generating, int64_t num_outputs, struct error *error)
{
    bool wrong_usage;
    char *name = format_text("output-%d", generating->num_folders++);
    struct generate_options options = {
        .checkpoint_file = generating->checkpoint,
        .mode = GENERATE_SAMPLE,
        .num_outputs = num_outputs,
        .input_midi = {generating->input},
        .temperature = 1,
        .threads = generating->threads,
        .output_dir = path_join(bench_folder_path(generating->folder), name),
    };
    double started = clock_seconds();
    bool ok = generate(&options, &wrong_usage, error);
    *seconds = clock_seconds() - started;
    free(options.output_dir);
    free(name);
    return ok;
}

static void draw_latents(void *context, float *z, int first, int count, int window, struct inference_scratch *scratch)
{
    (void)window;
    (void)scratch;
    const struct generating *generating = context;
    generation_draw_latents(z, count, inference_decoder_shape(generating->decoder)->z_size, 0, (uint32_t)first);
}

/* The same windows, generated and not written. */
static bool time_unwritten(double *seconds, struct generating *generating, struct error *error)
{
    struct generate_work work = {
        .decoder = generating->decoder,
        .make_latents = draw_latents,
        .context = generating,
        .count = (int)generating->options->num_outputs,
        .threads = generating->threads,
        .request = {.controls = generating->model->controls, .temperature = 1},
    };
    double started = clock_seconds();
    bool ok = generate_play(&work, error);
    *seconds = clock_seconds() - started;
    return ok;
}

static bool time_all(struct bench_metrics *metrics, struct generating *generating, struct error *error)
{
    double one[REPEATS], unwritten[REPEATS], written[REPEATS], count = (double)generating->options->num_outputs;
    for (int i = 0; i < REPEATS; i++)
        if (!time_generate(&one[i], generating, 1, error) || !time_unwritten(&unwritten[i], generating, error) ||
            !time_generate(&written[i], generating, generating->options->num_outputs, error))
            return false;
    double rate = count / bench_median(unwritten, REPEATS);
    bench_add(metrics, "generate", "ms", 1e3 * bench_median(one, REPEATS), "one_sample_from_checkpoint_to_MIDI");
    bench_add(metrics, "generate", "1/s", rate, "windows_generated_per_second");
    bench_compare(
        bench_add(metrics, "generate", "1/s", count / bench_median(written, REPEATS), "windows_written_per_second"),
        "not written", rate);
    return true;
}

bool bench_generate(struct bench_metrics *metrics, const struct bench_options *options, const struct hparams *hparams,
                    int threads, struct comm *comm, struct error *error)
{
    struct generating generating = {.options = options, .threads = threads};
    enum log_level level = be_quiet();
    bool ok =
        comm_rank(comm) != 0 || (generating_open(&generating, hparams, error) && time_all(metrics, &generating, error));
    generating_close(&generating);
    log_set_level(level);
    return comm_all_ok(comm, ok, error);
}

/* A folder that rank 0 makes and owns, and whose path all know. Collective. */
static bool share_folder(struct bench_folder **folder, char **path, const struct bench_options *options,
                         struct comm *comm, struct error *error)
{
    *folder = comm_rank(comm) == 0 ? bench_folder_make(options->temporary_dir, error) : NULL;
    if (!comm_all_ok(comm, comm_rank(comm) != 0 || *folder, error))
        return false;
    *path = *folder ? format_text("%s", bench_folder_path(*folder)) : NULL;
    agreement_share_text(comm, path);
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

/* How many rounds to make, after a run that is not counted: more where one is short, for a short time is easily disturbed,
 * and none of one rank alone where that would take too long. What the first run warns of is not repeated: the next ones
 * print errors only. Collective. */
static bool plan_rounds(int *rounds, bool *beside_one, struct preprocessing *preprocessing, struct comm *comm,
                        struct error *error)
{
    enum { MOST_ROUNDS = 15 };
    static const double most_seconds = 2, most_alone = 60;
    int ranks = comm_size(comm);
    double seconds;
    /* The first may have to fetch the files from a disk. */
    if (!preprocess_once(preprocessing, comm, -1, &seconds, error))
        return false;
    log_set_level(LOG_LEVEL_ERROR);
    comm_max_doubles(comm, &seconds, 1);
    if (seconds < most_seconds && !preprocess_once(preprocessing, comm, -2, &seconds, error))
        return false;
    comm_max_doubles(comm, &seconds, 1);
    *rounds = (int)fmin(MOST_ROUNDS, fmax(REPEATS, most_seconds / seconds));
    *beside_one = ranks > 1 && ranks * seconds < most_alone;
    return true;
}

static bool time_preprocess(struct bench_metrics *metrics, struct preprocessing *preprocessing, double num_files,
                            struct comm *comm, struct error *error)
{
    int num_rounds, ranks = comm_size(comm);
    bool beside_one;
    struct bench_rounds rounds;
    if (!plan_rounds(&num_rounds, &beside_one, preprocessing, comm, error) ||
        !bench_rounds_run(&rounds, preprocess_once, preprocessing, num_rounds, beside_one, comm, error))
        return false;
    bench_add(metrics, "preprocess", "s", rounds.together, "seconds");
    bench_add(metrics, "preprocess", "1/s", num_files / rounds.together, "files_per_second");
    if (beside_one)
        bench_add_speedup(metrics, "preprocess", "speed", rounds.ratio, ranks);
    return true;
}

bool bench_preprocess(struct bench_metrics *metrics, const struct bench_options *options, struct comm *comm,
                      struct error *error)
{
    struct bench_folder *folder = NULL;
    char *path = NULL;
    double num_files = 0;
    enum log_level level = be_quiet();
    bool ok = comm_all_ok(comm, comm_rank(comm) != 0 || count_files(&num_files, options, error), error) &&
              share_folder(&folder, &path, options, comm, error);
    struct preprocessing preprocessing = {options, path};
    ok = ok && time_preprocess(metrics, &preprocessing, num_files, comm, error);
    bench_folder_remove(folder);
    free(path);
    log_set_level(level);
    return ok;
}
