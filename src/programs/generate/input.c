#include "programs/generate/input.h"

#include "base/log.h"
#include "data/midi/reader.h"
#include "programs/common/lost_notes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct time_signature common_time = {4, 4};

static uint32_t bars_of_ticks(uint32_t ticks, uint32_t ppq)
{
    return ticks / (4 * ppq);
}

/* `grid` made longer with silence. */
static bool copy_padded(struct grid *to, const struct grid *grid, uint32_t num_steps, struct error *error)
{
    size_t cells = (size_t)grid->num_steps * NUM_DRUMS;
    if (!grid_make(to, num_steps, error))
        return false;
    memcpy(to->hits, grid->hits, cells);
    memcpy(to->velocity, grid->velocity, cells);
    memcpy(to->offset, grid->offset, cells * sizeof *to->offset);
    to->qpm = grid->qpm;
    to->time_signature = grid->time_signature;
    return true;
}

/* The one part of the file that can be used, or why there is none. */
static bool check_parts(const struct grid_list *list, const struct midi *midi, const char *path, struct error *error)
{
    const struct grid_part *part = &list->parts[0];
    if (list->count > 1)
        return error_set(
            error, "%s: changes from %d/%d to %d/%d; the models play 4/4: cut out a part that is in 4/4 throughout",
            path, part->time_signature.numerator, part->time_signature.denominator, part[1].time_signature.numerator,
            part[1].time_signature.denominator);
    if (part->fault == GRID_NO_DRUMS && midi->num_onsets > 0)
        return error_set(error, "%s: has no drums: none of its %zu notes is a pitch of the drum map", path,
                         midi->num_onsets);
    if (part->fault == GRID_NO_DRUMS)
        return error_set(error, "%s: has no drums: it holds no notes", path);
    if (!time_signature_equal(part->time_signature, common_time))
        return error_set(error, "%s: is in %d/%d; the models play 4/4", path, part->time_signature.numerator,
                         part->time_signature.denominator);
    if (part->fault != GRID_VALID)
        return error_set(error, "%s: is too long: more than %d steps", path, GRID_MAX_STEPS);
    return true;
}

static bool take_part(struct generate_input *input, const struct grid *grid, const struct midi *midi, uint32_t bars,
                      struct error *error)
{
    uint32_t file_bars = bars_of_ticks(midi->end_tick, midi->ppq), most = GRID_MAX_STEPS / GRID_BAR_STEPS;
    input->last_bar = grid->num_steps / GRID_BAR_STEPS;
    input->num_bars = file_bars > input->last_bar ? file_bars : input->last_bar;
    if (input->num_bars > most)
        input->num_bars = most;
    if (input->num_bars < bars)
        return error_set(error, "%s: is too short: it has %" PRIu32 " bar%s, and the model's windows have %" PRIu32,
                         input->path, input->num_bars, input->num_bars == 1 ? "" : "s", bars);
    return copy_padded(&input->grid, grid, input->num_bars * GRID_BAR_STEPS, error);
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

static bool make_grids(struct grid_list *list, const struct midi *midi, const char *path,
                       const struct generate_input_rules *rules, struct error *error)
{
    struct pitch_census census = {{0}, {0}};
    struct drum_map map;
    take_census(&census, midi);
    if (!choose_map(&map, &census, rules, error))
        return false;
    log_debug("%s: read with drum map %s", path, map.name);
    for (int pitch = 0; rules->taps && pitch < NUM_PITCHES; pitch++)
        if (map.classes[pitch] == DRUM_NONE)
            map.classes[pitch] = DRUM_TAP;
    if (midi->num_onsets > 0)
        lost_notes_report(&census, &map, path);
    if (midi->num_melodic > 0)
        log_debug("%s: %zu notes are not on channel 10, and skipped", path, midi->num_melodic);
    return grid_list_make(list, midi, &map, common_time, error);
}

bool generate_input_read(struct generate_input *input, const char *path, int number, uint32_t bars,
                         const struct generate_input_rules *rules, struct error *error)
{
    struct midi midi;
    struct grid_list list = {0};
    *input = (struct generate_input){.path = path, .number = number};
    if (!midi_load(&midi, path, NULL, error))
        return false;
    bool ok = make_grids(&list, &midi, path, rules, error);
    if (ok) {
        ok = check_parts(&list, &midi, path, error) && take_part(input, &list.parts[0].grid, &midi, bars, error);
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
