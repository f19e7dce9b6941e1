#include "data/quality/comparison.h"

#include <assert.h>
#include <math.h>

static const double nanoseconds_per_ms = 1e6, square_units = 68719476736.0; /* 2^36 */

const struct quality_row quality_table[NUM_QUALITIES] = {
    [QUALITY_PRECISION] = {"precision",        "precision",                      3},
    [QUALITY_RECALL] = {"recall",           "recall",                         3},
    [QUALITY_F1] = {"f1",               "F1",                             3},
    [QUALITY_CELL_ACCURACY] = {"cell_accuracy",    "cell accuracy",                  4},
    [QUALITY_SILENCE_ACCURACY] = {"silence_accuracy", "  of silence",                   4},
    [QUALITY_VELOCITY_MAE] = {"velocity_mae",     "velocity MAE",                   2},
    [QUALITY_TIMING_MAE_MS] = {"timing_mae_ms",    "timing MAE, ms",                 2},
    [QUALITY_QUANTIZED_MAE_MS] = {"quantized_mae_ms", "  quantized",                    2},
    [QUALITY_TIMING_MAE_RATIO] = {"timing_mae_ratio", "  ratio",                        3},
    [QUALITY_TIMING_MSE] = {"timing_mse",       "timing MSE, sixteenths squared", 4},
    [QUALITY_QUANTIZED_MSE] = {"quantized_mse",    "  quantized",                    4},
    [QUALITY_TIMING_MSE_RATIO] = {"timing_mse_ratio", "  ratio",                        3},
    [QUALITY_TIMING_CELLS] = {"timing_cells",     "cells hit in both",              0},
    [QUALITY_TIMING_KL] = {"timing_kl",        "timing KL, nats",                3},
    [QUALITY_VELOCITY_KL] = {"velocity_kl",      "velocity KL, nats",              3},
};

int offset_bin(float offset)
{
    int bin = (int)(((double)offset + 1) / 2 * OFFSET_BINS);
    return bin < 0 ? 0 : bin < OFFSET_BINS ? bin : OFFSET_BINS - 1;
}

int velocity_bin(uint8_t velocity)
{
    int bin = ((int)velocity - 1) * VELOCITY_BINS / 126;
    return bin < 0 ? 0 : bin < VELOCITY_BINS ? bin : VELOCITY_BINS - 1;
}

static uint64_t nanoseconds(double offset, double step_ms)
{
    double time = fabs(offset) / 2 * step_ms * nanoseconds_per_ms;
    return (uint64_t)llround(fmin(time, 1e15));
}

static uint64_t square(double offset)
{
    return (uint64_t)llround(offset * offset / 4 * square_units);
}

static void add_both(struct drum_comparison *drum, const struct grid_cells *target, const struct grid_cells *made,
                     size_t cell, double step_ms)
{
    double wanted = (double)target->offset[cell], difference = (double)made->offset[cell] - wanted;
    int velocity = (int)made->velocity[cell] - (int)target->velocity[cell];
    drum->velocity_error += (uint64_t)(velocity < 0 ? -velocity : velocity);
    drum->timing_error += nanoseconds(difference, step_ms);
    drum->quantized_error += nanoseconds(wanted, step_ms);
    drum->timing_square += square(difference);
    drum->quantized_square += square(wanted);
}

static void add_hit(struct drum_comparison *drum, enum comparison_side side, const struct grid_cells *cells,
                    size_t cell)
{
    drum->offsets[side][offset_bin(cells->offset[cell])]++;
    drum->velocities[side][velocity_bin(cells->velocity[cell])]++;
}

void comparison_add(struct comparison *comparison, const struct grid_cells *target, const struct grid_cells *made,
                    uint32_t num_steps, double qpm)
{
    double step_ms = 60000 / (qpm * STEPS_PER_QUARTER);
    assert(step_ms > 0);
    for (size_t cell = 0; cell < (size_t)num_steps * NUM_DRUMS; cell++) {
        struct drum_comparison *drum = &comparison->drums[cell % NUM_DRUMS];
        bool in_target = target->hits[cell], in_made = made->hits[cell];
        drum->cells++;
        drum->true_positives += in_target && in_made;
        drum->false_positives += !in_target && in_made;
        drum->false_negatives += in_target && !in_made;
        if (in_target)
            add_hit(drum, SIDE_TARGET, target, cell);
        if (in_made)
            add_hit(drum, SIDE_MADE, made, cell);
        if (in_target && in_made)
            add_both(drum, target, made, cell, step_ms);
    }
}

void comparison_merge(struct comparison *to, const struct comparison *from)
{
    uint64_t *sums = (uint64_t *)to;
    const uint64_t *numbers = (const uint64_t *)from;
    for (size_t i = 0; i < COMPARISON_NUMBERS; i++)
        sums[i] += numbers[i];
}

/* KL(a, b) in nats of two histograms, each bin with one more. */
static double divergence(const uint64_t *a, const uint64_t *b, int bins)
{
    double sum_a = bins, sum_b = bins, result = 0;
    for (int i = 0; i < bins; i++) {
        sum_a += (double)a[i];
        sum_b += (double)b[i];
    }
    for (int i = 0; i < bins; i++) {
        double p = ((double)a[i] + 1) / sum_a, q = ((double)b[i] + 1) / sum_b;
        result += p * log(p / q);
    }
    return result;
}

/* Mean over drums, weighted by the target's hits. */
static double mean_divergence(const struct comparison *comparison, enum quality quality, uint32_t drums)
{
    double sum = 0, hits = 0;
    for (int d = 0; d < NUM_DRUMS; d++) {
        const struct drum_comparison *drum = &comparison->drums[d];
        double weight = (double)(drum->true_positives + drum->false_negatives);
        if (!(drums >> d & 1))
            continue;
        hits += weight;
        sum += weight * (quality == QUALITY_TIMING_KL
                             ? divergence(drum->offsets[SIDE_TARGET], drum->offsets[SIDE_MADE], OFFSET_BINS)
                             : divergence(drum->velocities[SIDE_TARGET], drum->velocities[SIDE_MADE], VELOCITY_BINS));
    }
    return hits > 0 ? sum / hits : (double)NAN;
}

static struct drum_comparison sum_of(const struct comparison *comparison, uint32_t drums)
{
    struct drum_comparison sum = {0};
    for (int d = 0; d < NUM_DRUMS; d++) {
        const struct drum_comparison *drum = &comparison->drums[d];
        if (!(drums >> d & 1))
            continue;
        sum.cells += drum->cells;
        sum.true_positives += drum->true_positives;
        sum.false_positives += drum->false_positives;
        sum.false_negatives += drum->false_negatives;
        sum.velocity_error += drum->velocity_error;
        sum.timing_error += drum->timing_error;
        sum.quantized_error += drum->quantized_error;
        sum.timing_square += drum->timing_square;
        sum.quantized_square += drum->quantized_square;
    }
    return sum;
}

static double ratio(double a, double b)
{
    return b > 0 ? a / b : (double)NAN;
}

double quality_of(const struct comparison *comparison, enum quality quality, uint32_t drums)
{
    const struct drum_comparison sum = sum_of(comparison, drums);
    double both = (double)sum.true_positives, predicted = both + (double)sum.false_positives;
    double hits = both + (double)sum.false_negatives, cells = (double)sum.cells;
    switch (quality) {
    case QUALITY_PRECISION:
        return ratio(both, predicted);
    case QUALITY_RECALL:
        return ratio(both, hits);
    case QUALITY_F1:
        return predicted + hits > 0 ? 2 * both / (predicted + hits) : 0;
    case QUALITY_CELL_ACCURACY:
        return ratio(cells - (predicted - both) - (hits - both), cells);
    case QUALITY_SILENCE_ACCURACY:
        return ratio(cells - hits, cells);
    case QUALITY_VELOCITY_MAE:
        return ratio((double)sum.velocity_error, both);
    case QUALITY_TIMING_MAE_MS:
        return ratio((double)sum.timing_error / nanoseconds_per_ms, both);
    case QUALITY_QUANTIZED_MAE_MS:
        return ratio((double)sum.quantized_error / nanoseconds_per_ms, both);
    case QUALITY_TIMING_MAE_RATIO:
        return ratio((double)sum.timing_error, (double)sum.quantized_error);
    case QUALITY_TIMING_MSE:
        return ratio((double)sum.timing_square / square_units, both);
    case QUALITY_QUANTIZED_MSE:
        return ratio((double)sum.quantized_square / square_units, both);
    case QUALITY_TIMING_MSE_RATIO:
        return ratio((double)sum.timing_square, (double)sum.quantized_square);
    case QUALITY_TIMING_CELLS:
        return both;
    case QUALITY_TIMING_KL:
    case QUALITY_VELOCITY_KL:
        return mean_divergence(comparison, quality, drums);
    case NUM_QUALITIES:
        break;
    }
    return (double)NAN;
}
