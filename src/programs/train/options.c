#include "programs/train/options.h"

#include "exchange/encoding.h"
#include "model/checkpoint.h"
#include "programs/common/rank_log.h"
#include "programs/train/deadline.h"
#include "run/run_folder.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define ROW(name, type, default_text, minimum, maximum, choices, argument, help)                                       \
    SETTING_ROW(struct train_options, name, type, default_text, minimum, maximum, choices, argument, help)
#define TEXT(name, default_text, argument, help) ROW(name, SETTING_STRING, default_text, 0, 0, NULL, argument, help)
#define INT(name, default_text, minimum, maximum, help)                                                                \
    ROW(name, SETTING_INT, default_text, minimum, maximum, NULL, "N", help)
#define DOUBLE(name, default_text, minimum, maximum, argument, help)                                                   \
    ROW(name, SETTING_DOUBLE, default_text, minimum, maximum, NULL, argument, help)

static const struct setting rows[] = {
    TEXT(config, NULL, "NAME", "Model configuration: groovae_4bar, ... (drumline-info --hparams lists all)."),
    ROW(mode, SETTING_CHOICE, "train", 0, 0, "train|eval|latents|export|import|check", NULL,
        "train; eval: report losses and quality of a checkpoint on a split; latents: measure the latent space of a "
        "checkpoint "
        "on the train split, and store the result in it; export: write a checkpoint's weights as a model file; import: "
        "write a model of another program as one; check: whether a training of this command line could start: config, "
        "hparams, data set "
        "if it is there, batch size, --init_checkpoint, run; writes nothing."),
    TEXT(examples_path, NULL, "DIR",
         "Data set made by drumline-preprocess. With --mode=export, optional: as --mode=latents, for the file that is "
         "written."),
    TEXT(run_dir, NULL, "DIR", "Folder of the run. Training resumes from its latest valid checkpoint, if any."),
    RANK_LOG_ROW(struct train_options),
    INT(num_steps, "200000", 1, 4294967295.0, "Train up to this step."),
    INT(num_ranks, "0", 0, 1e7, "With --mode=check: ranks that the training will have (0: those of this job)."),
    TEXT(hparams, NULL, "a=1,b=[2,3]", "Overrides of the config's hparams; of the checkpoint's when resuming."),
    TEXT(init_checkpoint, NULL, "FILE|RUN|NAME",
         "Start a new run from the weights of this checkpoint, model file or run, or of the shipped model NAME, whose "
         "hparams it then has too, but for precision and what --hparams changes."),
    ROW(checkpoint, SETTING_CHOICE, "best", 0, 0, RUN_CHECKPOINT_CHOICES, NULL,
        "With --mode=eval, latents or export: train/best.h5 of the run, or its newest checkpoint; newest where there "
        "is no "
        "best."),
    TEXT(checkpoint_file, NULL, "FILE",
         "With --mode=eval, latents or export: this checkpoint instead of one of the run."),
    TEXT(input_file, NULL, "FILE|DIR",
         "With --mode=import: a checkpoint of Magenta's (TensorFlow's .index, or a .tar or .zip of one), a folder or "
         "archive of Magenta.js, or a safetensors file. --config says what its tensors don't show."),
    ROW(format, SETTING_CHOICE, "hdf5", 0, 0, "hdf5|magenta_js|safetensors", NULL,
        "With --mode=export. hdf5: a model file for Drumline's programs; magenta_js: a folder that Magenta.js plays; "
        "safetensors: a file for other programs (docs/formats.md)."),
    TEXT(output_file, NULL, "FILE", "With --mode=export or import: the file to write, NAME.h5 or NAME.safetensors."),
    TEXT(output_dir, NULL, "DIR", "With --format=magenta_js: the folder to write."),
    ROW(dtype, SETTING_CHOICE, "f32", 0, 0, "f32|f16|u8", NULL,
        "With --mode=export or import: type of the weights in it; u8, bytes of a linear scale, with "
        "--format=magenta_js alone."),
    TEXT(licence, NULL, "TEXT", "With --mode=export or import: the licence of the model, stored in it."),
    TEXT(attribution, NULL, "TEXT", "With --mode=export or import: whose model and data it is, stored in it."),
    ROW(overwrite, SETTING_BOOL, "false", 0, 0, NULL, NULL,
        "With --mode=export or import: replace a file or folder of that name."),
    INT(seed, "-1", -1, 9007199254740992.0, "Random seed (-1: the run's; 0 for a new run)."),
    INT(log_steps, "10", 1, 1e9, "Steps between lines of the log and of metrics.jsonl."),
    DOUBLE(log_secs, "10", 0, 1e9, "S", "Also log how far the training is after S seconds without a line (0: do not)."),
    ROW(log_tensors, SETTING_BOOL, "false", 0, 0, NULL, NULL,
        "With each line of metrics, also write the norms of every tensor, its gradient and its update into "
        "RUN/train/tensors.jsonl."),
    ROW(tensorboard, SETTING_BOOL, "false", 0, 0, NULL, NULL,
        "Also write event files for TensorBoard into RUN/train and RUN/eval: metrics, hparams, and at evaluations "
        "histograms of "
        "gradients and drum rolls of what the model plays."),
    TEXT(trace, NULL, "FILE.json",
         "Write a timeline of the phases and allreduces of some steps on all ranks, for ui.perfetto.dev or "
         "chrome://tracing."),
    INT(trace_steps, "5", 1, 1000, "Steps in it, from the third of the session."),
    INT(eval_steps, "-1", -1, 1e9,
        "Steps between evaluations during training (0: none; -1: the run's; for a new run 500 where the data set has "
        "validation windows)."),
    TEXT(eval_split, "validation", "SPLIT", "Split to evaluate: train, validation or test."),
    INT(num_samples, "0", 0, 1e6,
        "With --mode=eval: also draw this many samples, and compare them with the data (1000 is usual; 0: none)."),
    ROW(keep_hits, SETTING_CHOICE, "auto", 0, 0, SETTING_AUTO_CHOICES, NULL,
        "With --mode=eval: also judge velocities and timing with exactly the hits of the data. auto: for models that "
        "are given all hits."),
    ROW(latent, SETTING_CHOICE, "auto", 0, 0, "auto|prior|fitted", NULL,
        "With --num_samples: draw latent vectors from N(0, 1), or from the density stored with the model. auto: the "
        "latter where there is one."),
    DOUBLE(
        temperature, "0", 0, 1000, "T",
        "With --num_samples: sampling temperature of hits (0: for samples from a fitted latent density what the model "
        "stores, or 0.9; else 0.5)."),
    DOUBLE(velocity_noise, "-1", -1, 10, "X",
           "With --mode=eval: as that of drumline-generate. -1: 1 for samples where the model stores it, else 0."),
    DOUBLE(timing_noise, "-1", -1, 10, "X", "With --mode=eval: the same for the timing."),
    INT(patience, "0", 0, 1e9, "Stop after this many evaluations in a row without a lower val_loss (0: never)."),
    ROW(prune, SETTING_BOOL, "false", 0, 0, NULL, NULL,
        "Stop when the lowest val_loss falls behind the other runs in the folder that --run_dir lies in: above the "
        "median of "
        "their mean val_loss up to the same step (median stopping). Runs of the same data set and loss count."),
    INT(prune_warmup_steps, "-1", -1, 4294967295.0,
        "With --prune: no run is stopped before this step (-1: before its fifth evaluation)."),
    INT(prune_min_runs, "3", 1, 10000,
        "With --prune: compare only at steps that at least this many other runs have reached."),
    ROW(fit_latents, SETTING_BOOL, "true", 0, 0, NULL, NULL,
        "Once the training is done, measure the latent space of train/best.h5, as --mode=latents does. "
        "--nofit_latents: "
        "don't."),
    INT(checkpoints_to_keep, "10", 1, 1e6, "Number of latest checkpoints to keep."),
    DOUBLE(keep_checkpoint_every_n_hours, "0", 0, 1e6, "H", "Also keep one checkpoint per H hours (0: none)."),
    DOUBLE(save_checkpoint_secs, "600", 0, 1e9, "S", "Seconds between checkpoints (0: not by time)."),
    INT(save_checkpoint_steps, "0", 0, 1e9, "Steps between checkpoints (0: not by step)."),
    DOUBLE(max_seconds, "0", 0, 1e9, "S",
           "Stop with a checkpoint and exit status 3 before S seconds have passed (0: no limit)."),
    TEXT(deadline, "auto", "auto|none|SECONDS",
         "Stop likewise before this Unix time. auto: 10 s before the end of the Slurm job (SLURM_JOB_END_TIME), if "
         "any."),
    DOUBLE(
        stall_seconds, "300", 0, 1e9, "S",
        "End the job when a node makes no progress for S seconds, such as when a process is stopped or a disk does not "
        "answer; warn after S/5 (0: off)."),
    INT(micro_batch_size, "0", 0, 65536, "Maximum windows per micro-batch (0: auto)."),
    INT(threads, "0", 0, 1024, "Threads per rank for GEMMs (0: one per available core)."),
    INT(bucket_kib, "2048", 4, 1 << 20, "Minimum size of a gradient allreduce in KiB."),
};

const struct program train_program = {
    .name = "drumline-train",
    .summary = "trains a drum groove model on any number of MPI ranks; evaluates, exports and imports models",
    .usage = "--config NAME --examples_path DIR --run_dir DIR [OPTION]...",
    .examples =
        "mpirun -n 2 drumline-train --config groovae_4bar --examples_path data --run_dir runs/one --num_steps 1000\n"
        "mpirun -n 2 drumline-train --mode=eval --examples_path data --run_dir runs/one --num_samples=1000\n"
        "drumline-train --mode=export --run_dir runs/one --output_file models/groovae_4bar.h5 --dtype=f16\n"
        "drumline-train --mode=export --run_dir runs/one --format=magenta_js --output_dir web/groovae_4bar\n"
        "drumline-train --mode=import --input_file groovae_2bar_humanize.tar --config groovae_2bar_humanize "
        "--output_file humanize.h5\n"
        "mpirun -n 2 drumline-train --config groovae_4bar_flat --examples_path data --run_dir runs/two "
        "--hparams=batch_size=128,learning_rate=0.0005\n",
    .other_statuses = ", 3 stopped by a signal or a deadline with a checkpoint: rerun the same command to resume",
    .table = {rows, sizeof rows / sizeof *rows},
};

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), size = strlen(end);
    return length >= size && strcmp(text + length - size, end) == 0;
}

static bool check_export_output(const struct train_options *options, struct error *error)
{
    bool is_folder = options->format == FORMAT_MAGENTA_JS;
    if (options->dtype == EXCHANGE_U8 && !is_folder)
        return error_set(error, "--dtype=u8 is for --format=magenta_js: other formats have no scale for bytes");
    if (is_folder && options->output_file)
        return error_set(error, "--format=magenta_js writes a folder: give --output_dir in place of --output_file");
    if (!is_folder && options->output_dir)
        return error_set(error, "--output_dir is for --format=magenta_js: give --output_file, or --run_dir for a run");
    if (is_folder && !options->output_dir)
        return error_set(error, "--output_dir is missing: the folder to write");
    if (!is_folder && !options->output_file)
        return error_set(error, "--output_file is missing: the model file to write, such as %s",
                         options->format == FORMAT_SAFETENSORS ? "groovae_4bar.safetensors" : "groovae_4bar.h5");
    if (options->format == FORMAT_HDF5 && ends_with(options->output_file, ".safetensors"))
        return error_set(error, "--output_file=%s: give --format=safetensors too, or another name",
                         options->output_file);
    return true;
}

static bool check_import_output(const struct train_options *options, struct error *error)
{
    if (!options->input_file)
        return error_set(error, "--input_file is missing: the model to import, such as groovae_2bar_humanize.tar");
    if (!options->output_file)
        return error_set(error, "--output_file is missing: the model file to write, such as groovae_2bar_humanize.h5");
    if (options->format != FORMAT_HDF5 || options->dtype == EXCHANGE_U8 || options->output_dir)
        return error_set(error, "--mode=import writes a model file of --dtype=f32 or f16; from that, --mode=export "
                                "makes other formats");
    return true;
}

/* The modes that write a model. */
static bool check_model(const struct train_options *options, struct error *error)
{
    const struct {
        const char *flag, *text;
    } notes[] = {
        {"licence",     options->licence    },
        {"attribution", options->attribution}
    };
    if (options->mode == MODE_IMPORT ? !check_import_output(options, error) : !check_export_output(options, error))
        return false;
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        if (notes[i].text && strlen(notes[i].text) >= CHECKPOINT_NOTE_SIZE)
            return error_set(error, "--%s is longer than %d bytes", notes[i].flag, CHECKPOINT_NOTE_SIZE - 1);
    return true;
}

bool train_options_check(const struct train_options *options, const struct config **config, struct error *error)
{
    static const char *const splits[] = {"train", "validation", "test"};
    *config = NULL;
    if (!deadline_check_flag(options->deadline, error))
        return false;
    bool trains = options->mode == MODE_TRAIN || options->mode == MODE_CHECK;
    bool writes_model = options->mode == MODE_EXPORT || options->mode == MODE_IMPORT;
    if (writes_model && !check_model(options, error))
        return false;
    if (!writes_model && (options->output_file || options->output_dir || options->licence || options->attribution))
        return error_set(error,
                         "--output_file, --output_dir, --licence and --attribution are for --mode=export and import");
    if (options->mode != MODE_IMPORT && options->input_file)
        return error_set(error, "--input_file is for --mode=import");
    if (options->mode != MODE_EVAL && options->num_samples > 0)
        return error_set(error, "--num_samples is for --mode=eval");
    if (options->mode != MODE_CHECK && options->num_ranks > 0)
        return error_set(error, "--num_ranks is for --mode=check: mpirun or srun says how many ranks there are");
    if (!options->examples_path && !writes_model && options->mode != MODE_CHECK)
        return error_set(error, "--examples_path is missing: the folder that drumline-preprocess made");
    if (!options->run_dir && options->mode != MODE_IMPORT && (trains || !options->checkpoint_file))
        return error_set(error, "--run_dir is missing: the folder for checkpoints and metrics");
    if (trains && options->checkpoint_file)
        return error_set(error,
                         "--checkpoint_file is for --mode=eval, latents and export; to begin from its parameters give "
                         "--init_checkpoint");
    if (trains && !options->config)
        return error_set(error, "--config is missing: groovae_4bar is one (drumline-info --hparams lists all)");
    if (options->patience > 0 && (options->eval_steps == 0 || strcmp(options->eval_split, "validation") != 0))
        return error_set(error, "--patience needs evaluations of the validation split during training");
    if (options->prune && (options->eval_steps == 0 || strcmp(options->eval_split, "validation") != 0))
        return error_set(error, "--prune needs evaluations of the validation split during training");
    bool known = false;
    for (size_t i = 0; i < sizeof splits / sizeof *splits; i++)
        known = known || strcmp(options->eval_split, splits[i]) == 0;
    if (!known)
        return error_set(error, "--eval_split=%s: one of train, validation, test is allowed", options->eval_split);
    struct hparams changed = {0};
    if (options->hparams && !settings_parse_list(&hparams_table, &changed, options->hparams, error))
        return error_prefix(error, "--hparams");
    if (!options->config)
        return true;
    *config = config_find(options->config, error);
    return *config != NULL;
}
