#include "programs/train/quality.h"

#include "data/dataset/order.h"
#include "programs/train/decoding.h"

#include <string.h>

const char *decoding_prefix(enum decoding decoding)
{
    static const char *const prefixes[NUM_DECODINGS] = {"tf_", "", "keep_"};
    return prefixes[decoding];
}

struct measuring {
    const struct evaluation *evaluation;
    const struct inference_decoder *decoder;
    const struct quality_options *options;
};

/* Encodes the piece's windows. */
static void encode(const struct measuring *measuring, struct decoding_piece *piece)
{
    const struct evaluation *evaluation = measuring->evaluation;
    const struct model_shape *shape = inference_decoder_shape(measuring->decoder);
    size_t steps = (size_t)shape->steps;
    for (size_t i = 0; i < (size_t)piece->count; i++) {
        float *controls = piece->controls ? piece->controls + i * steps * (size_t)shape->num_controls : NULL;
        size_t number = piece->first + i;
        batch_fill(piece->input, piece->target + i * steps * (size_t)shape->depth, controls, &evaluation->windows,
                   evaluation->numbers + number, 1, &evaluation->transform, measuring->options->seed, 0,
                   evaluation->windows.number[number]);
        inference_encode(piece->z + i * (size_t)shape->z_size, piece->input, controls, measuring->decoder,
                         piece->scratch);
    }
}

static void decode(const struct measuring *measuring, struct decoding_piece *piece, enum decoding decoding)
{
    const struct model_shape *shape = inference_decoder_shape(measuring->decoder);
    size_t steps = (size_t)shape->steps, window = steps * (size_t)shape->depth;
    const struct inference_request request = {
        .batch = piece->count,
        .controls = piece->controls,
        .controls_stride = steps * (size_t)shape->num_controls,
        .kept = decoding == DECODING_KEPT ? piece->target : NULL,
        .kept_stride = window,
        .taught = decoding == DECODING_TAUGHT ? piece->target : NULL,
        .taught_stride = window,
        .noise = decoding == DECODING_TAUGHT ? NULL : measuring->options->noise,
        .temperature = DECODING_THRESHOLD,
        .seed = measuring->options->seed,
        .first_output = (uint32_t)piece->first,
    };
    inference_decode(piece->music, piece->z, measuring->decoder, piece->scratch, &request);
}

static bool compare(const struct measuring *measuring, struct decoding_piece *piece, enum decoding decoding,
                    struct error *error)
{
    const struct windows *windows = &measuring->evaluation->windows;
    const struct dataset *dataset = windows->dataset;
    const struct model_shape *shape = inference_decoder_shape(measuring->decoder);
    struct quality_sums *sums = piece->sums;
    for (size_t i = 0; i < (size_t)piece->count; i++) {
        const struct performance *row = &dataset->index.table.rows[windows->performance[piece->first + i]];
        size_t cell = (size_t)windows->first_step[piece->first + i] * NUM_DRUMS;
        struct grid_cells target = {dataset->hits + cell, dataset->velocity + cell, dataset->offset + cell};
        enum window_group group = row->beat_type == BEAT_TYPE_BEAT ? WINDOWS_OF_BEATS : OTHER_WINDOWS;
        struct grid grid;
        if (!grid_from_window(&grid, piece->music + i * (size_t)(shape->steps * shape->depth), (uint32_t)windows->bars,
                              row->qpm, &measuring->evaluation->transform, error))
            return error_prefix(error, "window %zu", piece->first + i);
        grid_round_offsets(&grid);
        struct grid_cells made = {grid.hits, grid.velocity, grid.offset};
        comparison_add(&sums->comparisons[decoding][group], &target, &made, windows->num_steps, (double)row->qpm);
        sums->windows[group] += decoding == DECODING_FREE;
        grid_free(&grid);
    }
    return true;
}

static bool measure(const void *context, struct decoding_piece *piece, struct error *error)
{
    const struct measuring *measuring = context;
    encode(measuring, piece);
    for (int decoding = 0; decoding < NUM_DECODINGS; decoding++) {
        if (decoding == DECODING_KEPT && !measuring->options->keeps_hits)
            continue;
        decode(measuring, piece, (enum decoding)decoding);
        if (!compare(measuring, piece, (enum decoding)decoding, error))
            return false;
    }
    return true;
}

bool quality_measure(struct quality_sums *sums, const struct evaluation *evaluation,
                     const struct inference_decoder *decoder, const struct quality_options *options, struct comm *comm,
                     struct error *error)
{
    const struct measuring measuring = {evaluation, decoder, options};
    struct decoding_work work = {
        .decoder = decoder,
        .threads = options->threads,
        .num_numbers = sizeof *sums / sizeof(uint64_t),
        .measure = measure,
        .context = &measuring,
    };
    order_part(evaluation->windows.count, comm_rank(comm), comm_size(comm), &work.first, &work.count);
    if (!comm_all_ok(comm, decoding_run((uint64_t *)sums, &work, error), error))
        return false;
    comm_sum_counts(comm, (uint64_t *)sums, work.num_numbers);
    return true;
}
