#include "data/quality/distributions.h"

#include "base/random.h"
#include "data/quality/comparison.h"

#include <math.h>
#include <stdlib.h>

enum { NUM_DRAWS = 20 };

const struct distribution_row distribution_table[NUM_DISTRIBUTIONS] = {
    [DISTRIBUTION_DRUMS] = {"drums",      "drums a window",   NUM_DRUMS + 1        },
    [DISTRIBUTION_HITS] = {"hits",       "hits a bar",       DISTRIBUTION_MAX_BINS},
    [DISTRIBUTION_CLASSES] = {"classes",    "drum classes",     NUM_DRUMS            },
    [DISTRIBUTION_STEPS] = {"steps",      "steps of the bar", GRID_BAR_STEPS       },
    [DISTRIBUTION_VELOCITIES] = {"velocities", "velocities",       VELOCITY_BINS        },
    [DISTRIBUTION_OFFSETS] = {"offsets",    "offsets",          OFFSET_BINS          },
};

/* Returns the hits of the bar that begins at `cell`; `drums` gets the bits of those that are hit. */
static int add_bar(struct distributions *distributions, uint32_t *drums, const struct grid_cells *cells, size_t cell)
{
    int hits = 0;
    for (size_t i = 0; i < (size_t)GRID_BAR_STEPS * NUM_DRUMS; i++, cell++) {
        if (!cells->hits[cell])
            continue;
        hits++;
        *drums |= 1u << i % NUM_DRUMS;
        distributions->counts[DISTRIBUTION_CLASSES][i % NUM_DRUMS]++;
        distributions->counts[DISTRIBUTION_STEPS][i / NUM_DRUMS]++;
        distributions->counts[DISTRIBUTION_VELOCITIES][velocity_bin(cells->velocity[cell])]++;
        distributions->counts[DISTRIBUTION_OFFSETS][offset_bin(cells->offset[cell])]++;
    }
    distributions->counts[DISTRIBUTION_HITS][hits < DISTRIBUTION_MAX_BINS ? hits : DISTRIBUTION_MAX_BINS - 1]++;
    return hits;
}

void distributions_add(struct distributions *distributions, const struct grid_cells *cells, uint32_t bars)
{
    uint32_t drums = 0;
    int num_drums = 0;
    for (size_t bar = 0; bar < bars; bar++)
        add_bar(distributions, &drums, cells, bar * GRID_BAR_STEPS * NUM_DRUMS);
    for (int d = 0; d < NUM_DRUMS; d++)
        num_drums += (drums >> d & 1) != 0;
    distributions->counts[DISTRIBUTION_DRUMS][num_drums]++;
    distributions->windows++;
    distributions->silent += num_drums == 0;
    distributions->many_drums += num_drums >= MANY_DRUMS;
}

static void add_window(struct distributions *distributions, const struct windows *windows, size_t number)
{
    const struct dataset *dataset = windows->dataset;
    size_t cell = (size_t)windows->first_step[number] * NUM_DRUMS;
    struct grid_cells cells = {dataset->hits + cell, dataset->velocity + cell, dataset->offset + cell};
    distributions_add(distributions, &cells, (uint32_t)windows->bars);
}

void distributions_add_windows(struct distributions *distributions, const struct windows *windows)
{
    for (size_t i = 0; i < windows->count; i++)
        add_window(distributions, windows, i);
}

void distributions_merge(struct distributions *to, const struct distributions *from)
{
    uint64_t *sums = (uint64_t *)to;
    const uint64_t *numbers = (const uint64_t *)from;
    for (size_t i = 0; i < DISTRIBUTIONS_NUMBERS; i++)
        sums[i] += numbers[i];
}

static double term(double p, double middle)
{
    return p > 0 ? p * log2(p / middle) : 0;
}

double distributions_divergence(const struct distributions *a, const struct distributions *b, enum distribution kind)
{
    const uint64_t *counts_a = a->counts[kind], *counts_b = b->counts[kind];
    double sum_a = 0, sum_b = 0, result = 0;
    for (int i = 0; i < distribution_table[kind].bins; i++) {
        sum_a += (double)counts_a[i];
        sum_b += (double)counts_b[i];
    }
    if (!(sum_a > 0 && sum_b > 0))
        return (double)NAN;
    for (int i = 0; i < distribution_table[kind].bins; i++) {
        double p = (double)counts_a[i] / sum_a, q = (double)counts_b[i] / sum_b, middle = (p + q) / 2;
        result += (term(p, middle) + term(q, middle)) / 2;
    }
    return result < 0 ? 0 : result;
}

/* Where each performance's windows begin, which lie one after another: *starts [*count + 1], the caller's. */
static bool find_performances(size_t **starts, size_t *count, const struct windows *windows, struct error *error)
{
    *count = 0;
    *starts = malloc((windows->count + 1) * sizeof **starts);
    if (!*starts)
        return error_set(error, "no memory for %zu windows", windows->count);
    for (size_t i = 0; i < windows->count; i++)
        if (i == 0 || windows->performance[i] != windows->performance[i - 1])
            (*starts)[(*count)++] = i;
    (*starts)[*count] = windows->count;
    return true;
}

static void shuffle(size_t *order, size_t count, uint32_t draw)
{
    struct random_stream stream;
    random_stream_start(&stream, 0, RANDOM_QUALITY_DRAW, draw, 0);
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t i = count; i > 1; i--) {
        size_t j = random_below(&stream, (uint32_t)i), other = order[i - 1];
        order[i - 1] = order[j];
        order[j] = other;
    }
}

/* One draw and the other performances, by performances in `order`. Returns whether both have windows, the draw enough. */
static bool draw(struct distributions *drawn, struct distributions *others, const struct windows *windows,
                 const size_t *starts, const size_t *order, size_t count, size_t draw_size)
{
    *drawn = *others = (struct distributions){0};
    for (size_t i = 0; i < count; i++) {
        bool is_drawn = drawn->windows < draw_size;
        for (size_t w = starts[order[i]]; w < starts[order[i] + 1]; w++)
            if (!is_drawn || drawn->windows < draw_size)
                add_window(is_drawn ? drawn : others, windows, w);
    }
    return drawn->windows == draw_size && others->windows > 0;
}

bool distributions_floor(double floor[NUM_DISTRIBUTIONS], const struct windows *windows, size_t draw_size,
                         struct error *error)
{
    size_t *starts = NULL, *order = NULL, count;
    struct distributions drawn, others;
    bool ok = find_performances(&starts, &count, windows, error);
    for (int kind = 0; kind < NUM_DISTRIBUTIONS; kind++)
        floor[kind] = 0;
    if (ok && !(order = malloc((count + 1) * sizeof *order)))
        ok = error_set(error, "no memory for %zu performances", count);
    for (uint32_t i = 0; ok && i < NUM_DRAWS; i++) {
        shuffle(order, count, i);
        bool enough = draw(&drawn, &others, windows, starts, order, count, draw_size);
        for (int kind = 0; kind < NUM_DISTRIBUTIONS; kind++)
            floor[kind] +=
                enough ? distributions_divergence(&drawn, &others, (enum distribution)kind) / NUM_DRAWS : (double)NAN;
    }
    free(order);
    free(starts);
    return ok;
}
