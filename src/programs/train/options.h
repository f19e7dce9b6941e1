/* The command line of drumline-train. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_OPTIONS_H
#define DRUMLINE_PROGRAMS_TRAIN_OPTIONS_H

#include "base/cli/options.h"
#include "model/vae/hparams.h"

enum train_mode { MODE_TRAIN, MODE_EVAL, MODE_LATENTS, MODE_EXPORT, MODE_IMPORT, MODE_CHECK };
enum export_format { FORMAT_HDF5, FORMAT_MAGENTA_JS, FORMAT_SAFETENSORS };

/* What latent vectors of samples are drawn from. */
enum train_latent { TRAIN_LATENT_AUTO, TRAIN_LATENT_PRIOR, TRAIN_LATENT_FITTED };

struct train_options {
    char *config;
    int mode; /* enum train_mode */
    char *examples_path, *run_dir, *log_dir;
    int64_t num_steps;
    int64_t num_ranks; /* with --mode=check; 0: those there are */
    char *hparams;
    char *init_checkpoint, *checkpoint_file;
    char *input_file;            /* with --mode=import */
    int format;                  /* enum export_format; with --mode=export */
    char *output_file;           /* this and the next five: with --mode=export or import */
    char *output_dir;            /* of FORMAT_MAGENTA_JS */
    int dtype;                   /* enum exchange_dtype */
    char *licence, *attribution; /* up to CHECKPOINT_NOTE_SIZE - 1 bytes each */
    bool overwrite;
    int64_t seed; /* -1: the checkpoint's, else 0 */
    int64_t log_steps;
    double log_secs;
    bool log_tensors, tensorboard;
    char *trace;
    int64_t trace_steps;
    int64_t eval_steps; /* -1: the run's */
    char *eval_split;
    int64_t num_samples; /* the next six: with --mode=eval */
    int keep_hits;       /* enum setting_auto */
    int latent;          /* enum train_latent */
    double temperature;  /* 0: by the latent density */
    double velocity_noise, timing_noise;
    int64_t patience;
    bool prune;
    int64_t prune_warmup_steps; /* -1: five evaluations */
    int64_t prune_min_runs;
    bool fit_latents;
    int checkpoint; /* enum run_checkpoint_choice */
    int64_t checkpoints_to_keep;
    double keep_checkpoint_every_n_hours, save_checkpoint_secs;
    int64_t save_checkpoint_steps;
    double max_seconds, stall_seconds;
    char *deadline; /* programs/train/deadline.h */
    int64_t micro_batch_size, threads, bucket_kib;
    const char *program; /* argv[0] */
};

extern const struct program train_program;

/* Exit status of drumline-train when a signal or a deadline stopped it before num_steps with a checkpoint: rerun the same
 * command to resume. */
enum { EXIT_HALTED = 3 };

/* Cross-checks, and the config (NULL where --mode=eval or export leaves it to the checkpoint). */
bool train_options_check(const struct train_options *options, const struct config **config, struct error *error);

#endif
