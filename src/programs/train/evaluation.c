#include "programs/train/evaluation.h"

#include "data/dataset/order.h"
#include "programs/common/transform.h"

#include <stdlib.h>
#include <string.h>

bool evaluation_is_possible(const struct dataset *dataset, const char *split, const struct hparams *hparams)
{
    const struct performance_table *table = &dataset->index.table;
    uint32_t bars = (uint32_t)hparams->bars;
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(split_name(table->rows[i].split), split) == 0 && windows_in(&table->rows[i], bars, bars) > 0)
            return true;
    return false;
}

bool evaluation_make(struct evaluation *evaluation, const struct dataset *dataset, const char *split,
                     const struct hparams *hparams, struct error *error)
{
    int bars = (int)hparams->bars;
    memset(evaluation, 0, sizeof *evaluation);
    evaluation->split = split;
    if (!transform_of(&evaluation->transform, hparams, error) ||
        !batch_check_dataset(&evaluation->transform, dataset, error) ||
        !windows_make(&evaluation->windows, dataset, split, bars, bars, error))
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
            .batch = (int)(left < most ? left : most),
            .seed = seed,
            .first_example = (uint32_t)(first + done),
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
    metric_compute(&line->values, &model->metrics, sums, beta);
}
