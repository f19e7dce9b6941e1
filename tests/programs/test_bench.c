/* What drumline-bench computes with: the network's cost and its fit, the prediction, medians, and the command line. */
#include "base/io/files.h"
#include "base/text.h"
#include "programs/bench/folder.h"
#include "programs/bench/metrics.h"
#include "programs/bench/network.h"
#include "programs/bench/options.h"
#include "programs/bench/scaling.h"
#include "programs/bench/windows.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GROOVE_DEPTH = 3 * NUM_DRUMS };

#define assert_near(value, expected, tolerance)                                                                        \
    do {                                                                                                               \
        double value_ = (value), expected_ = (expected);                                                               \
        if (!(fabs(value_ - expected_) <= (tolerance)*fabs(expected_)))                                                \
            fail_msg("%s is %.9g, not %.9g", #value, value_, expected_);                                               \
    } while (0)

static void medians(void **state)
{
    (void)state;
    double odd[] = {5, 1, 3}, even[] = {8, 1, 2, 4}, one[] = {7};
    assert_near(bench_median(odd, 3), 3, 0);
    assert_near(bench_median(even, 4), 3, 0);
    assert_near(bench_median(one, 1), 7, 0);
}

/* A ring played out: in each of 2 (p - 1) rounds all ranks send a p-th at once. */
static double ring_seconds(int ranks, double bytes)
{
    double seconds = 0;
    for (int round = 0; round < 2 * (ranks - 1); round++)
        seconds += 3e-6 + bytes / ranks / 2e9;
    return seconds;
}

/* Halving and doubling played out: half of the bytes to a partner, then half of those, down to a p-th, and back. What is
 * beyond a power of two is folded in before, by halves there and back, and gets the result after. */
static double halving_seconds(int ranks, double bytes)
{
    double seconds = 0, part = bytes;
    int folded = 1;
    for (; 2 * folded <= ranks; folded *= 2) {
        part /= 2;
        seconds += 2 * (3e-6 + part / 2e9);
    }
    if (folded < ranks)
        seconds += 2 * (3e-6 + bytes / 2 / 2e9) + 3e-6 + bytes / 2e9;
    return seconds;
}

static void cost_of_a_sum(void **state)
{
    (void)state;
    struct bench_network network = {.latency = 3e-6, .bandwidth = 2e9};
    static const int rings[] = {3, 5, 6, 7, 9, 15}, halvings[] = {2, 4, 8, 16, 17, 48, 64, 100, 4096};
    assert_near(bench_network_sum_seconds(&network, 1, 1e6), 0, 0);
    for (size_t i = 0; i < sizeof rings / sizeof *rings; i++)
        assert_near(bench_network_sum_seconds(&network, rings[i], 1e6), ring_seconds(rings[i], 1e6), 1e-12);
    for (size_t i = 0; i < sizeof halvings / sizeof *halvings; i++)
        assert_near(bench_network_sum_seconds(&network, halvings[i], 1e6), halving_seconds(halvings[i], 1e6), 1e-12);
    assert_near(bench_network_small_sum_seconds(&network, 1), 0, 0);
    assert_near(bench_network_small_sum_seconds(&network, 8), 9e-6, 1e-12);
    assert_near(bench_network_small_sum_seconds(&network, 9), 12e-6, 1e-12);
}

static struct bench_sums make_sums(const struct bench_network *network, int ranks)
{
    struct bench_sums sums = {.ranks = ranks};
    for (double bytes = BENCH_SMALLEST_SUM; bytes <= BENCH_LARGEST_SUM; bytes *= 2) {
        sums.bytes[sums.count] = bytes;
        sums.seconds[sums.count++] = bench_network_sum_seconds(network, ranks, bytes);
    }
    return sums;
}

static void fit_finds_the_network(void **state)
{
    (void)state;
    struct error error;
    struct bench_network found, real = {.latency = 20e-6, .bandwidth = 1.25e9};
    for (int ranks = 2; ranks <= 8; ranks += 3) {
        struct bench_sums sums = make_sums(&real, ranks);
        assert_int_equal(sums.count, BENCH_NUM_SUMS);
        assert_ok(bench_network_fit(&found, &sums, &error), error);
        assert_near(found.latency, real.latency, 1e-9);
        assert_near(found.bandwidth, real.bandwidth, 1e-9);
        /* Twice too long and half as long alternate: the middle of the logarithms is near. */
        for (int i = 0; i < sums.count; i++)
            sums.seconds[i] *= i % 2 == 0 ? 1.3 : 1 / 1.3;
        assert_ok(bench_network_fit(&found, &sums, &error), error);
        assert_near(found.latency, real.latency, 0.25);
        assert_near(found.bandwidth, real.bandwidth, 0.25);
    }
}

static void fit_refuses_nonsense(void **state)
{
    (void)state;
    struct error error;
    struct bench_network found, real = {.latency = 20e-6, .bandwidth = 1.25e9};
    struct bench_sums sums = make_sums(&real, 4);
    sums.seconds[3] = NAN;
    assert_fails(bench_network_fit(&found, &sums, &error), error, "no network can be fitted");
    sums.seconds[3] = 0;
    assert_fails(bench_network_fit(&found, &sums, &error), error, "no network can be fitted");
    for (int i = 0; i < sums.count; i++)
        sums.seconds[i] = 1.0 / (1 + i);
    assert_fails(bench_network_fit(&found, &sums, &error), error, "took no more time");
    sums.ranks = 1;
    assert_fails(bench_network_fit(&found, &sums, &error), error, "1 ranks");
    /* Without any latency: never a negative one. */
    real.latency = 0;
    sums = make_sums(&real, 2);
    sums.seconds[0] /= 2;
    assert_ok(bench_network_fit(&found, &sums, &error), error);
    assert_true(found.latency >= 0 && found.latency < 1e-6);
}

/* Backward reports two halves of 1 MB: one 40 ms before its end, one at its end. */
static struct bench_compute make_compute(void)
{
    struct bench_compute compute = {
        .num_points = 3,
        .windows = {1,                                16,             128},
        .seconds = {          0.010,                           0.025,          0.100   },
        .update_seconds = 0.005,
        .micro_batch = 128,
        .bucket_bytes = 1 << 20,
        .reports = { .count = 3, .ends = {100, 1 << 18, 1 << 19}, .before_end = {0.050, 0.040, 0},    .windows = 128},
    };
    return compute;
}

static void computation_between_and_beyond(void **state)
{
    (void)state;
    struct bench_compute compute = make_compute();
    assert_near(bench_compute_seconds(&compute, 1), 0.010, 1e-12);
    assert_near(bench_compute_seconds(&compute, 8.5), 0.0175, 1e-12);
    assert_near(bench_compute_seconds(&compute, 16), 0.025, 1e-12);
    assert_near(bench_compute_seconds(&compute, 72), 0.0625, 1e-12);
    assert_near(bench_compute_seconds(&compute, 240), 0.175, 1e-12);
    compute.num_points = 1;
    assert_near(bench_compute_seconds(&compute, 4), 0.040, 1e-12);
}

static void sums_hide_behind_backward(void **state)
{
    (void)state;
    struct bench_compute compute = make_compute();
    struct bench_network network = {.latency = 0, .bandwidth = 1048576 / 0.030};
    /* Two ranks: a half takes 30 ms. The first is over 10 ms before the end, the second is all exposed. */
    struct bench_prediction prediction = bench_predict(&compute, &network, 2, 128);
    assert_near(prediction.exposed, 0.030, 1e-9);
    assert_near(prediction.step, 0.100 + 0.030 + 0.005, 1e-9);
    /* A network half as fast: the first is over 20 ms after the end, and the second waits for it. */
    network.bandwidth /= 2;
    assert_near(bench_predict(&compute, &network, 2, 128).exposed, 0.020 + 0.060, 1e-9);
    /* One bucket for all: nothing to hide it behind. */
    compute.bucket_bytes = 4 << 20;
    assert_near(bench_predict(&compute, &network, 2, 128).exposed, 0.120, 1e-9);
    /* Sixteen windows make a backward pass of a quarter of the time, which hides a quarter. */
    compute.bucket_bytes = 1 << 20;
    assert_near(bench_predict(&compute, &network, 2, 16).exposed, 0.060 - 0.010 + 0.060, 1e-9);
    /* Of 144 windows only the last 16 hide it. */
    assert_near(bench_predict(&compute, &network, 2, 144).exposed, 0.060 - 0.010 + 0.060, 1e-9);
    /* Alone there is nothing to sum. */
    assert_near(bench_predict(&compute, &network, 1, 128).step, 0.105, 1e-9);
    /* Latency counts for each round, and for the small sum of the losses. */
    network = (struct bench_network){.latency = 1e-3, .bandwidth = 1e18};
    assert_near(bench_predict(&compute, &network, 4, 128).exposed, 0.004 + 0.002, 1e-6);
}

static void windows_are_made_up_alike(void **state)
{
    (void)state;
    struct error error;
    struct hparams hparams;
    struct bench_windows a, b;
    const char *changes = "bars=2,enc_rnn_size=4,dec_rnn_size=4,z_size=2";
    assert_ok(hparams_make(&hparams, config_find("groovae_2bar_hits_control", NULL), changes, &error), error);
    assert_ok(bench_windows_make(&a, &hparams, &error), error);
    assert_ok(bench_windows_make(&b, &hparams, &error), error);
    size_t count = (size_t)BENCH_WINDOWS * 32 * GROOVE_DEPTH, hits = 0;
    assert_memory_equal(a.rows, b.rows, count * sizeof *a.rows);
    for (size_t row = 0; row < count; row += GROOVE_DEPTH)
        for (size_t drum = 0; drum < NUM_DRUMS; drum++)
            hits += a.rows[row + drum] > 0;
    assert_in_range(hits, BENCH_WINDOWS * 32 * 9 / 10, BENCH_WINDOWS * 32 * 9 / 6);
    struct model *model = model_make(&hparams, 3, &error);
    assert_non_null(model);
    struct model_step part = {.batch = 3, .first_example = BENCH_WINDOWS - 1};
    bench_windows_fill(&a, model, &part);
    for (size_t t = 0; t < 32; t++) {
        assert_memory_equal(model->target + t * 3 * GROOVE_DEPTH,
                            a.rows + ((BENCH_WINDOWS - 1) * 32 + t) * GROOVE_DEPTH, GROOVE_DEPTH * sizeof(float));
        assert_memory_equal(model->input + (t * 3 + 1) * GROOVE_DEPTH, a.rows + t * GROOVE_DEPTH,
                            GROOVE_DEPTH * sizeof(float));
        assert_memory_equal(model->controls + (t * 3 + 2) * NUM_DRUMS, a.rows + (32 + t) * GROOVE_DEPTH,
                            NUM_DRUMS * sizeof(float));
    }
    model_free(model);
    bench_windows_free(&a);
    bench_windows_free(&b);
}

static void folder_is_made_and_removed(void **state)
{
    (void)state;
    struct error error;
    struct bench_folder *folder = bench_folder_make(NULL, &error);
    assert_non_null(folder);
    char *kept = format_text("%s", bench_folder_path(folder));
    char *inner = path_join(kept, "a/b"), *file = path_join(inner, "c");
    assert_ok(folder_make(inner, &error), error);
    assert_ok(file_write(file, file, "x", 1, &error), error);
    bench_folder_remove(folder);
    bench_folder_remove(NULL);
    assert_false(folder_exists(kept));
    assert_fails(bench_folder_make("/nowhere at all", &error) != NULL, error, "--temporary_dir");
    free(file);
    free(inner);
    free(kept);
}

/* Makes a folder in `parent` in another process, which then waits (*process) or, with is_killed, is killed at once. Its path,
 * owned by the caller; two hours old. */
static char *leave_folder(const char *parent, bool is_killed, pid_t *process)
{
    int ends[2];
    char path[4096] = "";
    assert_int_equal(pipe(ends), 0);
    *process = fork();
    assert_true(*process >= 0);
    if (*process == 0) {
        struct error error;
        struct bench_folder *folder = bench_folder_make(parent, &error);
        const char *own = folder ? bench_folder_path(folder) : "";
        if (write(ends[1], own, strlen(own) + 1) < 0)
            _exit(1);
        for (;;)
            pause();
    }
    assert_true(read(ends[0], path, sizeof path - 1) > 1);
    close(ends[0]);
    close(ends[1]);
    if (is_killed) {
        kill(*process, SIGKILL);
        assert_int_equal(waitpid(*process, NULL, 0), *process);
    }
    char *file = path_join(path, "written");
    struct error error;
    assert_ok(file_write(file, file, "x", 1, &error), error);
    free(file);
    const struct timespec times[2] = {{.tv_sec = time(NULL) - 7200}, {.tv_sec = time(NULL) - 7200}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    return format_text("%s", path);
}

/* Removes what a killed program left, but not what a living one uses, is new, or has another name. */
static void abandoned_folders_are_removed(void **state)
{
    (void)state;
    struct error error;
    pid_t process, living;
    char *parent = scratch_make(), *other = path_join(parent, "drumline-bench-elsewhere-abcdef");
    char *abandoned = leave_folder(parent, true, &process), *used = leave_folder(parent, false, &living);
    char *new = leave_folder(parent, true, &process);
    assert_int_equal(utimensat(AT_FDCWD, new, NULL, 0), 0);
    assert_ok(folder_make(other, &error), error);
    struct bench_folder *folder = bench_folder_make(parent, &error);
    assert_non_null(folder);
    assert_false(folder_exists(abandoned));
    assert_true(folder_exists(used) && folder_exists(new) && folder_exists(other));
    kill(living, SIGKILL);
    assert_int_equal(waitpid(living, NULL, 0), living);
    bench_folder_remove(folder);
    free(new);
    free(used);
    free(abandoned);
    free(other);
    scratch_remove(parent);
}

/* Parses and checks one command line of up to two words. */
static bool parse(struct bench_options *options, const char *first, const char *second, struct error *error)
{
    struct hparams hparams;
    char *argv[] = {(char *)"drumline-bench", (char *)first, (char *)second, NULL};
    int argc = 1 + (first != NULL) + (second != NULL);
    *options = (struct bench_options){0};
    char *mode = bench_options_take_mode(argc, argv);
    bool ok = options_parse(&bench_program, argc, argv, options, NULL, NULL, error) == OPTIONS_RUN &&
              bench_options_check(options, &hparams, error);
    free(mode);
    if (!ok)
        settings_free(&bench_program.table, options);
    return ok;
}

static void modes(void **state)
{
    (void)state;
    struct error error;
    struct bench_options options;
    assert_ok(parse(&options, NULL, NULL, &error), error);
    assert_int_equal(options.mode, BENCH_ALL);
    assert_true(bench_options_want(&options, BENCH_GENERATE));
    settings_free(&bench_program.table, &options);
    assert_ok(parse(&options, "scaling", "--json", &error), error);
    assert_int_equal(options.mode, BENCH_SCALING);
    assert_true(options.json);
    assert_false(bench_options_want(&options, BENCH_TRAIN));
    settings_free(&bench_program.table, &options);
    assert_ok(parse(&options, "--mode=allreduce", "--steps=7", &error), error);
    assert_int_equal(options.mode, BENCH_ALLREDUCE);
    assert_int_equal(options.steps, 7);
    settings_free(&bench_program.table, &options);
}

static void wrong_ones_are_refused(void **state)
{
    (void)state;
    const struct {
        const char *first, *second, *reason;
    } wrong[] = {
        {"trian",                        NULL,                 "one of train, allreduce"     },
        {"train",                        "allreduce",          "'allreduce'"                 },
        {"--config=groovae_4bra",        NULL,                 "did you mean groovae_4bar"   },
        {"--hparams=batchsize=4",        NULL,                 "batch_size"                  },
        {"--steps=0",                    NULL,                 "--steps=0"                   },
        {"--latency_us=5",               NULL,                 "give both"                   },
        {"--latency_us=5",               "--bandwidth_gbps=0", "give both"                   },
        {"preprocess",                   NULL,                 "--input_dir is missing"      },
        {"--num_outputs=0",              NULL,                 "--num_outputs=0"             },
        {"--peer_windows_per_second=-1", NULL,                 "--peer_windows_per_second=-1"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error error;
        struct bench_options options;
        assert_fails(parse(&options, wrong[i].first, wrong[i].second, &error), error, wrong[i].reason);
    }
}

/* A ratio is the value over its baseline, for rates and for times. */
static void ratios(void **state)
{
    (void)state;
    static struct bench_metrics metrics;
    struct bench_metric *rate = bench_add(&metrics, "train", "1/s", 150, "rate_%d", 2);
    bench_compare(rate, "other", 100);
    struct bench_metric *time = bench_add(&metrics, "train", "s", 4, "time");
    bench_compare(time, "other", 6);
    bench_add_speedup(&metrics, "train", "speed", 3, 4);
    assert_int_equal(metrics.count, 3);
    assert_string_equal(rate->name, "rate_2");
    assert_near(rate->ratio, 1.5, 1e-12);
    assert_near(time->ratio, 4 / 6.0, 1e-12);
    assert_string_equal(metrics.rows[2].name, "speed_of_4_ranks_over_one");
    assert_near(metrics.rows[2].ratio, 0.75, 1e-12);
}

/* Prints to a standard output that takes nothing. */
static void expect_no_output(const struct bench_metrics *metrics, int output)
{
    const struct bench_origin origin = {"1", "host", "processor", "portable", "config", "date", 1, 1, 1, 8};
    struct error error;
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    assert_true(saved >= 0);
    if (output >= 0)
        dup2(output, STDOUT_FILENO);
    else
        close(STDOUT_FILENO);
    struct error json_error = {.message = ""};
    bool printed = bench_print(metrics, &origin, &error);
    clearerr(stdout);
    bool printed_json = bench_print_json(metrics, &origin, &json_error);
    clearerr(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_false(printed);
    assert_contains(error.message, "can't write to standard output: ");
    assert_false(printed_json);
    assert_contains(json_error.message, "can't write to standard output: ");
}

static void full_and_closed_output(void **state)
{
    (void)state;
    static struct bench_metrics metrics;
    bench_compare(bench_add(&metrics, "train", "1/s", 150, "rate"), "other", 100);
    int full = open("/dev/full", O_WRONLY);
    if (full >= 0) {
        expect_no_output(&metrics, full);
        close(full);
    }
    expect_no_output(&metrics, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians),
        cmocka_unit_test(cost_of_a_sum),
        cmocka_unit_test(fit_finds_the_network),
        cmocka_unit_test(fit_refuses_nonsense),
        cmocka_unit_test(computation_between_and_beyond),
        cmocka_unit_test(sums_hide_behind_backward),
        cmocka_unit_test(windows_are_made_up_alike),
        cmocka_unit_test(folder_is_made_and_removed),
        cmocka_unit_test(abandoned_folders_are_removed),
        cmocka_unit_test(modes),
        cmocka_unit_test(wrong_ones_are_refused),
        cmocka_unit_test(ratios),
        cmocka_unit_test(full_and_closed_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
