#include "data/midi/writer.h"

#include "base/error.h"
#include "data/midi/check.h"

#include <stdlib.h>
#include <string.h>

enum {
    NOTE_ON = 0x90,
    NOTE_OFF = 0x80,
    META = 0xff,
    META_TEXT = 0x01,
    META_TRACK_NAME = 0x03,
    META_END_OF_TRACK = 0x2f,
    META_TEMPO = 0x51,
    META_TIME_SIGNATURE = 0x58,
    HEADER_SIZE = 22,         /* the file's chunk MThd and the head of its one MTrk */
    MOST_NAME = 127,          /* bytes of a track's name: its length is then one byte */
    MOST_OF_A_KIND = 1 << 26, /* events: a track is shorter than 2^32 bytes */
    NUM_PITCHES = 128,
};

/* One event to be written. At one tick meta events come first, then note-offs, then note-ons, so that a note that ends
 * where the next of its pitch begins does not cut that one off. */
struct written_event {
    uint32_t tick;
    uint32_t order; /* kind, then place in the list: makes the sort's result unique */
    uint8_t bytes[7];
    uint8_t count;
};

static int compare_events(const void *left, const void *right)
{
    const struct written_event *a = left, *b = right;
    if (a->tick != b->tick)
        return a->tick < b->tick ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

/* Of one channel and pitch, while the onsets are gone through from the last to the first. */
struct onsets_seen {
    uint32_t first, second; /* the earliest two ticks; UINT32_MAX: none */
};

/* Where the note ends that begins at `tick`, before which nothing was seen yet. */
static uint32_t note_end(struct onsets_seen *seen, uint32_t tick, const struct midi *midi)
{
    uint32_t end = tick + (midi->ppq / 4 > 0 ? midi->ppq / 4 : 1);
    if (tick < midi->end_tick && end > midi->end_tick)
        end = midi->end_tick;
    if (seen->first > tick) {
        seen->second = seen->first;
        seen->first = tick;
    }
    return seen->second < end ? seen->second : end;
}

static uint8_t exponent_of_two(uint8_t value)
{
    uint8_t exponent = 0;
    while (value >>= 1)
        exponent++;
    return exponent;
}

enum { ORDER_TIME_SIGNATURE = 0, ORDER_TEMPO = 1 << 28, ORDER_OFF = 2 << 28, ORDER_ON = 3 << 28 };

static size_t fill_notes(struct written_event *events, const struct midi *midi)
{
    struct onsets_seen seen[NUM_CHANNELS][NUM_PITCHES];
    size_t count = 0;
    memset(seen, 0xff, sizeof seen);
    for (size_t i = midi->num_onsets; i-- > 0;) {
        const struct midi_onset *onset = &midi->onsets[i];
        uint8_t on = (uint8_t)(NOTE_ON | onset->channel), off = (uint8_t)(NOTE_OFF | onset->channel);
        uint32_t end = note_end(&seen[onset->channel][onset->pitch], onset->tick, midi);
        events[count++] = (struct written_event){
            onset->tick, ORDER_ON + (uint32_t)i, {on, onset->pitch, onset->velocity},
                3
        };
        events[count++] = (struct written_event){
            end, ORDER_OFF + (uint32_t)i, {off, onset->pitch, 64},
                3
        };
    }
    return count;
}

static size_t fill_events(struct written_event *events, const struct midi *midi)
{
    size_t count = fill_notes(events, midi);
    for (size_t i = 0; i < midi->num_time_signatures; i++) {
        const struct midi_time_signature *signature = &midi->time_signatures[i];
        uint8_t exponent = exponent_of_two(signature->denominator);
        events[count++] = (struct written_event){
            signature->tick,
            ORDER_TIME_SIGNATURE + (uint32_t)i,
            {META, META_TIME_SIGNATURE, 4, signature->numerator, exponent, 24, 8},
            7
        };
    }
    for (size_t i = 0; i < midi->num_tempos; i++) {
        uint32_t tempo = midi->tempos[i].microseconds_per_quarter;
        events[count++] = (struct written_event){
            midi->tempos[i].tick,
            ORDER_TEMPO + (uint32_t)i,
            {META, META_TEMPO, 3, (uint8_t)(tempo >> 16), (uint8_t)(tempo >> 8), (uint8_t)tempo},
            6
        };
    }
    qsort(events, count, sizeof *events, compare_events);
    return count;
}

static uint8_t *put(uint8_t *to, const void *bytes, size_t count)
{
    memcpy(to, bytes, count);
    return to + count;
}

static uint8_t *put_number(uint8_t *to, uint32_t number, int num_bytes)
{
    for (int shift = 8 * (num_bytes - 1); shift >= 0; shift -= 8)
        *to++ = (uint8_t)(number >> shift);
    return to;
}

static uint8_t *put_track(uint8_t *to, const struct written_event *events, size_t count, const char *track_name,
                          const char *text, uint32_t end_tick)
{
    size_t name_length = strlen(track_name);
    uint32_t now = 0;
    to = put(to, (const uint8_t[]){0, META, META_TRACK_NAME, (uint8_t)name_length}, 4);
    to = put(to, track_name, name_length);
    if (text) {
        to = put(to, (const uint8_t[]){0, META, META_TEXT}, 3);
        to = midi_put_delta(to, (uint32_t)strlen(text));
        to = put(to, text, strlen(text));
    }
    for (size_t i = 0; i < count; i++) {
        to = midi_put_delta(to, events[i].tick - now);
        to = put(to, events[i].bytes, events[i].count);
        now = events[i].tick;
    }
    to = midi_put_delta(to, end_tick > now ? end_tick - now : 0);
    return put(to, (const uint8_t[]){META, META_END_OF_TRACK, 0}, 3);
}

/* Whether no two events are further apart than can be said. */
static bool gaps_fit(const struct written_event *events, size_t count, uint32_t end_tick)
{
    uint32_t now = 0;
    for (size_t i = 0; i < count; i++) {
        if (events[i].tick - now > MIDI_LONGEST_DELTA)
            return false;
        now = events[i].tick;
    }
    return end_tick <= now || end_tick - now <= MIDI_LONGEST_DELTA;
}

static bool refuse(const char *path, struct error *error)
{
    return error_set(error, "%s: the performance can't be represented in a MIDI file", path);
}

/* The whole file (RP-001, "Standard MIDI Files 1.0"), owned by the caller. */
static bool make_file(uint8_t **bytes, size_t *size, const struct midi *midi, const char *track_name, const char *text,
                      const char *path, struct error *error)
{
    size_t most = 2 * midi->num_onsets + midi->num_tempos + midi->num_time_signatures;
    struct written_event *events = calloc(most + 1, sizeof *events);
    bool ok = false;
    size_t text_size = text ? strlen(text) + MIDI_DELTA_BYTES + 3 : 0;
    *bytes = malloc(HEADER_SIZE + MOST_NAME + text_size + (most + 2) * (MIDI_DELTA_BYTES + sizeof events->bytes));
    if (events == NULL || *bytes == NULL) {
        error_set(error, "%s: no memory for %zu notes", path, midi->num_onsets);
        goto done;
    }
    size_t count = fill_events(events, midi);
    if (!gaps_fit(events, count, midi->end_tick)) {
        refuse(path, error);
        goto done;
    }
    uint8_t *end = put_track(*bytes + HEADER_SIZE, events, count, track_name, text, midi->end_tick);
    uint8_t *head = put_number(put(*bytes, "MThd", 4), 6, 4);
    head = put_number(put_number(put_number(head, 0, 2), 1, 2), midi->ppq, 2);
    put_number(put(head, "MTrk", 4), (uint32_t)(end - *bytes - HEADER_SIZE), 4);
    *size = (size_t)(end - *bytes);
    ok = true;
done:
    free(events);
    if (!ok)
        free(*bytes);
    return ok;
}

static bool check_writable(const struct midi *midi, const char *track_name, const char *path, struct error *error)
{
    bool ok = midi->ppq >= 1 && midi->ppq <= 0x7fff && midi->end_tick <= MIDI_MAX_TICK &&
              strlen(track_name) <= MOST_NAME && midi->num_onsets < MOST_OF_A_KIND &&
              midi->num_tempos < MOST_OF_A_KIND && midi->num_time_signatures < MOST_OF_A_KIND;
    for (size_t i = 0; i < midi->num_onsets; i++) {
        const struct midi_onset *onset = &midi->onsets[i];
        ok = ok && onset->channel < NUM_CHANNELS && onset->pitch < NUM_PITCHES && onset->velocity >= 1 &&
             onset->velocity < 128 && onset->tick < MIDI_MAX_TICK - midi->ppq &&
             (i == 0 || midi->onsets[i - 1].tick <= onset->tick);
    }
    for (size_t i = 0; i < midi->num_tempos; i++)
        ok = ok && midi->tempos[i].tick <= MIDI_MAX_TICK && midi->tempos[i].microseconds_per_quarter >= 1 &&
             midi->tempos[i].microseconds_per_quarter <= MIDI_LONGEST_TEMPO;
    for (size_t i = 0; i < midi->num_time_signatures; i++)
        ok = ok && midi->time_signatures[i].tick <= MIDI_MAX_TICK && midi->time_signatures[i].numerator > 0 &&
             midi->time_signatures[i].denominator > 0;
    return ok || refuse(path, error);
}

bool midi_stage(struct atomic_file *file, const struct midi *midi, const char *track_name, const char *text,
                const char *path, struct error *error)
{
    uint8_t *bytes;
    size_t size;
    *file = (struct atomic_file){0};
    if (!check_writable(midi, track_name, path, error) ||
        !make_file(&bytes, &size, midi, track_name, text, path, error))
        return false;
    bool ok = atomic_file_start(file, path, error);
    if (ok && !atomic_file_put(file, bytes, size, error)) {
        atomic_file_abandon(file);
        ok = false;
    }
    free(bytes);
    return ok;
}

bool midi_save(const struct midi *midi, const char *track_name, const char *path, bool replace, struct error *error)
{
    struct atomic_file file;
    if (!midi_stage(&file, midi, track_name, NULL, path, error))
        return false;
    return replace ? atomic_file_commit(&file, error) : atomic_file_commit_new(&file, error);
}
