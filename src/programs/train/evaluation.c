#include "programs/train/evaluation.h"

#include "data/dataset/order.h"
#include "programs/common/transform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool make_windows(struct windows *windows, const struct dataset *dataset, const char *split,
                         const struct hparams *hparams, struct error *error)
{
    int bars = (int)hparams->bars;
    return windows_make(windows, dataset, split, bars, bars, error) &&
           (!hparams->skip_silent || windows_skip_silent(windows, error));
}

bool evaluation_is_possible(const struct dataset *dataset, const char *split, const struct hparams *hparams)
{
    struct windows windows;
    struct error none;
    bool possible = make_windows(&windows, dataset, split, hparams, &none);
    if (possible)
        windows_free(&windows);
    return possible;
}

bool evaluation_make(struct evaluation *evaluation, const struct dataset *dataset, const char *split,
                     const struct hparams *hparams, struct error *error)
{
    memset(evaluation, 0, sizeof *evaluation);
    evaluation->split = split;
    if (!transform_of(&evaluation->transform, hparams, error) ||
        !batch_check_dataset(&evaluation->transform, dataset, error) ||
        !make_windows(&evaluation->windows, dataset, split, hparams, error))
        return false;
    evaluation->transform.drop_class = 0;
    size_t count = evaluation->windows.count;
    evaluation->numbers = malloc(count * sizeof *evaluation->numbers);
    if (!evaluation->numbers) {
        evaluation_free(evaluation);
        return error_set(error, "out of memory for %zu windows", count);
    }
    for (size_t i = 0; i < count; i++)
        evaluation->numbers[i] = (uint32_t)i;
    return true;
}

void evaluation_free(struct evaluation *evaluation)
{
    windows_free(&evaluation->windows);
    free(evaluation->numbers);
    evaluation->numbers = NULL;
}

/* Adds the losses of `count` windows of consecutive numbers from `first` on, at most max_batch. */
static void evaluate(const struct evaluation *evaluation, struct model *model, size_t first, size_t count,
                     uint64_t seed, struct watchdog *watchdog, double *sums)
{
    struct model_step step = {
        .batch = (int)count,
        .seed = seed,
        .first_example = evaluation->windows.number[first],
    };
    batch_fill(model->input, model->target, model->controls, &evaluation->windows, evaluation->numbers + first,
               step.batch, &evaluation->transform, seed, 0, step.first_example);
    watchdog_done(watchdog);
    model_draw_noise(model, &step);
    model_evaluate(model, &step, sums);
}

void evaluation_run(const struct evaluation *evaluation, struct model *model, struct comm *comm, uint64_t seed,
                    struct watchdog *watchdog, double sums[METRIC_MAX_SUMS])
{
    size_t first, count;
    memset(sums, 0, METRIC_MAX_SUMS * sizeof *sums);
    order_part(evaluation->windows.count, comm_rank(comm), comm_size(comm), &first, &count);
    for (size_t done = 0; done < count;) {
        size_t left = count - done, most = (size_t)model->max_batch;
        size_t batch = windows_consecutive(&evaluation->windows, first + done, left < most ? left : most);
        evaluate(evaluation, model, first + done, batch, seed, watchdog, sums);
        done += batch;
    }
    comm_sum_doubles(comm, sums, (size_t)model->metrics.num_sums);
}

static double kl_above_reference(const struct model *model, size_t batch)
{
    const double free_nats = EVALUATION_FREE_BITS * log(2);
    double sum = 0;
    for (size_t b = 0; b < batch; b++)
        sum += fmax(0, encoder_kl(&model->encoder, (int)b) - free_nats);
    return sum;
}

/* Where each batch of consecutive windows begins, [*num_batches + 1], the caller's; NULL without memory. */
static size_t *find_batches(size_t *num_batches, const struct evaluation *evaluation, size_t most)
{
    size_t count = evaluation->windows.count, *starts = malloc((count + 1) * sizeof *starts);
    *num_batches = 0;
    if (!starts)
        return NULL;
    for (size_t first = 0; first < count;) {
        size_t left = count - first;
        starts[(*num_batches)++] = first;
        first += windows_consecutive(&evaluation->windows, first, left < most ? left : most);
    }
    starts[*num_batches] = count;
    return starts;
}

bool evaluation_run_in_order(const struct evaluation *evaluation, struct model *model, struct comm *comm, uint64_t seed,
                             double sums[METRIC_MAX_SUMS], double *kl_above, struct error *error)
{
    size_t num_batches, width = (size_t)model->metrics.num_sums + 1, first, own;
    size_t *starts = find_batches(&num_batches, evaluation, (size_t)model->max_batch);
    double *rows = calloc(num_batches * width + 1, sizeof *rows); /* of each batch its sums and KL; of others' zeros */
    if (!comm_all_ok(comm, (starts && rows) || error_set(error, "no memory for the losses of all batches"), error)) {
        free(starts);
        free(rows);
        return false;
    }
    order_part(num_batches, comm_rank(comm), comm_size(comm), &first, &own);
    for (size_t i = first; i < first + own; i++) {
        size_t batch = starts[i + 1] - starts[i];
        evaluate(evaluation, model, starts[i], batch, seed, NULL, rows + i * width);
        rows[i * width + width - 1] = kl_above_reference(model, batch);
    }
    comm_sum_doubles(comm, rows, num_batches * width);
    memset(sums, 0, METRIC_MAX_SUMS * sizeof *sums);
    *kl_above = 0;
    for (size_t i = 0; i < num_batches; i++) {
        for (size_t k = 0; k + 1 < width; k++)
            sums[k] += rows[i * width + k];
        *kl_above += rows[i * width + width - 1];
    }
    free(starts);
    free(rows);
    return true;
}

void evaluation_line(struct metrics_line *line, const struct evaluation *evaluation, const struct model *model,
                     const double *sums, uint64_t step, double beta)
{
    metrics_line_start(line, &model->metrics, step, evaluation->split);
    line->skipped_windows = evaluation->windows.num_silent;
    metric_compute(&line->values, &model->metrics, sums, beta);
}
