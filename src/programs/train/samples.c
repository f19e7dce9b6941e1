#include "programs/train/samples.h"

#include "data/dataset/order.h"
#include "data/quality/copying.h"
#include "programs/train/decoding.h"

#include <math.h>
#include <string.h>

struct sums {
    struct distributions samples;
    uint64_t copies;
};

struct measuring {
    const struct samples_request *request;
    const struct transform *transform;
    const struct patterns *patterns; /* of the train split */
};

static bool measure(const void *context, struct decoding_piece *piece, struct error *error)
{
    const struct measuring *measuring = context;
    const struct samples_request *request = measuring->request;
    const struct model_shape *shape = inference_decoder_shape(request->decoder);
    struct sums *sums = piece->sums;
    const struct inference_request decoding = {
        .batch = piece->count,
        .noise = request->noise,
        .temperature = request->temperature,
        .seed = request->seed,
        .first_output = (uint32_t)piece->first,
    };
    inference_decode(piece->music, request->z + piece->first * (size_t)shape->z_size, request->decoder, piece->scratch,
                     &decoding);
    for (size_t i = 0; i < (size_t)piece->count; i++) {
        struct grid grid;
        uint32_t bars = (uint32_t)measuring->patterns->bars;
        if (!grid_from_window(&grid, piece->music + i * (size_t)(shape->steps * shape->depth), bars, 120,
                              measuring->transform, error))
            return error_prefix(error, "sample %zu", piece->first + i);
        grid_round_offsets(&grid);
        struct grid_cells cells = {grid.hits, grid.velocity, grid.offset};
        distributions_add(&sums->samples, &cells, bars);
        sums->copies += patterns_have(measuring->patterns, grid.hits);
        grid_free(&grid);
    }
    return true;
}

/* Samples of this rank, summed over ranks. Collective. */
static bool measure_samples(struct samples_quality *quality, const struct measuring *measuring, struct comm *comm,
                            struct error *error)
{
    struct sums sums;
    struct decoding_work work = {
        .decoder = measuring->request->decoder,
        .threads = measuring->request->threads,
        .num_numbers = sizeof sums / sizeof(uint64_t),
        .measure = measure,
        .context = measuring,
    };
    order_part(measuring->request->count, comm_rank(comm), comm_size(comm), &work.first, &work.count);
    if (!comm_all_ok(comm, decoding_run((uint64_t *)&sums, &work, error), error))
        return false;
    comm_sum_counts(comm, (uint64_t *)&sums, work.num_numbers);
    quality->samples = sums.samples;
    quality->copies = sums.copies;
    return true;
}

/* Copies among the evaluation's windows. Collective. */
static void measure_split(struct samples_quality *quality, const struct evaluation *evaluation,
                          const struct patterns *patterns, struct comm *comm)
{
    const struct windows *windows = &evaluation->windows;
    size_t first, count;
    if (strcmp(evaluation->split, "train") == 0)
        return;
    distributions_add_windows(&quality->split, windows);
    order_part(windows->count, comm_rank(comm), comm_size(comm), &first, &count);
    for (size_t i = first; i < first + count; i++)
        quality->split_copies +=
            patterns_have(patterns, windows->dataset->hits + (size_t)windows->first_step[i] * NUM_DRUMS);
    comm_sum_counts(comm, &quality->split_copies, 1);
}

/* Of the train split's windows side by side: how they are distributed, and the floor. */
static bool measure_train(struct samples_quality *quality, const struct evaluation *evaluation, size_t count,
                          struct error *error)
{
    struct windows windows;
    int bars = evaluation->windows.bars;
    if (!windows_make(&windows, evaluation->windows.dataset, "train", bars, bars, error))
        return error_prefix(error, "--num_samples compares with training data");
    distributions_add_windows(&quality->train, &windows);
    size_t draw_size = count < windows.count / 2 ? count : windows.count / 2;
    bool ok = distributions_floor(quality->floor, &windows, draw_size, error);
    windows_free(&windows);
    return ok;
}

bool samples_measure(struct samples_quality *quality, const struct samples_request *request,
                     const struct evaluation *evaluation, struct comm *comm, struct error *error)
{
    struct windows windows = {0};
    struct patterns patterns = {0};
    const struct measuring measuring = {request, &evaluation->transform, &patterns};
    memset(quality, 0, sizeof *quality);
    bool ok = measure_train(quality, evaluation, request->count, error) &&
              windows_make(&windows, evaluation->windows.dataset, "train", evaluation->windows.bars, 1, error) &&
              patterns_make(&patterns, &windows, error);
    ok = comm_all_ok(comm, ok, error) && measure_samples(quality, &measuring, comm, error);
    if (ok)
        measure_split(quality, evaluation, &patterns, comm);
    patterns_free(&patterns);
    windows_free(&windows);
    return ok;
}

double samples_standard_error(double share, uint64_t count)
{
    return sqrt(share * (1 - share) / (double)count);
}
