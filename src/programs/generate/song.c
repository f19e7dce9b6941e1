#include "programs/generate/song.h"

#include "base/io/files.h"
#include "base/log.h"
#include "data/midi/reader.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct time_signature common_time = {4, 4};

bool song_uses(const struct grid_part *part)
{
    return part->fault == GRID_VALID && time_signature_bar_steps(part->time_signature) == GRID_BAR_STEPS;
}

/* The tracks of `midi` are those of the file that have a note, a tempo or a time signature: numbers[t] is that of track t of the
 * events, in which others have UINT32_MAX. */
static void number_tracks(uint32_t *numbers, const struct midi_events *events)
{
    uint32_t next = 0;
    for (uint32_t t = 0; t < events->num_tracks; t++) {
        bool used = false;
        for (size_t i = 0; !used && i < events->tracks[t].count; i++) {
            const struct midi_event *event = &events->tracks[t].events[i];
            const uint8_t *bytes = event->bytes ? event->bytes : event->message;
            used = (bytes[0] == 0xff && (bytes[1] == 0x51 || bytes[1] == 0x58)) ||
                   (event->size == 3 && (bytes[0] & 0xf0) == 0x90 && bytes[2] > 0);
        }
        numbers[t] = used ? next++ : UINT32_MAX;
    }
}

static bool is_same(const struct midi_note *note, const struct midi_onset *onset, uint32_t onset_track,
                    const uint32_t *numbers)
{
    return note->tick == onset->tick && note->channel == onset->channel && note->pitch == onset->pitch &&
           note->velocity == onset->velocity && numbers[note->track] == onset_track;
}

/* The note of an onset that is not taken yet, of those at its tick, [first, end): from `from` on, then before it. `end`: none. */
static size_t find_note(const struct song *song, const bool *taken, size_t onset, size_t first, size_t from, size_t end,
                        const uint32_t *numbers)
{
    for (size_t i = 0, note = from; i < end - first; i++, note = note + 1 < end ? note + 1 : first)
        if (!taken[note] &&
            is_same(&song->events.notes[note], &song->midi.onsets[onset], song->midi.onset_tracks[onset], numbers))
            return note;
    return end;
}

/* Finds the notes of onsets. Both are in order of time, and those of one tick mostly in the same order, so each search begins
 * where the one before it ended: any number of notes may share a tick. */
static bool match_onsets(struct song *song, bool *taken, const uint32_t *numbers, struct error *error)
{
    const struct midi *midi = &song->midi;
    const struct midi_note *notes = song->events.notes;
    size_t count = song->events.num_notes, first = 0, end = 0, from = 0;
    for (size_t i = 0; i < midi->num_onsets; i++) {
        uint32_t tick = midi->onsets[i].tick;
        if (i == 0 || tick != midi->onsets[i - 1].tick) {
            for (first = end; first < count && notes[first].tick < tick; first++)
                continue;
            for (end = first; end < count && notes[end].tick == tick; end++)
                continue;
            from = first;
        }
        size_t note = find_note(song, taken, i, first, from, end, numbers);
        if (note == end)
            return error_set(error, "%s: a note at tick %" PRIu32 " can't be followed", song->path, tick);
        taken[note] = true;
        song->notes[i] = (uint32_t)note;
        from = note + 1 < end ? note + 1 : first;
    }
    return true;
}

static bool match_notes(struct song *song, struct error *error)
{
    uint32_t *numbers = calloc((size_t)song->events.num_tracks + 1, sizeof *numbers);
    bool *taken = calloc(song->events.num_notes + 1, sizeof *taken);
    song->notes = calloc(song->midi.num_onsets + 1, sizeof *song->notes);
    bool ok = (numbers && taken && song->notes) || error_set_no_memory(error, "%s: out of memory", song->path);
    if (ok) {
        number_tracks(numbers, &song->events);
        ok = match_onsets(song, taken, numbers, error);
    }
    free(numbers);
    free(taken);
    return ok;
}

/* Why no stretch of the song can be worked on. */
static bool refuse(const struct song *song, struct error *error)
{
    const struct grid_part *first = &song->list.parts[0];
    if (song->midi.num_onsets == 0)
        return error_set(error, "%s: has no drums: it has no notes", song->path);
    if (first->fault == GRID_NO_DRUMS)
        return error_set(error, "%s: has no drums: none of its %zu notes is a pitch of the drum map", song->path,
                         song->midi.num_onsets);
    if (first->fault == GRID_TOO_LONG)
        return error_set(error, "%s: is too long: more than %d steps", song->path, GRID_MAX_STEPS);
    return error_set(error, "%s: is in %d/%d; the models play 4/4", song->path, first->time_signature.numerator,
                     first->time_signature.denominator);
}

static bool check_parts(const struct song *song, struct error *error)
{
    bool any = false;
    for (size_t p = 0; p < song->list.count; p++) {
        const struct grid_part *part = &song->list.parts[p];
        any = any || song_uses(part);
        if (!song_uses(part) && part->fault != GRID_NO_DRUMS && song->list.count > 1)
            log_info("%s: what is in %d/%d, from beat %" PRIu32 " on, stays as it is", song->path,
                     part->time_signature.numerator, part->time_signature.denominator,
                     part->first_tick / song->midi.ppq + 1);
    }
    return any || refuse(song, error);
}

static bool read_bytes(struct song *song, const struct generate_input_rules *rules, struct error *error)
{
    struct midi_repairs repairs = {{0}, 0, {{0}}};
    if (!midi_events_parse(&song->events, &repairs, song->bytes, song->size, error))
        return error_prefix(error, "%s", song->path);
    for (uint32_t i = 0; i < repairs.num_described; i++)
        log_warning("%s: %s", song->path, repairs.texts[i]);
    if (!midi_parse(&song->midi, song->events.copy.bytes, song->events.copy.size, false, NULL, error))
        return error_prefix(error, "%s", song->path);
    if (!generate_input_drums(&song->map, &song->finding, &song->midi, song->path, rules, error))
        return false;
    if (song->finding.evidence == DRUMS_UNKNOWN && song->midi.num_onsets > 0 && !rules->taps)
        return error_set(error, "%s: nothing identifies its notes as drums: --channel or --track say which are",
                         song->path);
    return match_notes(song, error) && grid_list_make(&song->list, &song->midi, &song->map, common_time, error) &&
           check_parts(song, error);
}

bool song_read(struct song *song, const char *path, const struct generate_input_rules *rules, struct error *error)
{
    *song = (struct song){.path = path};
    if (file_read(&song->bytes, &song->size, path, MIDI_MAX_BYTES, error) && read_bytes(song, rules, error))
        return true;
    song_free(song);
    return false;
}

void song_free(struct song *song)
{
    grid_list_free(&song->list);
    midi_events_free(&song->events);
    midi_free(&song->midi);
    free(song->notes);
    free(song->bytes);
    *song = (struct song){0};
}

bool song_reset(struct song *song, struct error *error)
{
    struct midi_repairs repairs = {{0}, 0, {{0}}};
    midi_events_free(&song->events);
    song->has_added_track = false;
    return midi_events_parse(&song->events, &repairs, song->bytes, song->size, error) ||
           error_prefix(error, "%s", song->path);
}

/* The class of an onset, and its cell in the grid of part `p`; false where it lies in another part or is no drum. */
static bool cell_of(size_t *cell, const struct song *song, size_t p, size_t onset)
{
    const struct midi_onset *here = &song->midi.onsets[onset];
    int drum = drum_class_of_pitch(&song->map, here->pitch);
    uint32_t step;
    if (drum == DRUM_NONE || grid_list_find(&step, &song->list, here->tick, song->midi.ppq) != &song->list.parts[p])
        return false;
    *cell = (size_t)step * NUM_DRUMS + (size_t)drum;
    return true;
}

/* Where a hit lies that is `offset` off its step; `least` and `most`: the ticks that are nearest to that step. */
static double tick_of(int64_t *least, int64_t *most, const struct grid_part *part, uint32_t step, double offset,
                      uint32_t ppq)
{
    int64_t first = part->first_tick, before = (int64_t)ppq * (2 * (int64_t)step - 1);
    *least = first + (before > 0 ? (before + 7) / 8 : before / 8);
    *most = first + (before + 2 * (int64_t)ppq + 7) / 8 - 1;
    if (*least < 0)
        *least = 0;
    return (double)first + ((double)step - offset / 2) * ppq / STEPS_PER_QUARTER;
}

static uint32_t within(double tick, int64_t least, int64_t most)
{
    int64_t nearest = llround(tick);
    nearest = nearest > most ? most : nearest;
    return (uint32_t)(nearest < least ? least : nearest);
}

static uint8_t velocity_within(double velocity, double most)
{
    return (uint8_t)lround(fmin(fmax(velocity, 1), most));
}

/* Moves onset `onset` with the hit of its cell, which is onset `main`. */
static void set_note(struct song *song, size_t p, size_t onset, size_t main, size_t cell, const struct grid *model,
                     double amount)
{
    int64_t least, most;
    const struct midi_onset *own = &song->midi.onsets[onset], *hit = &song->midi.onsets[main];
    uint32_t step = (uint32_t)(cell / NUM_DRUMS);
    double wanted = tick_of(&least, &most, &song->list.parts[p], step, (double)model->offset[cell], song->midi.ppq);
    double louder = amount * (model->velocity[cell] - hit->velocity);
    double later = (double)within(hit->tick + amount * (wanted - hit->tick), least, most) - hit->tick;
    uint8_t velocity = velocity_within(hit->velocity + louder, 127);
    if (onset != main && own->velocity != hit->velocity)
        velocity = velocity_within((double)own->velocity * velocity / hit->velocity, velocity);
    midi_events_move(&song->events, song->notes[onset], within(own->tick + later, least, most), velocity);
}

uint64_t song_set_feel(struct song *song, size_t p, const struct grid *model, double amount, struct error *error)
{
    const struct grid *grid = &song->list.parts[p].grid;
    size_t cells = (size_t)grid->num_steps * NUM_DRUMS, cell;
    size_t *mains = malloc((cells + 1) * sizeof *mains);
    if (!mains) {
        error_set_no_memory(error, "%s: out of memory", song->path);
        return 0;
    }
    memset(mains, 0xff, cells * sizeof *mains);
    for (size_t i = 0; i < song->midi.num_onsets; i++)
        if (cell_of(&cell, song, p, i) &&
            (mains[cell] == SIZE_MAX || song->midi.onsets[i].velocity > song->midi.onsets[mains[cell]].velocity))
            mains[cell] = i;
    for (size_t i = 0; amount > 0 && i < song->midi.num_onsets; i++)
        if (cell_of(&cell, song, p, i) && model->hits[cell])
            set_note(song, p, i, mains[cell], cell, model, amount);
    free(mains);
    return grid_count_hits(grid);
}

/* The pitch that the song's notes of a drum have most often; of equals the lowest. DRUM_NOT_WRITTEN: it has none. */
static uint8_t own_pitch(const struct song *song, int drum)
{
    size_t counts[NUM_PITCHES] = {0};
    uint8_t best = DRUM_NOT_WRITTEN;
    for (size_t i = 0; i < song->midi.num_onsets; i++)
        counts[song->midi.onsets[i].pitch]++;
    for (unsigned pitch = 0; pitch < NUM_PITCHES; pitch++)
        if (counts[pitch] > 0 && drum_class_of_pitch(&song->map, (uint8_t)pitch) == drum &&
            (best == DRUM_NOT_WRITTEN || counts[pitch] > counts[best]))
            best = (uint8_t)pitch;
    if (best == DRUM_NOT_WRITTEN && song->map.written[drum] != DRUM_NOT_WRITTEN)
        best = song->map.written[drum];
    return best;
}

/* Where added notes go. Beside the song's drums, where they are known; else to a track of their own, one for all stretches, but
 * for a file of format 0, which has one. */
static bool find_place(uint32_t *track, uint8_t *channel, struct song *song, const struct song_voice *voice,
                       struct error *error)
{
    size_t counts[NUM_CHANNELS] = {0};
    bool known = song->finding.evidence != DRUMS_UNKNOWN;
    const struct midi_note *notes = song->events.notes;
    *track = 0;
    *channel = voice->channel >= 0 ? (uint8_t)voice->channel : MIDI_DRUM_CHANNEL;
    for (size_t i = 0; known && i < song->midi.num_onsets; i++) {
        size_t here = song->midi.onsets[i].channel, best = song->midi.onsets[0].channel;
        counts[here]++;
        for (size_t c = 0; c < NUM_CHANNELS; c++)
            best = counts[c] > counts[best] ? c : best;
        *track = i == 0 ? notes[song->notes[i]].track : *track;
        if (voice->channel < 0)
            *channel = (uint8_t)best;
    }
    if (known || (song->events.num_tracks == 1 && !song->has_added_track))
        return true;
    if (!song->has_added_track && !midi_events_add_track(&song->events, &song->added_track, "Drums", error))
        return false;
    song->has_added_track = true;
    *track = song->added_track;
    return true;
}

static bool bar_is_silent(const struct grid *grid, uint32_t step)
{
    const uint8_t *hits = grid->hits + (size_t)(step / GRID_BAR_STEPS) * GRID_BAR_STEPS * NUM_DRUMS;
    for (size_t i = 0; i < (size_t)GRID_BAR_STEPS * NUM_DRUMS; i++)
        if (hits[i])
            return false;
    return true;
}

bool song_add(struct song *song, size_t p, const struct grid *model, uint32_t drums, const struct song_voice *voice,
              uint64_t *count, struct error *error)
{
    const struct grid_part *part = &song->list.parts[p];
    uint32_t track, lasts = song->midi.ppq / STEPS_PER_QUARTER;
    uint8_t channel, pitches[NUM_DRUMS];
    if (!find_place(&track, &channel, song, voice, error))
        return false;
    for (int drum = 0; drum < NUM_DRUMS; drum++) {
        pitches[drum] = voice->of_song ? own_pitch(song, drum) : DRUM_NOT_WRITTEN;
        if (pitches[drum] == DRUM_NOT_WRITTEN)
            pitches[drum] = voice->map->written[drum];
    }
    for (uint32_t step = 0; step < part->grid.num_steps; step++) {
        bool silent = bar_is_silent(&part->grid, step);
        for (uint32_t drum = 0; !silent && drum < NUM_DRUMS; drum++) {
            int64_t least, most;
            size_t cell = (size_t)step * NUM_DRUMS + drum;
            if (!(drums >> drum & 1) || !model->hits[cell])
                continue;
            double exact = tick_of(&least, &most, part, step, (double)model->offset[cell], song->midi.ppq);
            uint32_t tick = within(exact, least, most);
            if (tick >= song->midi.end_tick)
                continue;
            if (!midi_events_add(&song->events, track, channel, pitches[drum], model->velocity[cell], tick, lasts,
                                 error))
                return false;
            ++*count;
        }
    }
    return true;
}

void song_remove(struct song *song, size_t p)
{
    size_t cell;
    for (size_t i = 0; song->finding.evidence != DRUMS_UNKNOWN && i < song->midi.num_onsets; i++)
        if (cell_of(&cell, song, p, i))
            midi_events_remove(&song->events, song->notes[i]);
}

bool song_write(uint8_t **bytes, size_t *size, struct song *song, const char *prefix, const char *text,
                struct error *error)
{
    return ((!text || midi_events_set_text(&song->events, prefix, text, error)) &&
            midi_events_write(bytes, size, &song->events, error)) ||
           error_prefix(error, "%s", song->path);
}
