#include "programs/train/options.h"

#include "programs/common/rank_log.h"
#include "programs/train/deadline.h"

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
    TEXT(
        config, NULL, "NAME",
        "Which model: groovae_4bar, groovae_4bar_flat, groovae_2bar_humanize ... (drumline-info --hparams lists all)."),
    ROW(mode, SETTING_CHOICE, "train", 0, 0, "train|eval", NULL,
        "Train, or report a checkpoint's losses on a split and end."),
    TEXT(examples_path, NULL, "DIR", "The data set that drumline-preprocess made."),
    TEXT(run_dir, NULL, "DIR", "The run's folder. Training goes on from its newest sound checkpoint."),
    RANK_LOG_ROW(struct train_options),
    INT(num_steps, "200000", 1, 4294967295.0, "The step at which training ends."),
    TEXT(hparams, NULL, "a=1,b=[2,3]", "Changes to the config's hparams; on resuming, to the checkpoint's."),
    TEXT(init_checkpoint, NULL, "FILE", "Begin a new run from this checkpoint's parameters. Ignored on resuming."),
    TEXT(checkpoint_file, NULL, "FILE", "With --mode=eval: this checkpoint instead of the run's newest."),
    INT(seed, "-1", -1, 9007199254740992.0, "Seed of all random numbers; -1: the checkpoint's, 0 for a new run."),
    INT(log_steps, "10", 1, 1e9, "Steps between two lines of the log and of metrics.jsonl."),
    INT(eval_steps, "0", 0, 1e9, "Steps between two evaluations during training; 0: none."),
    TEXT(eval_split, "validation", "SPLIT", "The split that is evaluated: train, validation or test."),
    INT(checkpoints_to_keep, "10", 1, 1e6, "Newest checkpoints that are kept."),
    DOUBLE(keep_checkpoint_every_n_hours, "0", 0, 1e6, "H",
           "Keep one checkpoint for every H hours besides, the first included; 0: none."),
    DOUBLE(save_checkpoint_secs, "600", 0, 1e9, "S", "Seconds between two checkpoints; 0: not by time."),
    INT(save_checkpoint_steps, "0", 0, 1e9, "Steps between two checkpoints; 0: not by step."),
    DOUBLE(max_seconds, "0", 0, 1e9, "S",
           "Stop with a checkpoint and exit status 3, so early that no more than S seconds pass; 0: no limit."),
    TEXT(deadline, "auto", "auto|none|SECONDS",
         "Stop likewise 10 s before the Slurm job's end (SLURM_JOB_END_TIME, where it is set), or before a moment in "
         "seconds since 1970; none: don't."),
    INT(micro_batch_size, "0", 0, 65536,
        "Most windows that a rank works on at a time; its part of a batch is made in as many goes as that takes. "
        "0: chosen for speed."),
    INT(threads, "0", 0, 1024, "Threads of a rank's matrix products; 0: the cores that the rank has."),
    INT(bucket_kib, "2048", 4, 1 << 20, "Least size in KiB of what one reduction of gradients sums."),
};

const struct program train_program = {
    .name = "drumline-train",
    .summary = "trains or evaluates a drum-groove model, on as many MPI ranks as it is started with",
    .usage = "--config NAME --examples_path DIR --run_dir DIR [OPTION]...",
    .examples =
        "mpirun -n 2 drumline-train --config groovae_4bar --examples_path data --run_dir runs/one --num_steps 1000\n"
        "mpirun -n 2 drumline-train --mode=eval --examples_path data --run_dir runs/one\n"
        "mpirun -n 2 drumline-train --config groovae_4bar_flat --examples_path data --run_dir runs/two "
        "--hparams=batch_size=128,learning_rate=0.0005\n",
    .other_statuses = ", 3 halted by a signal or a deadline, with a checkpoint to go on from",
    .table = {rows, sizeof rows / sizeof *rows},
};

bool train_options_check(const struct train_options *options, const struct config **config, struct error *error)
{
    static const char *const splits[] = {"train", "validation", "test"};
    *config = NULL;
    if (!deadline_check_flag(options->deadline, error))
        return false;
    if (!options->examples_path)
        return error_set(error, "--examples_path is missing: the folder that drumline-preprocess made");
    if (!options->run_dir && (options->mode == MODE_TRAIN || !options->checkpoint_file))
        return error_set(error, "--run_dir is missing: the folder for checkpoints and metrics");
    if (options->mode == MODE_TRAIN && options->checkpoint_file)
        return error_set(error, "--checkpoint_file is for --mode=eval; to begin from its parameters give "
                                "--init_checkpoint");
    if (options->mode == MODE_TRAIN && !options->config)
        return error_set(error, "--config is missing: groovae_4bar is one (drumline-info --hparams lists all)");
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
