#include "data/music/grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

uint32_t time_signature_bar_steps(struct time_signature time_signature)
{
    uint32_t sixteenths = 16U * time_signature.numerator, denominator = time_signature.denominator;
    bool power_of_two = denominator > 0 && (denominator & (denominator - 1)) == 0;
    return power_of_two && sixteenths % denominator == 0 ? sixteenths / denominator : 0;
}

bool time_signature_parse(struct time_signature *time_signature, const char *text, struct error *error)
{
    char *end;
    bool ok = text[0] >= '1' && text[0] <= '9';
    long numerator = strtol(text, &end, 10);
    ok = ok && (*end == '-' || *end == '/') && end[1] >= '1' && end[1] <= '9';
    long denominator = ok ? strtol(end + 1, &end, 10) : 0;
    ok = ok && *end == '\0' && numerator <= 255 && denominator <= 128 && (denominator & (denominator - 1)) == 0;
    if (!ok)
        return error_set(error, "'%s' is not a time signature such as 4-4 or 6-8 (the second number is a power of two)",
                         text);
    *time_signature = (struct time_signature){(uint8_t)numerator, (uint8_t)denominator};
    return true;
}

bool time_signature_equal(struct time_signature a, struct time_signature b)
{
    return a.numerator == b.numerator && a.denominator == b.denominator;
}

bool time_signature_same_bar(struct time_signature a, struct time_signature b)
{
    return time_signature_equal(a, b) ||
           (time_signature_bar_steps(a) == GRID_BAR_STEPS && time_signature_bar_steps(b) == GRID_BAR_STEPS);
}

bool grid_make(struct grid *grid, uint32_t num_steps, struct error *error)
{
    size_t cells = (size_t)num_steps * NUM_DRUMS;
    *grid = (struct grid){.num_steps = num_steps};
    grid->hits = calloc(cells + 1, 1);
    grid->velocity = calloc(cells + 1, 1);
    grid->offset = calloc(cells + 1, sizeof *grid->offset);
    if (grid->hits != NULL && grid->velocity != NULL && grid->offset != NULL)
        return true;
    grid_free(grid);
    return error_set(error, "no memory for a grid of %u steps", num_steps);
}

void grid_free(struct grid *grid)
{
    free(grid->hits);
    free(grid->velocity);
    free(grid->offset);
    *grid = (struct grid){0};
}

uint64_t grid_count_hits(const struct grid *grid)
{
    uint64_t count = 0;
    for (size_t i = 0; i < (size_t)grid->num_steps * NUM_DRUMS; i++)
        count += grid->hits[i];
    return count;
}

/* Whether bars go on as they were: the same time signature, or one of the same 16 sixteenths at the beginning of a bar. */
static bool goes_on(const struct grid_part *part, struct time_signature next, uint32_t tick, uint32_t ppq)
{
    return time_signature_equal(next, part->time_signature) ||
           (time_signature_same_bar(next, part->time_signature) && (tick - part->first_tick) % (4 * ppq) == 0);
}

/* Where the stretches of one time signature begin; the first at tick 0. */
static bool find_parts(struct grid_list *list, const struct midi *midi, struct time_signature fallback,
                       struct error *error)
{
    static const struct time_signature common_time = {4, 4};
    list->parts = calloc(midi->num_time_signatures + 1, sizeof *list->parts);
    if (list->parts == NULL)
        return error_set(error, "no memory for %zu time signatures", midi->num_time_signatures);
    list->parts[0].time_signature = midi->num_time_signatures > 0 ? common_time : fallback;
    list->count = 1;
    for (size_t i = 0; i < midi->num_time_signatures; i++) {
        const struct midi_time_signature *event = &midi->time_signatures[i];
        struct time_signature time_signature = {event->numerator, event->denominator};
        struct grid_part *last = &list->parts[list->count - 1];
        if (event->tick == last->first_tick)
            last->time_signature = time_signature;
        else if (!goes_on(last, time_signature, event->tick, midi->ppq))
            list->parts[list->count++] =
                (struct grid_part){.time_signature = time_signature, .first_tick = event->tick};
    }
    return true;
}

/* True where the onset is nearer to what is before `first_tick` than to the step that begins there. */
static bool lies_before(const struct midi_onset *onset, uint32_t first_tick, uint32_t ppq)
{
    return 8 * (uint64_t)onset->tick + ppq < 8 * (uint64_t)first_tick;
}

static uint64_t nearest_step(const struct midi_onset *onset, uint32_t first_tick, uint32_t ppq)
{
    uint64_t numerator = 8 * (uint64_t)onset->tick + ppq - 8 * (uint64_t)first_tick;
    return numerator / (2 * (uint64_t)ppq);
}

static float offset_from_step(const struct midi_onset *onset, uint32_t first_tick, uint32_t ppq, uint64_t step)
{
    int64_t early = 2 * (int64_t)step * ppq - 8 * ((int64_t)onset->tick - first_tick);
    return (float)((double)early / ppq);
}

float grid_starting_qpm(const struct midi *midi, uint32_t tick)
{
    uint32_t tempo = midi->num_tempos > 0 ? midi->tempos[0].microseconds_per_quarter : MIDI_DEFAULT_TEMPO;
    for (size_t i = 0; i < midi->num_tempos && midi->tempos[i].tick <= tick; i++)
        tempo = midi->tempos[i].microseconds_per_quarter;
    return (float)midi_qpm(tempo);
}

uint32_t grid_tick_of_step(const struct grid_part *part, uint32_t step, uint32_t ppq)
{
    return part->first_tick + (uint32_t)((uint64_t)step * ppq / STEPS_PER_QUARTER);
}

static void place_onsets(struct grid *grid, const struct midi *midi, size_t first, size_t end, uint32_t first_tick,
                         const struct drum_map *map)
{
    for (size_t i = first; i < end; i++) {
        const struct midi_onset *onset = &midi->onsets[i];
        int drum = drum_class_of_pitch(map, onset->pitch);
        if (drum == DRUM_NONE)
            continue;
        uint64_t step = nearest_step(onset, first_tick, midi->ppq);
        size_t cell = step * NUM_DRUMS + (size_t)drum;
        if (onset->velocity <= grid->velocity[cell])
            continue;
        grid->hits[cell] = 1;
        grid->velocity[cell] = onset->velocity;
        grid->offset[cell] = offset_from_step(onset, first_tick, midi->ppq, step);
    }
}

/* Makes the grid of the onsets [first, end), or sets the fault. *steps_left is what the file may still take. */
static bool fill_part(struct grid_part *part, uint64_t *steps_left, uint64_t *num_unknown, const struct midi *midi,
                      size_t first, size_t end, const struct drum_map *map, struct error *error)
{
    uint64_t last_step = 0;
    uint32_t bar_steps = time_signature_bar_steps(part->time_signature);
    bool any = false;
    for (size_t i = first; i < end; i++) {
        if (drum_class_of_pitch(map, midi->onsets[i].pitch) == DRUM_NONE) {
            ++*num_unknown;
            continue;
        }
        any = true;
        last_step = nearest_step(&midi->onsets[i], part->first_tick, midi->ppq);
    }
    part->fault = !any ? GRID_NO_DRUMS : bar_steps == 0 ? GRID_BROKEN_BAR : GRID_VALID;
    if (part->fault != GRID_VALID)
        return true;
    uint64_t num_steps = (last_step / bar_steps + 1) * bar_steps;
    if (num_steps > *steps_left) {
        part->fault = GRID_TOO_LONG;
        return true;
    }
    *steps_left -= num_steps;
    if (!grid_make(&part->grid, (uint32_t)num_steps, error))
        return false;
    part->grid.qpm = grid_starting_qpm(midi, part->first_tick);
    part->grid.time_signature = part->time_signature;
    place_onsets(&part->grid, midi, first, end, part->first_tick, map);
    return true;
}

bool grid_list_make(struct grid_list *list, const struct midi *midi, const struct drum_map *map,
                    struct time_signature fallback, struct error *error)
{
    uint64_t steps_left = GRID_MAX_STEPS;
    size_t first = 0, kept = 0;
    bool ok = true;
    *list = (struct grid_list){0};
    if (!find_parts(list, midi, fallback, error))
        return false;
    for (size_t p = 0; ok && p < list->count; p++) {
        struct grid_part part = list->parts[p];
        size_t end = first;
        while (end < midi->num_onsets &&
               (p + 1 == list->count || lies_before(&midi->onsets[end], list->parts[p + 1].first_tick, midi->ppq)))
            end++;
        if (end == first && midi->num_onsets > 0)
            continue;
        ok = fill_part(&part, &steps_left, &list->num_unknown, midi, first, end, map, error);
        list->parts[kept++] = part;
        first = end;
        if (midi->num_onsets == 0)
            break;
    }
    list->count = kept;
    if (!ok)
        grid_list_free(list);
    return ok;
}

const struct grid_part *grid_list_find(uint32_t *step, const struct grid_list *list, uint32_t tick, uint32_t ppq)
{
    const struct midi_onset onset = {.tick = tick};
    const struct grid_part *found = NULL;
    for (size_t p = 0; p < list->count && !lies_before(&onset, list->parts[p].first_tick, ppq); p++)
        found = &list->parts[p];
    if (found)
        *step = (uint32_t)nearest_step(&onset, found->first_tick, ppq);
    return found;
}

void grid_list_free(struct grid_list *list)
{
    for (size_t p = 0; p < list->count; p++)
        grid_free(&list->parts[p].grid);
    free(list->parts);
    *list = (struct grid_list){0};
}

static int compare_onsets(const void *left, const void *right)
{
    const struct midi_onset *a = left, *b = right;
    if (a->tick != b->tick)
        return a->tick < b->tick ? -1 : 1;
    return (a->pitch > b->pitch) - (a->pitch < b->pitch);
}

enum { STEP_TICKS = MIDI_WRITTEN_PPQ / STEPS_PER_QUARTER, MOST_EARLY = STEP_TICKS / 2, MOST_LATE = MOST_EARLY - 1 };

/* Late by half a step would be nearest to the next step, so the latest is a tick less. */
static long early_ticks(float offset)
{
    long early = lround((double)offset * MOST_EARLY);
    return early > MOST_EARLY ? MOST_EARLY : early < -MOST_LATE ? -MOST_LATE : early;
}

static uint32_t written_tick(uint32_t step, float offset)
{
    int64_t tick = (int64_t)step * STEP_TICKS - early_ticks(offset);
    return tick > 0 ? (uint32_t)tick : 0;
}

void grid_round_offsets(struct grid *grid)
{
    for (size_t cell = 0; cell < (size_t)grid->num_steps * NUM_DRUMS; cell++)
        if (grid->hits[cell])
            grid->offset[cell] = (float)early_ticks(grid->offset[cell]) / MOST_EARLY;
}

bool grid_to_midi(struct midi *midi, const struct grid *grid, const struct drum_map *map, struct error *error)
{
    uint64_t num_hits = grid_count_hits(grid);
    *midi = (struct midi){.ppq = MIDI_WRITTEN_PPQ, .num_tempos = 1, .num_time_signatures = 1};
    midi->end_tick = grid->num_steps * (MIDI_WRITTEN_PPQ / STEPS_PER_QUARTER);
    midi->onsets = calloc(num_hits + 1, sizeof *midi->onsets);
    midi->tempos = calloc(1, sizeof *midi->tempos);
    midi->time_signatures = calloc(1, sizeof *midi->time_signatures);
    if (midi->onsets == NULL || midi->tempos == NULL || midi->time_signatures == NULL) {
        midi_free(midi);
        return error_set(error, "no memory for a performance of %llu hits", (unsigned long long)num_hits);
    }
    midi->tempos[0].microseconds_per_quarter = midi_tempo_of_qpm(grid->qpm);
    midi->time_signatures[0].numerator = grid->time_signature.numerator;
    midi->time_signatures[0].denominator = grid->time_signature.denominator;
    for (uint32_t step = 0; step < grid->num_steps; step++)
        for (size_t drum = 0; drum < NUM_DRUMS; drum++) {
            size_t cell = (size_t)step * NUM_DRUMS + drum;
            if (!grid->hits[cell])
                continue;
            uint8_t velocity = grid->velocity[cell] > 127 ? 127 : grid->velocity[cell];
            midi->onsets[midi->num_onsets++] =
                (struct midi_onset){written_tick(step, grid->offset[cell]), MIDI_DRUM_CHANNEL, map->written[drum],
                                    velocity > 0 ? velocity : 1};
        }
    qsort(midi->onsets, midi->num_onsets, sizeof *midi->onsets, compare_onsets);
    return true;
}
