#include "model/optimizer/schedule.h"

#include <math.h>

static double warmup(const struct hparams *hparams, uint64_t step)
{
    return step < (uint64_t)hparams->warmup_steps ? (double)step / (double)hparams->warmup_steps : 1;
}

static double batch_scale(const struct hparams *hparams)
{
    double ratio = (double)hparams->batch_size / (double)hparams->reference_batch_size;
    switch ((enum learning_rate_scaling)hparams->learning_rate_scaling) {
    case SCALING_NONE:
        return 1;
    case SCALING_SQRT:
        return sqrt(ratio);
    case SCALING_LINEAR:
        return ratio;
    }
    return 1;
}

double schedule_learning_rate(const struct hparams *hparams, uint64_t step)
{
    double above = hparams->learning_rate - hparams->min_learning_rate;
    double rate = above * pow(hparams->decay_rate, (double)step) + hparams->min_learning_rate;
    return rate * warmup(hparams, step) * batch_scale(hparams);
}

double schedule_beta(const struct hparams *hparams, uint64_t step)
{
    return (1 - pow(hparams->beta_rate, (double)step)) * hparams->max_beta;
}

double schedule_sampling_probability(const struct hparams *hparams, uint64_t step)
{
    double rate = hparams->sampling_rate;
    switch ((enum sampling_schedule)hparams->sampling_schedule) {
    case SAMPLING_CONSTANT:
        return rate;
    case SAMPLING_EXPONENTIAL:
        return rate == 0 ? 0 : 1 - pow(rate, (double)step);
    case SAMPLING_INVERSE_SIGMOID:
        return 1 - rate / (rate + exp((double)step / rate));
    }
    return 0;
}
