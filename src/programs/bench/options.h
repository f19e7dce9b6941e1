/* The command line of drumline-bench. */
#ifndef DRUMLINE_PROGRAMS_BENCH_OPTIONS_H
#define DRUMLINE_PROGRAMS_BENCH_OPTIONS_H

#include "base/cli/options.h"
#include "model/vae/hparams.h"

enum bench_mode { BENCH_TRAIN, BENCH_ALLREDUCE, BENCH_SCALING, BENCH_GENERATE, BENCH_PREPROCESS, BENCH_ALL };

struct bench_options {
    int mode; /* enum bench_mode */
    char *config, *hparams;
    int64_t steps;
    int64_t micro_batch_size, threads, bucket_kib;
    double peer_windows_per_second; /* 0: not given, as in the next two */
    double latency_us, bandwidth_gbps;
    int64_t num_outputs;
    char *input_dir, *temporary_dir, *log_dir;
    bool json;
};

extern const struct program bench_program;

/* A command line of the form `drumline-bench MODE ...` as `drumline-bench --mode=MODE ...`: argv[1] is replaced where
 * it is no option. The word is owned by the caller; NULL where nothing was replaced. */
char *bench_options_take_mode(int argc, char **argv);

/* Checks what depends on several options, and makes the hparams. */
bool bench_options_check(const struct bench_options *options, struct hparams *hparams, struct error *error);

/* Whether this is measured under options->mode. */
bool bench_options_want(const struct bench_options *options, enum bench_mode mode);

#endif
