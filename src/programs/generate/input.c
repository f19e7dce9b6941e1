#include "programs/generate/input.h"

#include "base/log.h"
#include "base/text.h"
#include "data/midi/reader.h"
#include "programs/common/lost_notes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct time_signature common_time = {4, 4};

/* Whole bars of four quarters; one that ends up to half a sixteenth early counts. */
static uint32_t bars_of_ticks(uint32_t ticks, uint32_t ppq)
{
    return (uint32_t)((8 * (uint64_t)ticks + ppq) / (32 * (uint64_t)ppq));
}

/* `grid` made longer: with silence, or with its first `loop_steps` steps again and again where that is not 0. */
static bool copy_longer(struct grid *to, const struct grid *grid, uint32_t num_steps, uint32_t loop_steps,
                        struct error *error)
{
    if (!grid_make(to, num_steps, error))
        return false;
    to->qpm = grid->qpm;
    to->time_signature = common_time;
    for (uint32_t step = 0; step < num_steps; step++) {
        uint32_t source = loop_steps > 0 ? step % loop_steps : step;
        if (source >= grid->num_steps)
            continue;
        size_t cell = (size_t)step * NUM_DRUMS, from = (size_t)source * NUM_DRUMS;
        memcpy(to->hits + cell, grid->hits + from, NUM_DRUMS);
        memcpy(to->velocity + cell, grid->velocity + from, NUM_DRUMS);
        memcpy(to->offset + cell, grid->offset + from, NUM_DRUMS * sizeof *to->offset);
    }
    return true;
}

static bool is_usable(const struct grid_part *part)
{
    return part->fault == GRID_VALID && time_signature_bar_steps(part->time_signature) == GRID_BAR_STEPS;
}

/* The longest part in bars of 16 sixteenths; NULL and the reason where there is none. */
static const struct grid_part *find_part(const struct grid_list *list, const struct midi *midi, const char *path,
                                         struct error *error)
{
    const struct grid_part *best = NULL, *first = &list->parts[0];
    for (size_t p = 0; p < list->count; p++)
        if (is_usable(&list->parts[p]) && (!best || list->parts[p].grid.num_steps > best->grid.num_steps))
            best = &list->parts[p];
    if (best && list->count > 1)
        log_info("%s: the time signature changes; using the part in %d/%d from beat %u, with bars counted from 1", path,
                 best->time_signature.numerator, best->time_signature.denominator, best->first_tick / midi->ppq + 1);
    if (best)
        return best;
    if (first->fault == GRID_NO_DRUMS && midi->num_onsets > 0)
        error_set(error, "%s: has no drums: none of its %zu notes is a pitch of the drum map", path, midi->num_onsets);
    else if (first->fault == GRID_NO_DRUMS)
        error_set(error, "%s: has no drums: it has no notes", path);
    else if (first->fault == GRID_TOO_LONG)
        error_set(error, "%s: is too long: more than %d steps", path, GRID_MAX_STEPS);
    else
        error_set(error, "%s: is in %d/%d; the models play 4/4", path, first->time_signature.numerator,
                  first->time_signature.denominator);
    return NULL;
}

/* Where the part ends: at the next one, or with the file. */
static uint32_t end_of_part(const struct grid_list *list, const struct grid_part *part, const struct midi *midi)
{
    const struct grid_part *next = part + 1;
    uint32_t end = next < list->parts + list->count ? next->first_tick : midi->end_tick;
    return end > part->first_tick ? end - part->first_tick : 0;
}

/* Early hits of the bar after the last: moved to the first bar's downbeat. True where there were no others in that bar. */
static bool move_pick_up(struct grid *grid, uint32_t bars)
{
    size_t late = (size_t)bars * GRID_BAR_STEPS * NUM_DRUMS;
    if (grid->num_steps != (bars + 1) * GRID_BAR_STEPS)
        return false;
    for (size_t i = late; i < (size_t)grid->num_steps * NUM_DRUMS; i++)
        if (grid->hits[i] && (i >= late + NUM_DRUMS || grid->offset[i] <= 0))
            return false;
    for (size_t drum = 0; drum < NUM_DRUMS; drum++) {
        if (grid->velocity[late + drum] > grid->velocity[drum]) {
            grid->hits[drum] = 1;
            grid->velocity[drum] = grid->velocity[late + drum];
            grid->offset[drum] = grid->offset[late + drum];
        }
        grid->hits[late + drum] = grid->velocity[late + drum] = 0;
        grid->offset[late + drum] = 0;
    }
    return true;
}

/* Fills the window up. */
static bool fill(struct generate_input *input, const struct grid *grid, uint32_t bars, struct error *error)
{
    uint32_t has = input->num_bars;
    bool is_loop = has < bars && bars % has == 0 && (has == 1 || has == 2 || has == 4) && input->last_bar == has;
    if (has < bars && is_loop)
        log_info("%s: has %" PRIu32 " bar%s: repeated to fill the window of %" PRIu32, input->path, has, PLURAL(has),
                 bars);
    else if (has < bars)
        log_info("%s: has %" PRIu32 " bar%s: padded with silence to the window of %" PRIu32, input->path, has,
                 PLURAL(has), bars);
    if (has < bars) {
        input->num_bars = bars;
        input->last_bar = is_loop ? bars : input->last_bar;
    }
    return copy_longer(&input->grid, grid, input->num_bars * GRID_BAR_STEPS, is_loop ? has * GRID_BAR_STEPS : 0, error);
}

static bool take_part(struct generate_input *input, const struct grid_list *list, const struct grid_part *part,
                      const struct midi *midi, uint32_t bars, struct error *error)
{
    struct grid grid = part->grid; /* whose arrays are changed in place */
    uint32_t file_bars = bars_of_ticks(end_of_part(list, part, midi), midi->ppq),
             most = GRID_MAX_STEPS / GRID_BAR_STEPS;
    if (file_bars > 0 && move_pick_up(&grid, file_bars)) {
        log_info("%s: hits just before bar %" PRIu32 " are played with the downbeat of bar 1", input->path,
                 file_bars + 1);
        grid.num_steps -= GRID_BAR_STEPS;
    }
    input->last_bar = grid.num_steps / GRID_BAR_STEPS;
    input->num_bars = file_bars > input->last_bar ? file_bars : input->last_bar;
    if (input->num_bars > most)
        input->num_bars = most;
    return fill(input, &grid, bars, error);
}

/* The map that `rules` choose for this file. */
static bool choose_map(struct drum_map *map, const struct pitch_census *census,
                       const struct generate_input_rules *rules, struct error *error)
{
    struct drum_map general;
    if (strcmp(rules->drum_map, "auto") != 0)
        return drum_map_find(map, rules->drum_map, error) || error_prefix(error, "--drum_map");
    drum_map_builtin(&general, "general");
    *map = general;
    for (int pitch = 0; pitch < NUM_PITCHES; pitch++)
        if (census->notes[pitch] > 0 && general.classes[pitch] == DRUM_NONE &&
            rules->stored->classes[pitch] != DRUM_NONE)
            *map = *rules->stored;
    return true;
}

static void take_census(struct pitch_census *census, const struct midi *midi)
{
    for (size_t i = 0; i < midi->num_onsets; i++) {
        census->notes[midi->onsets[i].pitch]++;
        census->files[midi->onsets[i].pitch] = 1;
    }
}

bool generate_input_drums(struct drum_map *map, struct drum_finding *finding, struct midi *midi, const char *path,
                          const struct generate_input_rules *rules, struct error *error)
{
    struct pitch_census census = {{0}, {0}};
    take_census(&census, midi);
    if (!choose_map(map, &census, rules, error))
        return false;
    drum_notes_keep(midi, finding, &rules->choice, map, path);
    if (finding->words[0] != '\0')
        log_info("%s: %s; --channel and --track override", path, finding->words);
    if (finding->num_skipped > 0)
        log_info("%s: %zu note%s on other channels skipped", path, finding->num_skipped, PLURAL(finding->num_skipped));
    memset(&census, 0, sizeof census);
    take_census(&census, midi);
    log_debug("%s: read with drum map %s", path, map->name);
    for (int pitch = 0; rules->taps && pitch < NUM_PITCHES; pitch++)
        if (map->classes[pitch] == DRUM_NONE)
            map->classes[pitch] = DRUM_TAP;
    if (midi->num_onsets > 0 && !rules->taps)
        lost_notes_report(&census, map, path);
    return true;
}

static bool make_grids(struct grid_list *list, struct midi *midi, const char *path,
                       const struct generate_input_rules *rules, struct error *error)
{
    struct drum_map map;
    struct drum_finding finding;
    if (!generate_input_drums(&map, &finding, midi, path, rules, error))
        return false;
    if (finding.evidence == DRUMS_UNKNOWN && !rules->taps)
        log_warning("%s: nothing identifies its notes as drums: using all %zu; --channel and --track override", path,
                    midi->num_onsets);
    return grid_list_make(list, midi, &map, common_time, error);
}

bool generate_input_read(struct generate_input *input, const char *path, int number, uint32_t bars,
                         const struct generate_input_rules *rules, struct error *error)
{
    struct midi midi;
    struct grid_list list = {0};
    *input = (struct generate_input){.path = path, .number = number};
    if (!midi_load(&midi, path, false, NULL, error))
        return false;
    for (uint32_t i = 0; i < midi.repairs.num_described; i++)
        log_warning("%s: %s", path, midi.repairs.texts[i]);
    bool ok = make_grids(&list, &midi, path, rules, error);
    if (ok) {
        const struct grid_part *part = find_part(&list, &midi, path, error);
        ok = part && take_part(input, &list, part, &midi, bars, error);
        grid_list_free(&list);
    }
    midi_free(&midi);
    return ok;
}

void generate_input_free(struct generate_input *input)
{
    grid_free(&input->grid);
}

struct grid generate_input_part(const struct generate_input *input, uint32_t first_bar, uint32_t bars)
{
    struct grid part = input->grid;
    size_t cell = (size_t)first_bar * GRID_BAR_STEPS * NUM_DRUMS;
    part.num_steps = bars * GRID_BAR_STEPS;
    part.hits += cell;
    part.velocity += cell;
    part.offset += cell;
    return part;
}

static bool is_silent(const struct generate_input *input, uint32_t first_bar, uint32_t bars)
{
    struct grid part = generate_input_part(input, first_bar, bars);
    return grid_count_hits(&part) == 0;
}

bool generate_input_windows(uint32_t **first_bars, uint32_t *count, const struct generate_input *input, uint32_t bars,
                            struct error *error)
{
    uint32_t end = input->last_bar > bars ? input->last_bar : bars;
    *count = 0;
    *first_bars = calloc(end / bars + 1, sizeof **first_bars);
    if (*first_bars == NULL)
        return error_set(error, "%s: no memory for the windows of %" PRIu32 " bars", input->path, end);
    for (uint32_t bar = 0; bar < end; bar += bars) {
        uint32_t first = bar + bars <= end ? bar : end - bars;
        if (!is_silent(input, first, bars))
            (*first_bars)[(*count)++] = first;
    }
    return true;
}

bool generate_input_choose(struct generate_input *input, int64_t bar, uint32_t bars, struct error *error)
{
    int64_t last_start = (int64_t)input->num_bars - bars + 1;
    if (bar > last_start)
        return error_set(error,
                         "%s: --input_bar_%d=%" PRId64 ": the file has %" PRIu32 " bars, so the last window of %" PRIu32
                         " begins at bar %" PRId64,
                         input->path, input->number, bar, input->num_bars, bars, last_start);
    input->first_bar = (uint32_t)(bar - 1);
    if (is_silent(input, input->first_bar, bars))
        return error_set(error, "%s: --input_bar_%d=%" PRId64 ": no drums in the %" PRIu32 " bars from there on",
                         input->path, input->number, bar, bars);
    return true;
}
