#include "programs/train/evaluation.h"

#include "data/dataset/order.h"
#include "programs/common/transform.h"

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

void evaluation_run(const struct evaluation *evaluation, struct model *model, struct comm *comm, uint64_t seed,
                    struct watchdog *watchdog, double sums[METRIC_MAX_SUMS])
{
    size_t first, count;
    memset(sums, 0, METRIC_MAX_SUMS * sizeof *sums);
    order_part(evaluation->windows.count, comm_rank(comm), comm_size(comm), &first, &count);
    for (size_t done = 0; done < count;) {
        size_t left = count - done, most = (size_t)model->max_batch;
        struct model_step step = {
            .batch = (int)windows_consecutive(&evaluation->windows, first + done, left < most ? left : most),
            .seed = seed,
            .first_example = evaluation->windows.number[first + done],
        };
        batch_fill(model->input, model->target, model->controls, &evaluation->windows,
                   evaluation->numbers + first + done, step.batch, &evaluation->transform, seed, 0, step.first_example);
        watchdog_done(watchdog);
        model_draw_noise(model, &step);
        model_evaluate(model, &step, sums);
        done += (size_t)step.batch;
    }
    comm_sum_doubles(comm, sums, (size_t)model->metrics.num_sums);
}

void evaluation_line(struct metrics_line *line, const struct evaluation *evaluation, const struct model *model,
                     const double *sums, uint64_t step, double beta)
{
    metrics_line_start(line, &model->metrics, step, evaluation->split);
    line->skipped_windows = evaluation->windows.num_silent;
    metric_compute(&line->values, &model->metrics, sums, beta);
}
