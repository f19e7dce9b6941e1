#include "data/midi/check_internal.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_EVENT_BYTES = 12, /* of the clean copy: four of time, eight of a time signature */
    META_TRACK_NAME = 0x03,
    META_TEMPO = 0x51,
    META_TIME_SIGNATURE = 0x58,
    CONTROL_BANK = 0,
    BANK_XG_DRUMS = 127,
    BANK_GM2_RHYTHM = 120,
};

uint32_t midi_big_endian(const uint8_t *bytes, int count)
{
    uint32_t value = 0;
    for (int i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

void midi_note_repair(struct midi_checker *checker, enum midi_repair repair, const char *format, ...)
{
    struct midi_repairs *repairs = checker->repairs;
    repairs->counts[repair]++;
    if (repairs->num_described == MIDI_REPAIRS_DESCRIBED)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(repairs->texts[repairs->num_described++], MIDI_REPAIR_TEXT_SIZE, format, arguments);
    va_end(arguments);
}

/* True where reading continues after the event that `error` is about, which is then noted. */
static bool forgive(struct midi_checker *checker, const struct midi_track_reader *reader, enum midi_repair repair,
                    const char *done, const struct error *error)
{
    if (checker->strict)
        return false;
    midi_note_repair(checker, repair, "track %u: %s: %s", reader->number, error->message, done);
    return true;
}

bool midi_check_fail(struct midi_checker *checker)
{
    checker->fatal = true;
    return false;
}

bool midi_copy_make_room(struct midi_checker *checker, size_t count, struct error *error)
{
    if (checker->capacity - checker->size >= count)
        return true;
    size_t capacity = 2 * checker->capacity + count + 1024;
    uint8_t *bytes = realloc(checker->bytes, capacity);
    if (!bytes) {
        error_set_no_memory(error, "no memory for %zu bytes", capacity);
        return midi_check_fail(checker);
    }
    checker->bytes = bytes;
    checker->capacity = capacity;
    return true;
}

void midi_copy_put(struct midi_checker *checker, const uint8_t *bytes, size_t count)
{
    memcpy(checker->bytes + checker->size, bytes, count);
    checker->size += count;
}

static void put_delta(struct midi_checker *checker, uint32_t delta)
{
    uint8_t *end = midi_put_delta(checker->bytes + checker->size, delta);
    checker->size = (size_t)(end - checker->bytes);
}

/* Writes `event` at the reader's tick. A delta of five bytes can arise where a long pause was cut by skipped events; both
 * libsmf and this file's own reader would take it, but the specification has four, so a filler event goes between. */
bool midi_copy_event(struct midi_checker *checker, struct midi_track_reader *reader, const uint8_t *event, size_t count,
                     struct error *error)
{
    static const uint8_t filler[] = {0xff, 0x01, 0x00};
    uint64_t delta = reader->tick - reader->kept_tick;
    while (delta > MIDI_LONGEST_DELTA) {
        if (!midi_copy_make_room(checker, MAX_EVENT_BYTES, error))
            return false;
        put_delta(checker, MIDI_LONGEST_DELTA);
        midi_copy_put(checker, filler, sizeof filler);
        delta -= MIDI_LONGEST_DELTA;
    }
    if (!midi_copy_make_room(checker, MIDI_DELTA_BYTES + count, error))
        return false;
    put_delta(checker, (uint32_t)delta);
    midi_copy_put(checker, event, count);
    reader->kept_tick = reader->tick;
    return true;
}

static bool keep_counted(struct midi_checker *checker, struct midi_track_reader *reader, const uint8_t *event,
                         size_t count, struct error *error)
{
    if (++checker->num_events > MIDI_MAX_EVENTS) {
        error_set(error, "more than %d %s: too large to be one performance", MIDI_MAX_EVENTS,
                  checker->whole ? "events" : "notes");
        return midi_check_fail(checker);
    }
    return midi_copy_event(checker, reader, event, count, error);
}

static bool cut_off(struct midi_track_reader *reader, struct error *error, const char *what, size_t position)
{
    reader->hit_end = true;
    return error_set(error, "the track ends within %s at byte %zu", what, position);
}

/* A variable-length quantity of one to four bytes. */
static bool read_quantity(uint32_t *value, struct midi_track_reader *reader, const char *what, struct error *error)
{
    *value = 0;
    for (int i = 0; i < 4; i++) {
        if (reader->position >= reader->end)
            return cut_off(reader, error, what, reader->position);
        uint8_t byte = reader->bytes[reader->position++];
        *value = *value << 7 | (byte & 0x7f);
        if ((byte & 0x80) == 0)
            return true;
    }
    return error_set(error, "%s before byte %zu is longer than four bytes", what, reader->position);
}

static bool read_length(uint32_t *length, struct midi_track_reader *reader, const char *what, struct error *error)
{
    if (!read_quantity(length, reader, what, error))
        return false;
    if (*length <= reader->end - reader->position)
        return true;
    reader->hit_end = true;
    return error_set(error, "%s at byte %zu reaches %zu byte%s past the track's end", what, reader->position,
                     *length - (reader->end - reader->position), PLURAL(*length - (reader->end - reader->position)));
}

static bool read_tempo(struct midi_checker *checker, struct midi_track_reader *reader, uint32_t length,
                       struct error *error)
{
    const uint8_t *data = reader->bytes + reader->position;
    if (length != 3 || midi_big_endian(data, 3) == 0) {
        error_set(error, "the tempo at byte %zu is %s", reader->position,
                  length != 3 ? "not three bytes long" : "0 microseconds per quarter note");
        return forgive(checker, reader, MIDI_EVENT_SKIPPED, "skipped", error);
    }
    const uint8_t event[] = {0xff, META_TEMPO, 3, data[0], data[1], data[2]};
    return keep_counted(checker, reader, event, sizeof event, error);
}

static bool read_time_signature(struct midi_checker *checker, struct midi_track_reader *reader, uint32_t length,
                                struct error *error)
{
    const uint8_t *data = reader->bytes + reader->position;
    if (length != 4)
        error_set(error, "the time signature at byte %zu is not four bytes long", reader->position);
    else if (data[0] == 0 || data[1] > 7)
        error_set(error, "the time signature at byte %zu is %u/2^%u", reader->position, data[0], data[1]);
    else {
        const uint8_t event[] = {0xff, META_TIME_SIGNATURE, 4, data[0], data[1], data[2], data[3]};
        return keep_counted(checker, reader, event, sizeof event, error);
    }
    return forgive(checker, reader, MIDI_EVENT_SKIPPED, "skipped", error);
}

static void read_track_name(struct midi_track_reader *reader, uint32_t length)
{
    char *name = reader->track.name;
    if (name[0] != '\0')
        return;
    for (uint32_t i = 0; i < length && i + 1 < MIDI_TRACK_NAME_SIZE; i++) {
        uint8_t byte = reader->bytes[reader->position + i];
        name[i] = byte >= 0x20 && byte < 0x7f ? (char)byte : '?';
    }
}

/* Keeps an event that nothing is read from, of which all is in the file from `start` to `end` but its status byte. */
static bool keep_whole(struct midi_checker *checker, struct midi_track_reader *reader, uint8_t status, size_t start,
                       size_t end, struct error *error)
{
    if (!checker->whole)
        return true;
    if (!keep_counted(checker, reader, &status, 1, error) || !midi_copy_make_room(checker, end - start, error))
        return false;
    midi_copy_put(checker, reader->bytes + start, end - start);
    return true;
}

static bool read_meta(struct midi_checker *checker, struct midi_track_reader *reader, struct error *error)
{
    size_t start = reader->position;
    if (reader->position >= reader->end)
        return cut_off(reader, error, "a meta event", reader->position);
    uint8_t type = reader->bytes[reader->position++];
    uint32_t length;
    if (!read_length(&length, reader, "a meta event's length", error))
        return false;
    if (type == META_END_OF_TRACK)
        reader->ended = true;
    if (type == META_TRACK_NAME)
        read_track_name(reader, length);
    if (type == META_TEMPO && !read_tempo(checker, reader, length, error))
        return false;
    if (type == META_TIME_SIGNATURE && !read_time_signature(checker, reader, length, error))
        return false;
    reader->position += length;
    bool kept = type == META_TEMPO || type == META_TIME_SIGNATURE || type == META_END_OF_TRACK;
    return kept || keep_whole(checker, reader, 0xff, start, reader->position, error);
}

static void set_part(struct midi_channels *channels, int channel, bool rhythm)
{
    uint16_t bit = (uint16_t)(1U << channel);
    channels->rhythm = (uint16_t)(rhythm ? channels->rhythm | bit : channels->rhythm & ~bit);
    channels->melodic = (uint16_t)(rhythm ? channels->melodic & ~bit : channels->melodic | bit);
}

/* Roland GS "use for rhythm part" (41 dd 42 12 40 1p 15 mm) and Yamaha XG "part mode" (43 1n 4c 08 pp 07 mm). */
static void read_system_exclusive(struct midi_checker *checker, const uint8_t *data, uint32_t length)
{
    if (length >= 8 && data[0] == 0x41 && data[2] == 0x42 && data[3] == 0x12 && data[4] == 0x40 &&
        (data[5] & 0xf0) == 0x10 && data[6] == 0x15) {
        int part = data[5] & 0x0f; /* 0 is part 10, 1 to 9 are themselves, the others one more */
        set_part(&checker->channels, part == 0 ? 9 : part <= 9 ? part - 1 : part, data[7] > 0);
    }
    if (length >= 7 && data[0] == 0x43 && (data[1] & 0xf0) == 0x10 && data[2] == 0x4c && data[3] == 0x08 &&
        data[4] < NUM_CHANNELS && data[5] == 0x07)
        set_part(&checker->channels, data[4], data[6] > 0);
}

static void read_program_or_bank(struct midi_channels *channels, int status, const uint8_t *data)
{
    int channel = status & 0x0f;
    if (status >> 4 == 0xc && channels->programs[channel] == NO_PROGRAM)
        channels->programs[channel] = data[0];
    if (status >> 4 == 0xb && data[0] == CONTROL_BANK && (data[1] == BANK_XG_DRUMS || data[1] == BANK_GM2_RHYTHM))
        set_part(channels, channel, true);
}

/* Data that should be below 128 is above: a velocity is clipped, all else skipped. */
static bool mend_message(uint8_t data[2], struct midi_checker *checker, struct midi_track_reader *reader, int status,
                         size_t count, bool *skip, struct error *error)
{
    size_t wrong = data[0] > 127 ? 0 : 1;
    if (data[wrong] <= 127 || wrong >= count)
        return true;
    error_set(error, "byte %zu is 0x%02x, where a message of status 0x%02x needs data", reader->position + wrong,
              data[wrong], status);
    bool clip = status >> 4 == 0x9 && wrong == 1;
    *skip = !clip;
    if (clip)
        data[1] = 127;
    return forgive(checker, reader, clip ? MIDI_EVENT_CLIPPED : MIDI_EVENT_SKIPPED,
                   clip ? "velocity clipped to 127" : "skipped", error);
}

static bool read_channel_message(struct midi_checker *checker, struct midi_track_reader *reader, int status,
                                 struct error *error)
{
    int kind = status >> 4;
    size_t count = kind == 0xc || kind == 0xd ? 1 : 2;
    bool skip = false;
    if (reader->end - reader->position < count)
        return cut_off(reader, error, "a message", reader->position);
    uint8_t data[2] = {reader->bytes[reader->position], count > 1 ? reader->bytes[reader->position + 1] : 0};
    if (!mend_message(data, checker, reader, status, count, &skip, error))
        return false;
    reader->position += count;
    if (skip)
        return true;
    read_program_or_bank(&checker->channels, status, data);
    if ((kind != 0x9 || data[1] == 0) && !checker->whole)
        return true;
    const uint8_t event[] = {(uint8_t)status, data[0], data[1]};
    return keep_counted(checker, reader, event, 1 + count, error);
}

/* A system common or real-time message, which is not allowed in files: with its data, if what follows is data. */
static bool skip_system_message(struct midi_checker *checker, struct midi_track_reader *reader, int status,
                                struct error *error)
{
    size_t count = status == 0xf2 ? 2 : status == 0xf1 || status == 0xf3 ? 1 : 0;
    error_set(error, "byte %zu is status 0x%02x, which is not allowed in files", reader->position - 1, status);
    while (count-- > 0 && reader->position < reader->end && reader->bytes[reader->position] < 0x80)
        reader->position++;
    return forgive(checker, reader, MIDI_EVENT_SKIPPED, "skipped", error);
}

bool midi_check_event(struct midi_checker *checker, struct midi_track_reader *reader, struct error *error)
{
    uint32_t delta, length;
    size_t start;
    if (!read_quantity(&delta, reader, "a delta time", error))
        return false;
    if (reader->tick + delta > MIDI_MAX_TICK)
        return error_set(error, "the track is longer than %d ticks", MIDI_MAX_TICK);
    reader->tick += delta;
    if (reader->position >= reader->end)
        return cut_off(reader, error, "an event, after its delta time,", reader->position);

    int status = reader->bytes[reader->position];
    if (status < 0x80) {
        if (reader->running_status == 0)
            return error_set(error, "byte %zu is data without a status byte before it", reader->position);
        return read_channel_message(checker, reader, reader->running_status, error);
    }
    reader->position++;
    if (status < 0xf0) {
        reader->running_status = status;
        return read_channel_message(checker, reader, status, error);
    }
    if (status == 0xff)
        return read_meta(checker, reader, error);
    if (status != 0xf0 && status != 0xf7)
        return skip_system_message(checker, reader, status, error);
    start = reader->position;
    if (!read_length(&length, reader, "a system exclusive message's length", error))
        return false;
    if (status == 0xf0)
        read_system_exclusive(checker, reader->bytes + reader->position, length);
    reader->position += length;
    return keep_whole(checker, reader, (uint8_t)status, start, reader->position, error);
}
