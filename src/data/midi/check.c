#include "data/midi/check.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

enum {
    HEADER_BYTES = 14,
    CHUNK_HEADER_BYTES = 8,
    MAX_EVENT_BYTES = 12, /* of the clean copy: four of time, eight of a time signature */
    META_END_OF_TRACK = 0x2f,
    META_TEMPO = 0x51,
    META_TIME_SIGNATURE = 0x58,
};

/* One track's bytes as they are read, and what has been kept of them. */
struct reader {
    const uint8_t *bytes; /* the whole file, so that messages can name a byte's place in it */
    size_t position, end;
    uint64_t tick;
    uint64_t kept_tick; /* of the last event that was kept */
    int running_status; /* 0: none yet */
    bool ended;
};

struct writer {
    uint8_t *bytes;
    size_t size, capacity;
    uint32_t num_events, num_tracks;
    uint64_t end_tick;
};

static uint32_t big_endian(const uint8_t *bytes, int count)
{
    uint32_t value = 0;
    for (int i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

static void put_big_endian(uint8_t *bytes, uint32_t value, int count)
{
    for (int i = count - 1; i >= 0; i--, value >>= 8)
        bytes[i] = (uint8_t)value;
}

static bool make_room(struct writer *writer, size_t count, struct error *error)
{
    uint8_t *bytes = array_grow(writer->bytes, &writer->capacity, writer->size, count, 1);
    if (!bytes)
        return error_set(error, "no memory for %zu bytes", writer->size);
    writer->bytes = bytes;
    return true;
}

static void put_bytes(struct writer *writer, const uint8_t *bytes, size_t count)
{
    memcpy(writer->bytes + writer->size, bytes, count);
    writer->size += count;
}

static void put_delta(struct writer *writer, uint32_t delta)
{
    for (int shift = 21; shift > 0; shift -= 7)
        if (delta >> shift != 0)
            writer->bytes[writer->size++] = (uint8_t)(0x80 | (delta >> shift & 0x7f));
    writer->bytes[writer->size++] = (uint8_t)(delta & 0x7f);
}

/* Writes `event` at the reader's tick. A delta of five bytes can arise where a long pause was cut by events left out;
 * both libsmf and this file's own reader would take it, but the specification has four, so a filler event goes
 * between. */
static bool keep_event(struct writer *writer, struct reader *reader, const uint8_t *event, size_t count,
                       struct error *error)
{
    enum { LONGEST_DELTA = 0x0fffffff };
    static const uint8_t filler[] = {0xff, 0x01, 0x00};
    uint64_t delta = reader->tick - reader->kept_tick;
    while (delta > LONGEST_DELTA) {
        if (!make_room(writer, MAX_EVENT_BYTES, error))
            return false;
        put_delta(writer, LONGEST_DELTA);
        put_bytes(writer, filler, sizeof filler);
        delta -= LONGEST_DELTA;
    }
    if (!make_room(writer, MAX_EVENT_BYTES, error))
        return false;
    put_delta(writer, (uint32_t)delta);
    put_bytes(writer, event, count);
    reader->kept_tick = reader->tick;
    return true;
}

static bool keep_counted(struct writer *writer, struct reader *reader, const uint8_t *event, size_t count,
                         struct error *error)
{
    if (++writer->num_events > MIDI_MAX_EVENTS)
        return error_set(error, "more than %d notes: too large to be one performance", MIDI_MAX_EVENTS);
    return keep_event(writer, reader, event, count, error);
}

/* A variable-length quantity of one to four bytes. */
static bool read_quantity(uint32_t *value, struct reader *reader, const char *what, struct error *error)
{
    *value = 0;
    for (int i = 0; i < 4; i++) {
        if (reader->position >= reader->end)
            return error_set(error, "the track ends within %s at byte %zu", what, reader->position);
        uint8_t byte = reader->bytes[reader->position++];
        *value = *value << 7 | (byte & 0x7f);
        if ((byte & 0x80) == 0)
            return true;
    }
    return error_set(error, "%s before byte %zu is longer than four bytes", what, reader->position);
}

static bool read_length(uint32_t *length, struct reader *reader, const char *what, struct error *error)
{
    if (!read_quantity(length, reader, what, error))
        return false;
    if (*length > reader->end - reader->position)
        return error_set(error, "%s at byte %zu reaches %zu bytes past the track's end", what, reader->position,
                         *length - (reader->end - reader->position));
    return true;
}

static bool read_tempo(struct writer *writer, struct reader *reader, uint32_t length, struct error *error)
{
    const uint8_t *data = reader->bytes + reader->position;
    if (length != 3 || big_endian(data, 3) == 0)
        return error_set(error, "the tempo at byte %zu is %s", reader->position,
                         length != 3 ? "not three bytes long" : "0 microseconds per quarter note");
    const uint8_t event[] = {0xff, META_TEMPO, 3, data[0], data[1], data[2]};
    return keep_counted(writer, reader, event, sizeof event, error);
}

static bool read_time_signature(struct writer *writer, struct reader *reader, uint32_t length, struct error *error)
{
    const uint8_t *data = reader->bytes + reader->position;
    if (length != 4)
        return error_set(error, "the time signature at byte %zu is not four bytes long", reader->position);
    if (data[0] == 0 || data[1] > 7)
        return error_set(error, "the time signature at byte %zu is %u/2^%u", reader->position, data[0], data[1]);
    const uint8_t event[] = {0xff, META_TIME_SIGNATURE, 4, data[0], data[1], data[2], data[3]};
    return keep_counted(writer, reader, event, sizeof event, error);
}

static bool read_meta(struct writer *writer, struct reader *reader, struct error *error)
{
    if (reader->position >= reader->end)
        return error_set(error, "the track ends within a meta event at byte %zu", reader->position);
    uint8_t type = reader->bytes[reader->position++];
    uint32_t length;
    if (!read_length(&length, reader, "a meta event's length", error))
        return false;
    if (type == META_END_OF_TRACK)
        reader->ended = true;
    if (type == META_TEMPO && !read_tempo(writer, reader, length, error))
        return false;
    if (type == META_TIME_SIGNATURE && !read_time_signature(writer, reader, length, error))
        return false;
    reader->position += length;
    return true;
}

static bool read_channel_message(struct writer *writer, struct reader *reader, int status, struct error *error)
{
    int kind = status >> 4;
    size_t count = kind == 0xc || kind == 0xd ? 1 : 2;
    if (reader->end - reader->position < count)
        return error_set(error, "the track ends within a message at byte %zu", reader->position);
    const uint8_t *data = reader->bytes + reader->position;
    for (size_t i = 0; i < count; i++)
        if (data[i] > 127)
            return error_set(error, "byte %zu is 0x%02x, where a message of status 0x%02x needs data",
                             reader->position + i, data[i], status);
    reader->position += count;
    if (kind != 0x9 || data[1] == 0)
        return true;
    const uint8_t event[] = {(uint8_t)status, data[0], data[1]};
    return keep_counted(writer, reader, event, sizeof event, error);
}

static bool read_event(struct writer *writer, struct reader *reader, struct error *error)
{
    uint32_t delta, length;
    if (!read_quantity(&delta, reader, "a delta time", error))
        return false;
    reader->tick += delta;
    if (reader->tick > MIDI_MAX_TICK)
        return error_set(error, "the track is longer than %d ticks", MIDI_MAX_TICK);
    if (reader->position >= reader->end)
        return error_set(error, "the track ends after a delta time at byte %zu", reader->position);

    int status = reader->bytes[reader->position];
    if (status < 0x80) {
        if (reader->running_status == 0)
            return error_set(error, "byte %zu is data where no status was given before", reader->position);
        return read_channel_message(writer, reader, reader->running_status, error);
    }
    reader->position++;
    if (status < 0xf0) {
        reader->running_status = status;
        return read_channel_message(writer, reader, status, error);
    }
    if (status == 0xff)
        return read_meta(writer, reader, error);
    if (status != 0xf0 && status != 0xf7)
        return error_set(error, "byte %zu is status 0x%02x, which a file can't hold", reader->position - 1, status);
    if (!read_length(&length, reader, "a system exclusive message's length", error))
        return false;
    reader->position += length;
    return true;
}

/* Copies one track; one that holds nothing we read leaves no trace. */
static bool read_track(struct writer *writer, struct reader *reader, struct error *error)
{
    static const uint8_t track_name[] = {'M', 'T', 'r', 'k', 0, 0, 0, 0};
    static const uint8_t end_of_track[] = {0xff, META_END_OF_TRACK, 0};
    size_t start = writer->size;
    uint32_t events_before = writer->num_events;
    if (!make_room(writer, sizeof track_name, error))
        return false;
    put_bytes(writer, track_name, sizeof track_name);
    while (reader->position < reader->end && !reader->ended)
        if (!read_event(writer, reader, error))
            return false;
    if (reader->tick > writer->end_tick)
        writer->end_tick = reader->tick;
    if (writer->num_events == events_before) {
        writer->size = start;
        return true;
    }
    if (++writer->num_tracks > MIDI_MAX_TRACKS_READ)
        return error_set(error, "more than %d tracks with notes", MIDI_MAX_TRACKS_READ);
    if (!keep_event(writer, reader, end_of_track, sizeof end_of_track, error))
        return false;
    put_big_endian(writer->bytes + start + 4, (uint32_t)(writer->size - start - CHUNK_HEADER_BYTES), 4);
    return true;
}

/* The header's own fields; *position becomes the first byte after it. */
static bool read_header(const uint8_t *bytes, size_t size, size_t *position, uint32_t *num_tracks,
                        enum midi_fault *fault, struct error *error)
{
    *fault = MIDI_DAMAGED;
    if (size >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "RMID", 4) == 0) {
        *fault = MIDI_UNSUPPORTED;
        return error_set(error, "a RIFF MIDI file (RMID): save it as a standard MIDI file");
    }
    if (size == 0)
        return error_set(error, "an empty file");
    if (size < HEADER_BYTES || memcmp(bytes, "MThd", 4) != 0)
        return error_set(error, "no MIDI file: it does not begin with a MThd chunk");
    uint32_t length = big_endian(bytes + 4, 4);
    if (length < 6 || length > size - CHUNK_HEADER_BYTES)
        return error_set(error, "the header chunk is %u bytes long, of %zu in the file", length, size);
    uint32_t format = big_endian(bytes + 8, 2), division = big_endian(bytes + 12, 2);
    *num_tracks = big_endian(bytes + 10, 2);
    *position = CHUNK_HEADER_BYTES + length;
    if (format > 2)
        return error_set(error, "MIDI format %u, where there are 0, 1 and 2", format);
    if (division == 0)
        return error_set(error, "a division of 0 ticks per quarter note");
    if (*num_tracks == 0)
        return error_set(error, "a header that announces no tracks");
    *fault = MIDI_UNSUPPORTED;
    if (format == 2)
        return error_set(error, "MIDI format 2 (independent patterns): save it as format 0 or 1");
    if (division >= 0x8000)
        return error_set(error, "SMPTE division (%u frames a second): save it with ticks per quarter note",
                         256 - (division >> 8));
    *fault = MIDI_VALID;
    return true;
}

static bool read_tracks(struct writer *writer, const uint8_t *bytes, size_t size, size_t position, uint32_t num_tracks,
                        struct error *error)
{
    uint32_t found = 0;
    while (found < num_tracks) {
        if (size - position < CHUNK_HEADER_BYTES)
            return error_set(error, "the file ends after %u of %u tracks", found, num_tracks);
        const uint8_t *chunk = bytes + position;
        uint32_t length = big_endian(chunk + 4, 4);
        position += CHUNK_HEADER_BYTES;
        if (length > size - position)
            return error_set(error, "the chunk at byte %zu reaches %zu bytes past the end of the file",
                             position - CHUNK_HEADER_BYTES, length - (size - position));
        if (memcmp(chunk, "MTrk", 4) == 0) {
            struct reader reader = {.bytes = bytes, .position = position, .end = position + length};
            found++;
            if (!read_track(writer, &reader, error))
                return error_prefix(error, "track %u", found);
        }
        position += length;
    }
    return true;
}

bool midi_check(struct midi_copy *copy, const uint8_t *bytes, size_t size, enum midi_fault *fault, struct error *error)
{
    static const uint8_t silent_track[] = {'M', 'T', 'r', 'k', 0, 0, 0, 4, 0, 0xff, META_END_OF_TRACK, 0};
    struct writer writer = {0};
    size_t position = 0;
    uint32_t num_tracks = 0;
    *copy = (struct midi_copy){0};
    if (!read_header(bytes, size, &position, &num_tracks, fault, error))
        return false;

    *fault = MIDI_DAMAGED;
    if (!make_room(&writer, size, error))
        return false;
    memcpy(writer.bytes, "MThd", 4);
    writer.size = HEADER_BYTES;
    if (!read_tracks(&writer, bytes, size, position, num_tracks, error) ||
        !make_room(&writer, sizeof silent_track, error)) {
        free(writer.bytes);
        return false;
    }
    if (writer.num_tracks == 0) {
        put_bytes(&writer, silent_track, sizeof silent_track);
        writer.num_tracks = 1;
    }
    put_big_endian(writer.bytes + 4, 6, 4);
    put_big_endian(writer.bytes + 8, writer.num_tracks > 1, 2);
    put_big_endian(writer.bytes + 10, writer.num_tracks, 2);
    put_big_endian(writer.bytes + 12, big_endian(bytes + 12, 2), 2);
    *copy = (struct midi_copy){writer.bytes, writer.size, (uint32_t)writer.end_tick};
    *fault = MIDI_VALID;
    return true;
}
