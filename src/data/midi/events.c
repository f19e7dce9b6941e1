#include "data/midi/events.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    NOTE_OFF = 0x80,
    NOTE_ON = 0x90,
    SYSEX = 0xf0,
    SYSEX_REST = 0xf7,
    META = 0xff,
    META_TEXT = 0x01,
    META_TRACK_NAME = 0x03,
    META_END = 0x2f,
    HEADER_BYTES = 14,
    CHUNK_HEADER_BYTES = 8,
    NUM_KEYS = NUM_CHANNELS * 128, /* channel and pitch */
};

static bool no_memory(struct error *error)
{
    return error_set_no_memory(error, "no memory for the events of a MIDI file");
}

static uint32_t read_number(const uint8_t *bytes, int count)
{
    uint32_t number = 0;
    for (int i = 0; i < count; i++)
        number = number << 8 | bytes[i];
    return number;
}

static uint32_t read_quantity(const uint8_t **at)
{
    uint32_t value = 0;
    uint8_t byte;
    do {
        byte = *(*at)++;
        value = value << 7 | (byte & 0x7f);
    } while (byte & 0x80);
    return value;
}

static struct midi_event *append(struct midi_events_track *track, struct error *error)
{
    if (track->count == track->capacity) {
        size_t capacity = 2 * track->capacity + 16;
        struct midi_event *events = realloc(track->events, capacity * sizeof *events);
        if (!events) {
            no_memory(error);
            return NULL;
        }
        track->events = events;
        track->capacity = capacity;
    }
    struct midi_event *event = &track->events[track->count];
    *event = (struct midi_event){.place = (uint32_t)track->count++, .rank = MIDI_RANK_AS_READ};
    return event;
}

static const uint8_t *bytes_of(const struct midi_event *event)
{
    return event->bytes ? event->bytes : event->message;
}

/* Of an event of the clean copy at `at`, which has its status byte and is whole. */
static size_t event_size(const uint8_t *at)
{
    const uint8_t *rest = at + 1;
    if (*at < SYSEX)
        return (*at & 0xe0) == 0xc0 ? 2 : 3;
    if (*at == META)
        rest++;
    uint32_t length = read_quantity(&rest);
    return (size_t)(rest - at) + length;
}

/* The events of a track's chunk of the clean copy, without the one that ends it. */
static bool read_track(struct midi_events_track *track, const uint8_t *at, const uint8_t *end, struct error *error)
{
    uint32_t tick = 0;
    while (at < end) {
        tick += read_quantity(&at);
        size_t size = event_size(at);
        if (at[0] == META && at[1] == META_END)
            break;
        struct midi_event *event = append(track, error);
        if (!event)
            return false;
        event->tick = tick;
        event->size = (uint32_t)size;
        if (size <= sizeof event->message)
            memcpy(event->message, at, size);
        else
            event->bytes = at;
        at += size;
    }
    track->end_tick = tick;
    return true;
}

static bool read_tracks(struct midi_events *events, struct error *error)
{
    const uint8_t *bytes = events->copy.bytes, *end = bytes + events->copy.size;
    uint32_t count = read_number(bytes + 10, 2);
    events->ppq = read_number(bytes + 12, 2);
    events->tracks = calloc((size_t)count + 1, sizeof *events->tracks);
    if (!events->tracks)
        return no_memory(error);
    for (const uint8_t *at = bytes + HEADER_BYTES; at < end; events->num_tracks++) {
        size_t size = read_number(at + 4, 4);
        at += CHUNK_HEADER_BYTES;
        if (!read_track(&events->tracks[events->num_tracks], at, at + size, error))
            return false;
        at += size;
    }
    return true;
}

static bool is_note_on(const struct midi_event *event)
{
    return event->size == 3 && (event->message[0] & 0xf0) == NOTE_ON && event->message[2] > 0;
}

static bool is_note_off(const struct midi_event *event)
{
    return event->size == 3 && ((event->message[0] & 0xf0) == NOTE_OFF ||
                                ((event->message[0] & 0xf0) == NOTE_ON && event->message[2] == 0));
}

/* Notes of one channel and pitch end in the order in which they began. */
static void pair_notes(struct midi_events *events, uint32_t number, uint32_t *next_of)
{
    struct midi_events_track *track = &events->tracks[number];
    uint32_t first_open[NUM_KEYS], last_open[NUM_KEYS];
    memset(first_open, 0xff, sizeof first_open);
    for (uint32_t i = 0; i < track->count; i++) {
        const struct midi_event *event = &track->events[i];
        size_t key = (size_t)(event->message[0] & 0x0f) * 128 + (event->message[1] & 0x7f);
        if (is_note_on(event)) {
            uint32_t note = (uint32_t)events->num_notes++;
            events->notes[note] = (struct midi_note){
                event->tick, number, i, MIDI_NO_EVENT, event->message[0] & 0x0f, event->message[1], event->message[2]};
            next_of[note] = MIDI_NO_EVENT;
            if (first_open[key] == MIDI_NO_EVENT)
                first_open[key] = note;
            else
                next_of[last_open[key]] = note;
            last_open[key] = note;
        } else if (is_note_off(event) && first_open[key] != MIDI_NO_EVENT) {
            events->notes[first_open[key]].off = i;
            first_open[key] = next_of[first_open[key]];
        }
    }
}

static int compare_notes(const void *left, const void *right)
{
    const struct midi_note *a = left, *b = right;
    if (a->tick != b->tick)
        return a->tick < b->tick ? -1 : 1;
    if (a->track != b->track)
        return a->track < b->track ? -1 : 1;
    return (a->on > b->on) - (a->on < b->on);
}

static bool find_notes(struct midi_events *events, struct error *error)
{
    size_t count = 0;
    for (uint32_t t = 0; t < events->num_tracks; t++)
        for (size_t i = 0; i < events->tracks[t].count; i++)
            count += is_note_on(&events->tracks[t].events[i]);
    uint32_t *next_of = calloc(count + 1, sizeof *next_of);
    events->notes = calloc(count + 1, sizeof *events->notes);
    bool ok = (next_of && events->notes) || no_memory(error);
    for (uint32_t t = 0; ok && t < events->num_tracks; t++)
        pair_notes(events, t, next_of);
    if (ok)
        qsort(events->notes, events->num_notes, sizeof *events->notes, compare_notes);
    free(next_of);
    return ok;
}

bool midi_events_parse(struct midi_events *events, struct midi_repairs *repairs, const uint8_t *bytes, size_t size,
                       struct error *error)
{
    enum midi_fault fault;
    *events = (struct midi_events){0};
    if (!midi_check_whole(&events->copy, repairs, bytes, size, &fault, error))
        return false;
    if (read_tracks(events, error) && find_notes(events, error))
        return true;
    midi_events_free(events);
    return false;
}

void midi_events_free(struct midi_events *events)
{
    for (uint32_t t = 0; t < events->num_tracks; t++)
        free(events->tracks[t].events);
    for (size_t i = 0; i < events->num_texts; i++)
        free(events->texts[i]);
    free(events->texts);
    free(events->tracks);
    free(events->notes);
    midi_copy_free(&events->copy);
    *events = (struct midi_events){0};
}

/* Where a note ends that begins at `tick` and may last `ticks`: within the track, where it begins there. */
static uint32_t end_of_note(const struct midi_events_track *track, uint32_t tick, uint32_t ticks)
{
    uint32_t end = tick + (ticks > 0 ? ticks : 1);
    return tick < track->end_tick && end > track->end_tick ? track->end_tick : end;
}

void midi_events_move(struct midi_events *events, size_t number, uint32_t tick, uint8_t velocity)
{
    struct midi_note *note = &events->notes[number];
    struct midi_event *on = &events->tracks[note->track].events[note->on];
    on->message[2] = note->velocity = velocity;
    if (tick == note->tick)
        return;
    on->tick = tick;
    on->rank = MIDI_RANK_ON;
    if (note->off != MIDI_NO_EVENT) {
        struct midi_event *off = &events->tracks[note->track].events[note->off];
        off->tick = end_of_note(&events->tracks[note->track], tick, off->tick - note->tick);
        off->rank = MIDI_RANK_OFF;
    }
    note->tick = tick;
}

void midi_events_remove(struct midi_events *events, size_t number)
{
    const struct midi_note *note = &events->notes[number];
    struct midi_events_track *track = &events->tracks[note->track];
    track->events[note->on].removed = true;
    if (note->off != MIDI_NO_EVENT)
        track->events[note->off].removed = true;
}

static bool make_room_for_note(struct midi_events *events, struct error *error)
{
    if (events->num_notes < events->capacity_notes)
        return true;
    size_t capacity = 2 * events->num_notes + 16;
    struct midi_note *notes = realloc(events->notes, capacity * sizeof *notes);
    if (!notes)
        return no_memory(error);
    events->notes = notes;
    events->capacity_notes = capacity;
    return true;
}

bool midi_events_add(struct midi_events *events, uint32_t number, uint8_t channel, uint8_t pitch, uint8_t velocity,
                     uint32_t tick, uint32_t ticks, struct error *error)
{
    struct midi_events_track *track = &events->tracks[number];
    if (!make_room_for_note(events, error))
        return false;
    uint8_t messages[2][3] = {
        {(uint8_t)(NOTE_ON | channel),  pitch, velocity},
        {(uint8_t)(NOTE_OFF | channel), pitch, 64      }
    };
    for (int i = 0; i < 2; i++) {
        struct midi_event *event = append(track, error);
        if (!event)
            return false;
        event->tick = i == 0 ? tick : end_of_note(track, tick, ticks);
        event->rank = i == 0 ? MIDI_RANK_ON : MIDI_RANK_OFF;
        event->size = 3;
        memcpy(event->message, messages[i], 3);
    }
    uint32_t on = (uint32_t)track->count - 2;
    events->notes[events->num_notes++] = (struct midi_note){tick, number, on, on + 1, channel, pitch, velocity};
    return true;
}

/* Adds a meta event of type `type`, at tick 0 before all others. */
static bool add_meta(struct midi_events *events, struct midi_events_track *track, uint8_t type, const char *text,
                     struct error *error)
{
    size_t length = strlen(text), size = 2 + MIDI_DELTA_BYTES + length;
    uint8_t **texts = realloc(events->texts, (events->num_texts + 1) * sizeof *texts);
    if (!texts)
        return no_memory(error);
    events->texts = texts;
    uint8_t *bytes = malloc(size);
    if (!bytes)
        return no_memory(error);
    events->texts[events->num_texts++] = bytes;
    struct midi_event *event = append(track, error);
    if (!event)
        return false;
    bytes[0] = META;
    bytes[1] = type;
    uint8_t *end = midi_put_delta(bytes + 2, (uint32_t)length);
    memcpy(end, text, length);
    event->rank = MIDI_RANK_OFF;
    event->bytes = bytes;
    event->size = (uint32_t)(end - bytes) + (uint32_t)length;
    return true;
}

bool midi_events_add_track(struct midi_events *events, uint32_t *track, const char *name, struct error *error)
{
    struct midi_events_track *tracks =
        realloc(events->tracks, ((size_t)events->num_tracks + 1) * sizeof *events->tracks);
    if (!tracks)
        return no_memory(error);
    events->tracks = tracks;
    *track = events->num_tracks++;
    tracks[*track] = (struct midi_events_track){.end_tick = events->copy.end_tick};
    return add_meta(events, &tracks[*track], META_TRACK_NAME, name, error);
}

/* Where the text of a text event begins that begins with `prefix`; NULL where it is none. */
static const uint8_t *text_with(uint32_t *length, const struct midi_event *event, const char *prefix)
{
    const uint8_t *bytes = bytes_of(event), *text = bytes + 2;
    if (event->removed || event->size < 3 || bytes[0] != META || bytes[1] != META_TEXT)
        return NULL;
    *length = read_quantity(&text);
    return *length >= strlen(prefix) && memcmp(text, prefix, strlen(prefix)) == 0 ? text : NULL;
}

bool midi_events_set_text(struct midi_events *events, const char *prefix, const char *text, struct error *error)
{
    uint32_t length;
    for (uint32_t t = 0; t < events->num_tracks; t++)
        for (size_t i = 0; i < events->tracks[t].count; i++)
            if (text_with(&length, &events->tracks[t].events[i], prefix))
                events->tracks[t].events[i].removed = true;
    return add_meta(events, &events->tracks[0], META_TEXT, text, error);
}

char *midi_events_find_text(const struct midi_events *events, const char *prefix)
{
    uint32_t length;
    for (uint32_t t = 0; t < events->num_tracks; t++)
        for (size_t i = 0; i < events->tracks[t].count; i++) {
            const uint8_t *text = text_with(&length, &events->tracks[t].events[i], prefix);
            if (text)
                return format_text("%.*s", (int)length, (const char *)text);
        }
    return NULL;
}

/* By track, channel and pitch, then by time. */
static int compare_keys(const void *left, const void *right)
{
    const struct midi_note *a = left, *b = right;
    if (a->track != b->track)
        return a->track < b->track ? -1 : 1;
    int key_a = a->channel * 128 + a->pitch, key_b = b->channel * 128 + b->pitch;
    return key_a != key_b ? (key_a > key_b) - (key_a < key_b) : compare_notes(left, right);
}

/* Ends notes that were moved, or before which one was, where the next one begins. */
static void separate_notes(struct midi_events *events)
{
    qsort(events->notes, events->num_notes, sizeof *events->notes, compare_keys);
    for (size_t i = 0; i + 1 < events->num_notes; i++) {
        const struct midi_note *note = &events->notes[i], *next = note + 1;
        struct midi_event *all = events->tracks[note->track].events;
        if (note->track != next->track || note->channel != next->channel || note->pitch != next->pitch ||
            note->off == MIDI_NO_EVENT || all[note->on].removed || all[next->on].removed)
            continue;
        struct midi_event *off = &all[note->off];
        bool changed = off->rank != MIDI_RANK_AS_READ || all[next->on].rank != MIDI_RANK_AS_READ;
        if (!changed || off->tick <= next->tick)
            continue;
        off->tick = next->tick > note->tick ? next->tick : note->tick + 1;
        off->rank = MIDI_RANK_OFF;
    }
}

static int compare_events(const void *left, const void *right)
{
    const struct midi_event *a = left, *b = right;
    if (a->tick != b->tick)
        return a->tick < b->tick ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

/* Ticks that are too many for one delta time pass in empty text events. */
static uint8_t *put_time(uint8_t *to, uint32_t ticks)
{
    static const uint8_t filler[] = {META, META_TEXT, 0};
    for (; ticks > MIDI_LONGEST_DELTA; ticks -= MIDI_LONGEST_DELTA) {
        to = midi_put_delta(to, MIDI_LONGEST_DELTA);
        memcpy(to, filler, sizeof filler);
        to += sizeof filler;
    }
    return midi_put_delta(to, ticks);
}

enum { MOST_OF_A_GAP = 8 * (MIDI_DELTA_BYTES + 3) + MIDI_DELTA_BYTES }; /* 2^31 ticks */

static uint8_t *put_number(uint8_t *to, uint32_t number, int count)
{
    for (int i = count - 1; i >= 0; i--)
        *to++ = (uint8_t)(number >> 8 * i);
    return to;
}

/* The track is sorted. */
static uint8_t *put_track(uint8_t *to, const struct midi_events_track *track)
{
    uint8_t *length = to + 4;
    uint32_t now = 0;
    memcpy(to, "MTrk", 4);
    to += CHUNK_HEADER_BYTES;
    for (size_t i = 0; i < track->count; i++) {
        const struct midi_event *event = &track->events[i];
        if (event->removed)
            continue;
        to = put_time(to, event->tick - now);
        memcpy(to, bytes_of(event), event->size);
        to += event->size;
        now = event->tick;
    }
    to = put_time(to, track->end_tick > now ? track->end_tick - now : 0);
    memcpy(to, (const uint8_t[]){META, META_END, 0}, 3);
    to += 3;
    put_number(length, (uint32_t)(to - length - 4), 4);
    return to;
}

bool midi_events_write(uint8_t **bytes, size_t *size, struct midi_events *events, struct error *error)
{
    size_t most = HEADER_BYTES;
    separate_notes(events);
    for (uint32_t t = 0; t < events->num_tracks; t++) {
        struct midi_events_track *track = &events->tracks[t];
        most += CHUNK_HEADER_BYTES + 2 * (MOST_OF_A_GAP + 3);
        for (size_t i = 0; i < track->count; i++)
            most += track->events[i].size + MIDI_DELTA_BYTES;
        most += (size_t)8 * (MIDI_DELTA_BYTES + 3);
    }
    *bytes = malloc(most);
    if (!*bytes)
        return no_memory(error);
    uint32_t format = events->num_tracks > 1 ? 1 : events->copy.format;
    memcpy(*bytes, "MThd", 4);
    uint8_t *to = put_number(*bytes + 4, 6, 4);
    to = put_number(put_number(put_number(to, format, 2), events->num_tracks, 2), events->ppq, 2);
    for (uint32_t t = 0; t < events->num_tracks; t++) {
        struct midi_events_track *track = &events->tracks[t];
        if (track->count > 0)
            qsort(track->events, track->count, sizeof *track->events, compare_events);
        to = put_track(to, track);
    }
    *size = (size_t)(to - *bytes);
    return true;
}
