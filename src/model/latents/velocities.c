#include "model/latents/velocities.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CLASS_SIZE = VELOCITY_MODEL_LEVELS * VELOCITY_LEVELS };

size_t velocity_pairs_size(int classes)
{
    return (size_t)classes * CLASS_SIZE;
}

static int level_of(float value, int levels)
{
    return (int)lrintf(fminf(fmaxf(value, 0.0f), 1.0f) * (float)(levels - 1));
}

void velocity_pairs_add(uint64_t *pairs, int number, float model, float data)
{
    size_t row = (size_t)number * VELOCITY_MODEL_LEVELS + (size_t)level_of(model, VELOCITY_MODEL_LEVELS);
    pairs[row * VELOCITY_LEVELS + (size_t)level_of(data, VELOCITY_LEVELS)]++;
}

/* Hits of one class whose model's velocities are next to one another. */
struct bin {
    uint64_t count, counts[VELOCITY_LEVELS];
    double sum; /* of the model's velocities */
};

/* Parts the hits of pairs [VELOCITY_MODEL_LEVELS, VELOCITY_LEVELS] into bins of about as many. Hits of one level of the model's stay
 * together, so that a bin may be empty. */
static void part(struct bin bins[VELOCITY_BINS], const uint64_t *pairs)
{
    uint64_t total = 0, before = 0;
    memset(bins, 0, VELOCITY_BINS * sizeof *bins);
    for (size_t i = 0; i < CLASS_SIZE; i++)
        total += pairs[i];
    for (int level = 0; level < VELOCITY_MODEL_LEVELS; level++, pairs += VELOCITY_LEVELS) {
        uint64_t here = 0;
        for (int k = 0; k < VELOCITY_LEVELS; k++)
            here += pairs[k];
        if (here == 0)
            continue;
        struct bin *bin = &bins[(size_t)(((double)before + 0.5 * (double)here) / (double)total * VELOCITY_BINS)];
        for (int k = 0; k < VELOCITY_LEVELS; k++)
            bin->counts[k] += pairs[k];
        bin->count += here;
        bin->sum += (double)here * level / (VELOCITY_MODEL_LEVELS - 1);
        before += here;
    }
}

/* The velocity that `index` hits are below, those of one level counted one by one. */
static double velocity_at(const struct bin *bin, uint64_t index)
{
    int level = 0;
    uint64_t seen = bin->counts[0];
    while (seen <= index && level < VELOCITY_LEVELS - 1)
        seen += bin->counts[++level];
    return (double)level / (VELOCITY_LEVELS - 1);
}

static double quantile(const struct bin *bin, int number)
{
    double place = (double)(bin->count - 1) * number / (VELOCITY_QUANTILES - 1), whole = floor(place);
    double low = velocity_at(bin, (uint64_t)whole), high = velocity_at(bin, (uint64_t)ceil(place));
    return low + (place - whole) * (high - low);
}

/* Makes values [VELOCITY_BINS] with a stride rise, with the least change in squares. */
static void make_rise(float *values, size_t stride)
{
    struct {
        double sum;
        int count;
    } blocks[VELOCITY_BINS];
    int num_blocks = 0;
    for (int i = 0; i < VELOCITY_BINS; i++) {
        blocks[num_blocks].sum = (double)values[(size_t)i * stride];
        blocks[num_blocks++].count = 1;
        while (num_blocks > 1 && blocks[num_blocks - 2].sum * blocks[num_blocks - 1].count >
                                     blocks[num_blocks - 1].sum * blocks[num_blocks - 2].count) {
            blocks[num_blocks - 2].sum += blocks[num_blocks - 1].sum;
            blocks[num_blocks - 2].count += blocks[num_blocks - 1].count;
            num_blocks--;
        }
    }
    for (int block = 0, i = 0; block < num_blocks; block++)
        for (int k = 0; k < blocks[block].count; k++)
            values[(size_t)i++ * stride] = (float)(blocks[block].sum / blocks[block].count);
}

/* Rounding, of the isotonic means above all, must not make numbers fall. */
static void make_order(float *values, int rows, int columns)
{
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++) {
            float *value = values + (size_t)row * (size_t)columns + column;
            if (row > 0)
                *value = fmaxf(*value, value[-columns]);
            if (column > 0)
                *value = fmaxf(*value, value[-1]);
        }
}

/* One class: means [VELOCITY_BINS] and quantiles [VELOCITY_BINS, VELOCITY_QUANTILES]. */
static void fit_class(float *means, float *quantiles, const uint64_t *pairs)
{
    struct bin bins[VELOCITY_BINS];
    int filled = -1; /* the last bin with hits */
    part(bins, pairs);
    for (int i = 0; i < VELOCITY_BINS; i++) {
        float *row = quantiles + (size_t)i * VELOCITY_QUANTILES;
        if (bins[i].count == 0)
            continue;
        means[i] = (float)(bins[i].sum / (double)bins[i].count);
        for (int k = 0; k < VELOCITY_QUANTILES; k++)
            row[k] = (float)quantile(&bins[i], k);
        for (int empty = filled + 1; empty < i; empty++) { /* as the one above it */
            means[empty] = means[i];
            memcpy(quantiles + (size_t)empty * VELOCITY_QUANTILES, row, VELOCITY_QUANTILES * sizeof *row);
        }
        filled = i;
    }
    for (int i = filled + 1; i < VELOCITY_BINS; i++) { /* as the one below it, and without hits as the model's */
        means[i] = filled >= 0 ? means[filled] : (float)i / (VELOCITY_BINS - 1);
        for (int k = 0; k < VELOCITY_QUANTILES; k++)
            quantiles[i * VELOCITY_QUANTILES + k] = filled >= 0 ? quantiles[filled * VELOCITY_QUANTILES + k] : means[i];
    }
    for (size_t k = 0; k < VELOCITY_QUANTILES; k++)
        make_rise(quantiles + k, VELOCITY_QUANTILES);
    make_order(quantiles, VELOCITY_BINS, VELOCITY_QUANTILES);
    make_order(means, 1, VELOCITY_BINS);
}

bool latents_fit_velocities(struct latents *latents, const uint64_t *pairs, struct error *error)
{
    int classes = latents->counts.classes;
    uint64_t *all = calloc(CLASS_SIZE, sizeof *all);
    if (!all)
        return error_set_no_memory(error, "out of memory for the velocities of %d drums", classes);
    for (size_t i = 0; i < velocity_pairs_size(classes); i++)
        all[i % CLASS_SIZE] += pairs[i];
    for (int i = 0; i < classes; i++) {
        const uint64_t *own = pairs + (size_t)i * CLASS_SIZE;
        uint64_t hits = 0;
        for (size_t k = 0; k < CLASS_SIZE; k++)
            hits += own[k];
        fit_class(latents->velocity_means + (size_t)i * VELOCITY_BINS,
                  latents->velocity_quantiles + (size_t)i * VELOCITY_BINS * VELOCITY_QUANTILES,
                  hits < VELOCITY_FEW_HITS ? all : own);
    }
    free(all);
    return true;
}
