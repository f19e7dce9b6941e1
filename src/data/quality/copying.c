#include "data/quality/copying.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BAR_CELLS = GRID_BAR_STEPS * NUM_DRUMS, WORD_BITS = 64 };

void pattern_of(uint64_t *bits, const uint8_t *hits, int bars)
{
    memset(bits, 0, (size_t)bars * PATTERN_WORDS * sizeof *bits);
    for (size_t bar = 0; bar < (size_t)bars; bar++)
        for (size_t cell = 0; cell < BAR_CELLS; cell++)
            if (hits[bar * BAR_CELLS + cell])
                bits[bar * PATTERN_WORDS + cell / WORD_BITS] |= UINT64_C(1) << cell % WORD_BITS;
}

/* Bars from the first of the performance's first window to the end of its last; windows [first, end) are its. */
static size_t count_bars(const struct windows *windows, size_t first, size_t end)
{
    uint64_t steps = windows->first_step[end - 1] + windows->num_steps - windows->first_step[first];
    return (size_t)(steps / GRID_BAR_STEPS);
}

static size_t end_of_performance(const struct windows *windows, size_t first)
{
    size_t end = first + 1;
    while (end < windows->count && windows->performance[end] == windows->performance[first])
        end++;
    return end;
}

bool patterns_make(struct patterns *patterns, const struct windows *windows, struct error *error)
{
    size_t num_bars = 0, next = 0;
    *patterns = (struct patterns){.bars = windows->bars, .count = windows->count};
    assert(windows->bars <= PATTERN_MAX_BARS);
    for (size_t first = 0, end; first < windows->count; first = end) {
        end = end_of_performance(windows, first);
        num_bars += count_bars(windows, first, end);
    }
    patterns->windows = malloc((windows->count + 1) * sizeof *patterns->windows);
    patterns->words = malloc((num_bars + 1) * PATTERN_WORDS * sizeof *patterns->words);
    if (!patterns->windows || !patterns->words) {
        patterns_free(patterns);
        return error_set(error, "no memory for the patterns of %zu bars", num_bars);
    }
    for (size_t first = 0, end; first < windows->count; first = end) {
        end = end_of_performance(windows, first);
        size_t bars = count_bars(windows, first, end);
        uint64_t *words = patterns->words + next * PATTERN_WORDS;
        pattern_of(words, windows->dataset->hits + (size_t)windows->first_step[first] * NUM_DRUMS, (int)bars);
        for (size_t i = first; i < end; i++)
            patterns->windows[i] =
                words + (windows->first_step[i] - windows->first_step[first]) / GRID_BAR_STEPS * PATTERN_WORDS;
        next += bars;
    }
    return true;
}

void patterns_free(struct patterns *patterns)
{
    free(patterns->windows);
    free(patterns->words);
    *patterns = (struct patterns){0};
}

static int count_bits(uint64_t bits)
{
    bits -= bits >> 1 & UINT64_C(0x5555555555555555);
    bits = (bits & UINT64_C(0x3333333333333333)) + (bits >> 2 & UINT64_C(0x3333333333333333));
    bits = (bits + (bits >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (int)(bits * UINT64_C(0x0101010101010101) >> 56);
}

int patterns_nearest(const struct patterns *patterns, const uint64_t *bits, int limit)
{
    int num_words = patterns->bars * PATTERN_WORDS;
    for (size_t i = 0; i < patterns->count; i++) {
        const uint64_t *pattern = patterns->windows[i];
        int distance = 0;
        for (int w = 0; w < num_words && distance < limit; w++)
            distance += count_bits(bits[w] ^ pattern[w]);
        limit = distance < limit ? distance : limit;
    }
    return limit;
}

bool patterns_have(const struct patterns *patterns, const uint8_t *hits)
{
    uint64_t bits[PATTERN_MAX_BARS * PATTERN_WORDS];
    int limit = COPY_DISTANCE * patterns->bars;
    pattern_of(bits, hits, patterns->bars);
    return patterns_nearest(patterns, bits, limit) < limit;
}
