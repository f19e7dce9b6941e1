#include "programs/bench/options.h"

#include "base/text.h"
#include "programs/common/rank_log.h"

#define ROW(name, type, default_text, minimum, maximum, choices, argument, help)                                       \
    SETTING_ROW(struct bench_options, name, type, default_text, minimum, maximum, choices, argument, help)
#define TEXT(name, default_text, argument, help) ROW(name, SETTING_STRING, default_text, 0, 0, NULL, argument, help)
#define INT(name, default_text, minimum, maximum, help)                                                                \
    ROW(name, SETTING_INT, default_text, minimum, maximum, NULL, "N", help)
#define DOUBLE(name, maximum, argument, help) ROW(name, SETTING_DOUBLE, "0", 0, maximum, NULL, argument, help)

static const struct setting rows[] = {
    ROW(mode, SETTING_CHOICE, "all", 0, 0, "train|allreduce|scaling|generate|preprocess|all", NULL,
        "What to measure; may be given as the first argument, without --mode=. all: everything that ranks and options "
        "allow."),
    TEXT(config, "groovae_4bar_flat", "NAME", "Config of the model to train and generate with, on synthetic windows."),
    TEXT(hparams, NULL, "a=1,b=[2,3]", "Changes to the config's hparams; batch_size is that of the whole job."),
    INT(steps, "5", 1, 1000,
        "Training steps to time, after a warm-up step; scaling times as many again, interleaved with steps of one rank "
        "alone. Times are medians."),
    INT(micro_batch_size, "0", 0, 65536, "As in drumline-train."),
    INT(threads, "0", 0, 1024, "As in drumline-train: BLAS threads per rank."),
    INT(bucket_kib, "2048", 4, 1 << 20, "As in drumline-train: bucket size of the gradient allreduce in KiB."),
    DOUBLE(peer_windows_per_second, 1e12, "X",
           "train: windows per second of another program, as a baseline (0: none)."),
    DOUBLE(latency_us, 1e9, "US", "scaling: latency of a message in microseconds, instead of the measured one."),
    DOUBLE(bandwidth_gbps, 1e9, "GBPS", "scaling: bandwidth of a link in Gbit/s, instead of the measured one."),
    INT(num_outputs, "1000", 1, 1e6, "generate: windows to generate on rank 0, while the others wait."),
    TEXT(input_dir, NULL, "DIR", "preprocess: folder of MIDI files, searched with its subfolders."),
    TEXT(temporary_dir, NULL, "DIR",
         "Where generate and preprocess create a temporary folder for their output, visible to all ranks. Default: "
         "TMPDIR, else /tmp."),
    RANK_LOG_ROW(struct bench_options),
    ROW(json, SETTING_BOOL, "false", 0, 0, NULL, NULL, "Print one JSON object instead of the table."),
};

const struct program bench_program = {
    .name = "drumline-bench",
    .summary = "measures training, gradient allreduce, scaling, generation and preprocessing",
    .usage = "[MODE] [OPTION]...",
    .examples = "mpirun -n 2 drumline-bench train --config groovae_4bar_flat --peer_windows_per_second=98\n"
                "mpirun -n 2 drumline-bench allreduce --json\n"
                "mpirun -n 2 drumline-bench scaling --latency_us=20 --bandwidth_gbps=10\n"
                "drumline-bench generate --config groovae_4bar\n"
                "drumline-bench preprocess --input_dir groove\n",
    .table = {rows, sizeof rows / sizeof *rows},
};

char *bench_options_take_mode(int argc, char **argv)
{
    if (argc < 2 || argv[1][0] == '-' || argv[1][0] == '\0')
        return NULL;
    argv[1] = format_text("--mode=%s", argv[1]);
    return argv[1];
}

bool bench_options_want(const struct bench_options *options, enum bench_mode mode)
{
    return options->mode == (int)mode || options->mode == BENCH_ALL;
}

bool bench_options_check(const struct bench_options *options, struct hparams *hparams, struct error *error)
{
    const struct config *config = config_find(options->config, error);
    if (!config || !hparams_make(hparams, config, options->hparams, error))
        return false;
    if (options->mode == BENCH_PREPROCESS && !options->input_dir)
        return error_set(error, "--input_dir is missing: a folder of MIDI files to preprocess");
    if ((options->latency_us > 0) != (options->bandwidth_gbps > 0))
        return error_set(error, "--latency_us and --bandwidth_gbps describe a network together: give both, or none to "
                                "have it measured");
    if (options->latency_us > 0 && !bench_options_want(options, BENCH_SCALING))
        return error_set(error, "--latency_us and --bandwidth_gbps are for the mode scaling");
    return true;
}
