#include "programs/bench/bench.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "data/dataset/order.h"
#include "programs/bench/flops.h"
#include "programs/bench/metrics.h"
#include "programs/bench/peak.h"
#include "programs/bench/scaling.h"
#include "programs/bench/work.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const phase_keys[STEP_NUM_PHASES] = {"data",
                                                        "noise",
                                                        "encoder_forward",
                                                        "decoder_forward",
                                                        "loss",
                                                        "decoder_backward",
                                                        "encoder_backward",
                                                        "waiting_for_gradients",
                                                        "optimizer"};

struct bench {
    const struct bench_options *options; /* not owned, as are the next two */
    const struct hparams *hparams;
    struct comm *comm;
    struct bench_training training; /* open where training or scaling is measured */
    struct bench_times times;       /* of a step with the full batch */
    bool have_sums;
    struct bench_sums sums;
    struct bench_metrics metrics;
};

/* What the training's GEMMs are compared with, in FLOP/s. */
struct peak {
    const char *name;
    double flops_per_second;
};

/* `allreduce`: seconds of the gradient allreduce with nothing else going on. */
static void add_phases(struct bench *bench, const struct bench_flops *flops, const struct peak *peak, double allreduce)
{
    double batch = (double)bench->hparams->batch_size;
    for (int phase = 0; phase < STEP_NUM_PHASES; phase++) {
        double seconds = bench->times.phases[phase];
        bench_compare(bench_add(&bench->metrics, "train", "ms", 1e3 * seconds, "%s", phase_keys[phase]), "step",
                      1e3 * bench->times.step);
    }
    if (comm_size(bench->comm) > 1)
        bench_compare(bench_add(&bench->metrics, "train", "ms", 1e3 * bench->times.exposed, "exposed_allreduce"),
                      "allreduce alone", 1e3 * allreduce);
    for (int part = 0; part < PASS_NUM_PHASES; part++) {
        int phase = STEP_ENCODER_FORWARD + part;
        double seconds = bench->times.phases[phase];
        if (flops->phases[part] > 0 && seconds > 0)
            bench_compare(bench_add(&bench->metrics, "train", "GFLOP/s", flops->phases[part] * batch / seconds / 1e9,
                                    "%s", phase_keys[phase]),
                          peak->name, peak->flops_per_second / 1e9);
    }
}

/* The peak of sgemm and, where the model uses bf16, that of its bf16 GEMMs, which is then the baseline. Collective. */
static bool measure_peak(struct peak *peak, struct bench *bench, struct error *error)
{
    const struct bf16_gemms *gemms = bench->training.model->bf16.gemms;
    *peak = (struct peak){"sgemm peak", 0};
    if (!bench_peak_measure(&peak->flops_per_second, NULL, bench->comm, error))
        return false;
    bench_add(&bench->metrics, "train", "GFLOP/s", peak->flops_per_second / 1e9, "sgemm_peak_of_all_ranks");
    if (!gemms)
        return true;
    peak->name = "bf16 peak";
    if (!bench_peak_measure(&peak->flops_per_second, bf16_gemms_engine(gemms), bench->comm, error))
        return false;
    bench_add(&bench->metrics, "train", "GFLOP/s", peak->flops_per_second / 1e9, "bf16_peak_of_all_ranks");
    return true;
}

/* Collective. */
static bool report_training(struct bench *bench, struct error *error)
{
    struct bench_metrics *metrics = &bench->metrics;
    struct bench_flops flops = bench_flops_of(bench->hparams);
    double batch = (double)bench->hparams->batch_size, step = bench->times.step,
           baseline = bench->options->peer_windows_per_second;
    double resident = bench_resident_bytes();
    struct peak peak;
    /* Before the matrices that measure the peak are allocated. */
    comm_max_doubles(bench->comm, &resident, 1);
    double allreduce = bench_training_allreduce_seconds(&bench->training);
    if (!measure_peak(&peak, bench, error))
        return false;
    struct bench_metric *rate = bench_add(metrics, "train", "1/s", batch / step, "windows_per_second");
    if (baseline > 0)
        bench_compare(rate, "other program", baseline);
    bench_add(metrics, "train", "s", step, "step");
    bench_compare(bench_add(metrics, "train", "GFLOP/s", flops.total * batch / step / 1e9, "step"), peak.name,
                  peak.flops_per_second / 1e9);
    bench_add(metrics, "train", "MFLOP", flops.total / 1e6, "per_window");
    bench_add(metrics, "train", "MFLOP", flops.forward / 1e6, "per_window_forward");
    bench_add(metrics, "train", "MFLOP", flops.weight_gradients / 1e6, "per_window_weight_gradients");
    bench_add(metrics, "train", "MFLOP", flops.input_gradients / 1e6, "per_window_input_gradients");
    bench_add(metrics, "train", "MB", resident / 1e6, "resident_memory_per_rank");
    add_phases(bench, &flops, &peak, allreduce);
    return true;
}

/* Collective. */
static bool need_sums(struct bench *bench, struct error *error)
{
    if (!bench->have_sums)
        bench->have_sums = bench_sums_measure(&bench->sums, bench->comm, error);
    return bench->have_sums;
}

static bool fitted_network(struct bench_network *network, struct bench *bench, struct error *error)
{
    return need_sums(bench, error) && bench_network_fit(network, &bench->sums, error);
}

static void add_network(struct bench *bench, const char *mode, const struct bench_network *network)
{
    bench_add(&bench->metrics, mode, "us", 1e6 * network->latency, "message_latency");
    bench_add(&bench->metrics, mode, "Gbit/s", 8e-9 * network->bandwidth, "link_bandwidth");
}

/* Collective. */
static bool report_sums(struct bench *bench, struct error *error)
{
    struct bench_network network;
    if (!fitted_network(&network, bench, error))
        return false;
    for (int i = 0; i < bench->sums.count; i++) {
        double bytes = bench->sums.bytes[i];
        bench_compare(
            bench_add(&bench->metrics, "allreduce", "us", 1e6 * bench->sums.seconds[i], "%.0f_KiB", bytes / 1024),
            "fitted model", 1e6 * bench_network_sum_seconds(&network, bench->sums.ranks, bytes));
    }
    add_network(bench, "allreduce", &network);
    return true;
}

static double compute_of(const struct bench_times *times)
{
    double seconds = 0;
    for (int phase = 0; phase < STEP_REDUCTION; phase++)
        seconds += times->phases[phase];
    return seconds;
}

/* Times steps with few windows per rank too: that is where strong scaling ends. Collective. */
static bool measure_compute(struct bench *bench, struct bench_compute *compute, struct error *error)
{
    enum { FEW = 16 };
    int ranks = comm_size(bench->comm);
    int64_t whole = (int64_t)order_largest_part((size_t)bench->hparams->batch_size, ranks);
    const int64_t parts[] = {1, FEW};
    *compute = (struct bench_compute){
        .update_seconds = bench->times.phases[STEP_OPTIMIZER],
        .micro_batch = bench->training.model->max_batch,
        .bucket_bytes = (size_t)bench->options->bucket_kib << 10,
        .reports = bench->training.reports,
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts && parts[i] < whole; i++) {
        struct bench_times times;
        if (!bench_training_time(&bench->training, parts[i] * ranks, (int)bench->options->steps, &times, error))
            return false;
        compute->windows[compute->num_points] = (double)parts[i];
        compute->seconds[compute->num_points++] = compute_of(&times);
    }
    compute->windows[compute->num_points] = (double)whole;
    compute->seconds[compute->num_points++] = compute_of(&bench->times);
    /* Every rank predicts the same: from what rank 0 saw. */
    comm_broadcast(bench->comm, compute, sizeof *compute, 0);
    return true;
}

/* One row for each number of ranks: the predicted step, with that of ideal scaling as baseline. */
static void add_scaling(struct bench *bench, const struct bench_compute *compute, const struct bench_network *network,
                        bool strong)
{
    enum { MOST_RANKS = 4096 };
    int64_t batch = bench->hparams->batch_size;
    int64_t part = (int64_t)order_largest_part((size_t)batch, comm_size(bench->comm));
    double alone = bench_predict(compute, network, 1, strong ? batch : part).step;
    for (int ranks = 1; ranks <= MOST_RANKS && (!strong || ranks <= batch); ranks *= 2) {
        int64_t windows = strong ? (int64_t)order_largest_part((size_t)batch, ranks) : part;
        struct bench_prediction prediction = bench_predict(compute, network, ranks, windows);
        struct bench_metric *metric = bench_add(&bench->metrics, "scaling", "ms", 1e3 * prediction.step,
                                                "predicted_%s_%d_ranks", strong ? "strong" : "weak", ranks);
        bench_compare(metric, "ideal", 1e3 * (strong ? alone / ranks : alone));
    }
}

static void add_compute(struct bench *bench, const struct bench_compute *compute)
{
    int last = compute->num_points - 1;
    for (int i = 0; i <= last; i++) {
        struct bench_metric *metric =
            bench_add(&bench->metrics, "scaling", "1/s", compute->windows[i] / compute->seconds[i],
                      "rate_per_rank_at_%.0f", compute->windows[i]);
        if (i < last)
            bench_compare(metric, "full batch", compute->windows[last] / compute->seconds[last]);
    }
}

/* Measured, not predicted: training steps, and GEMMs alone for about as long. Collective. */
static bool add_speedup(struct bench *bench, struct error *error)
{
    double step, gemm;
    int ranks = comm_size(bench->comm);
    if (ranks == 1)
        return true;
    if (!bench_training_speedup(&bench->training, &step, error) ||
        !bench_peak_speedup(&gemm, bench->times.step, (int)bench->options->steps, bench->comm, error))
        return false;
    bench_add_speedup(&bench->metrics, "scaling", "speed", step, ranks);
    bench_add_speedup(&bench->metrics, "scaling", "sgemm", gemm, ranks);
    return true;
}

/* Collective. */
static bool report_scaling(struct bench *bench, struct error *error)
{
    struct bench_compute compute;
    const struct bench_options *options = bench->options;
    struct bench_network network = {1e-6 * options->latency_us, 1e9 / 8 * options->bandwidth_gbps};
    int ranks = comm_size(bench->comm);
    bool given = options->latency_us > 0;
    if (!given && !fitted_network(&network, bench, error))
        return false;
    if (!measure_compute(bench, &compute, error))
        return false;
    log_info(
        "steps on other numbers of ranks are predictions, from the computation measured here and a network with the "
        "latency and bandwidth %s; they assume equal ranks and an idle network",
        given ? "given" : "fitted to the allreduces measured here");
    if (!add_speedup(bench, error))
        return false;
    add_compute(bench, &compute);
    add_network(bench, "scaling", &network);
    int64_t part = (int64_t)order_largest_part((size_t)bench->hparams->batch_size, ranks);
    if (!given || ranks == 1)
        bench_compare(bench_add(&bench->metrics, "scaling", "ms", 1e3 * bench->times.step, "measured_%d_rank%s", ranks,
                                PLURAL(ranks)),
                      "predicted", 1e3 * bench_predict(&compute, &network, ranks, part).step);
    add_scaling(bench, &compute, &network, true);
    add_scaling(bench, &compute, &network, false);
    return true;
}

/* The first "model name" of /proc/cpuinfo; "unknown processor" where there is none. */
static void name_processor(char *name, size_t size)
{
    char line[512];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(name, size, "unknown processor");
    while (file && fgets(line, sizeof line, file)) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", strlen("model name")) != 0 || !value)
            continue;
        value += 1 + strspn(value + 1, " ");
        value[strcspn(value, "\n")] = '\0';
        for (char *c = value; *c; c++)
            if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
                *c = '?';
        snprintf(name, size, "%s", value);
        break;
    }
    if (file)
        fclose(file);
}

static bool print(const struct bench *bench, int threads, struct error *error)
{
    char processor[128], date[32];
    name_processor(processor, sizeof processor);
    date_now(date);
    struct bench_origin origin = {
        .version = drumline_version(),
        .host = comm_host(bench->comm),
        .processor = processor,
        .kernels = kernels_best()->name,
        .config = bench->options->config,
        .date = date,
        .ranks = comm_size(bench->comm),
        .hosts_ranks = comm_local_size(bench->comm),
        .threads = threads,
        .batch_size = bench->hparams->batch_size,
    };
    if (bench->options->json)
        return bench_print_json(&bench->metrics, &origin, error);
    return bench_print(&bench->metrics, &origin, error);
}

/* What of options->mode can be measured on this many ranks. Fails where a mode that was named can't. */
struct plan {
    bool train, sums, scaling;
};

static bool make_plan(struct plan *plan, const struct bench_options *options, int ranks, struct error *error)
{
    bool given = options->latency_us > 0;
    *plan = (struct plan){
        .train = bench_options_want(options, BENCH_TRAIN),
        .sums = bench_options_want(options, BENCH_ALLREDUCE) && ranks > 1,
        .scaling = bench_options_want(options, BENCH_SCALING) && (ranks > 1 || given),
    };
    if (options->mode == BENCH_ALLREDUCE && !plan->sums)
        return error_set(error, "allreduce needs two or more ranks (mpirun -n 2 drumline-bench allreduce)");
    if (options->mode == BENCH_SCALING && !plan->scaling)
        return error_set(error, "scaling needs two or more ranks to measure a network (mpirun -n 2 drumline-bench "
                                "scaling), or describe one with --latency_us and --bandwidth_gbps");
    if (options->mode == BENCH_ALL && ranks == 1)
        log_info("skipped: allreduce, which needs two or more ranks%s",
                 given ? "" : ", and scaling, which needs them too or --latency_us and --bandwidth_gbps");
    if (options->mode == BENCH_ALL && !options->input_dir)
        log_info("skipped: preprocess, which needs --input_dir");
    return true;
}

/* Collective. */
static bool measure(struct bench *bench, const struct plan *plan, int threads, struct error *error)
{
    const struct bench_options *options = bench->options;
    struct comm *comm = bench->comm;
    if (plan->train || plan->scaling) {
        if (!bench_training_open(&bench->training, bench->hparams, options, comm, error) ||
            !bench_training_time(&bench->training, bench->hparams->batch_size, (int)options->steps, &bench->times,
                                 error))
            return false;
    }
    if ((plan->train && !report_training(bench, error)) || (plan->sums && !report_sums(bench, error)) ||
        (plan->scaling && !report_scaling(bench, error)))
        return false;
    bench_training_close(&bench->training);
    if (bench_options_want(options, BENCH_GENERATE) &&
        !bench_generate(&bench->metrics, options, bench->hparams, threads, comm, error))
        return false;
    return !bench_options_want(options, BENCH_PREPROCESS) || !options->input_dir ||
           bench_preprocess(&bench->metrics, options, comm, error);
}

bool bench_run(const struct bench_options *options, const struct hparams *hparams, int threads, struct comm *comm,
               struct error *error)
{
    struct plan plan;
    struct bench bench = {.options = options, .hparams = hparams, .comm = comm};
    bool ok = make_plan(&plan, options, comm_size(comm), error) && measure(&bench, &plan, threads, error);
    bench_training_close(&bench.training);
    return ok && comm_all_ok(comm, comm_rank(comm) != 0 || print(&bench, threads, error), error);
}
