#include "data/dataset/windows.h"

#include "data/dataset/order.h"

#include <stdlib.h>
#include <string.h>

uint64_t windows_in(const struct performance *row, uint32_t bars, uint32_t hop_bars)
{
    uint32_t has_bars = row->num_steps / GRID_BAR_STEPS;
    if (time_signature_bar_steps(row->time_signature) != GRID_BAR_STEPS || has_bars < bars)
        return 0;
    return (has_bars - bars) / hop_bars + 1;
}

static bool refuse_empty(const uint64_t counts[NUM_SPLITS], enum split split, int bars, struct error *error)
{
    return error_set(error,
                     "the split '%s' holds no window of %d bars of 4/4 (train holds %llu, validation %llu, test %llu)",
                     split_name(split), bars, (unsigned long long)counts[SPLIT_TRAIN],
                     (unsigned long long)counts[SPLIT_VALIDATION], (unsigned long long)counts[SPLIT_TEST]);
}

static void list_windows(struct windows *windows, const struct performance_table *table, enum split split,
                         uint32_t hop_bars)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct performance *row = &table->rows[i];
        uint64_t count = row->split == split ? windows_in(row, (uint32_t)windows->bars, hop_bars) : 0;
        for (uint64_t w = 0; w < count; w++) {
            windows->performance[windows->count] = (uint32_t)i;
            windows->number[windows->count] = (uint32_t)windows->count;
            windows->first_step[windows->count++] = row->first_step + w * hop_bars * GRID_BAR_STEPS;
        }
    }
}

bool windows_make(struct windows *windows, const struct dataset *dataset, const char *split, int bars, int hop_bars,
                  struct error *error)
{
    const struct performance_table *table = &dataset->index.table;
    uint64_t counts[NUM_SPLITS] = {0};
    enum split number;
    *windows = (struct windows){.dataset = dataset, .bars = bars};
    if (!split_parse(&number, split))
        return error_set(error, "split '%s': must be train, validation or test", split);
    if (bars < 1 || hop_bars < 1 || bars > GRID_MAX_STEPS / GRID_BAR_STEPS)
        return error_set(error, "invalid: windows of %d bars every %d bars", bars, hop_bars);
    for (size_t i = 0; i < table->count; i++)
        counts[table->rows[i].split] += windows_in(&table->rows[i], (uint32_t)bars, (uint32_t)hop_bars);
    if (counts[number] == 0)
        return refuse_empty(counts, number, bars, error);
    if (counts[number] > UINT32_MAX)
        return error_set(error, "more than %u windows", UINT32_MAX);
    windows->split = number;
    windows->num_steps = (uint32_t)bars * GRID_BAR_STEPS;
    windows->first_step = calloc((size_t)counts[number], sizeof *windows->first_step);
    windows->performance = calloc((size_t)counts[number], sizeof *windows->performance);
    windows->number = calloc((size_t)counts[number], sizeof *windows->number);
    if (!windows->first_step || !windows->performance || !windows->number) {
        windows_free(windows);
        return error_set(error, "no memory for %llu windows", (unsigned long long)counts[number]);
    }
    list_windows(windows, table, number, (uint32_t)hop_bars);
    return true;
}

void windows_free(struct windows *windows)
{
    free(windows->first_step);
    free(windows->performance);
    free(windows->number);
    *windows = (struct windows){0};
}

bool windows_skip_silent(struct windows *windows, struct error *error)
{
    const struct dataset *dataset = windows->dataset;
    size_t cells = (size_t)windows->num_steps * NUM_DRUMS, kept = 0;
    for (size_t i = 0; i < windows->count; i++) {
        if (!memchr(dataset->hits + (size_t)windows->first_step[i] * NUM_DRUMS, 1, cells))
            continue;
        windows->first_step[kept] = windows->first_step[i];
        windows->performance[kept] = windows->performance[i];
        windows->number[kept++] = windows->number[i];
    }
    windows->num_silent += windows->count - kept;
    windows->count = kept;
    if (kept > 0)
        return true;
    error_set(error, "the split '%s' holds no window of %d bars with a hit (%zu without)", split_name(windows->split),
              windows->bars, windows->num_silent);
    windows_free(windows);
    return false;
}

/* The index of the window of that number; windows.count where it is skipped. */
static size_t index_of_number(const struct windows *windows, uint32_t number)
{
    size_t first = 0, end = windows->count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (windows->number[middle] < number)
            first = middle + 1;
        else
            end = middle;
    }
    return first < windows->count && windows->number[first] == number ? first : windows->count;
}

void windows_order(uint32_t *order, const struct windows *windows, uint64_t seed, uint32_t epoch)
{
    size_t all = windows->count + windows->num_silent, kept = 0;
    order_permutation(order, all, seed, epoch);
    if (windows->num_silent == 0)
        return;
    for (size_t i = 0; i < all; i++) {
        size_t index = index_of_number(windows, order[i]);
        if (index < windows->count)
            order[kept++] = (uint32_t)index;
    }
}

size_t windows_consecutive(const struct windows *windows, size_t first, size_t most)
{
    size_t count = 1;
    while (count < most && first + count < windows->count &&
           windows->number[first + count] == windows->number[first] + count)
        count++;
    return count;
}
