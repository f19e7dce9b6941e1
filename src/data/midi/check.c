#include "data/midi/check_internal.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    HEADER_BYTES = 14,
    CHUNK_HEADER_BYTES = 8,
    MAX_JUNK_BYTES = 1024, /* before the header: MacBinary has 128 */
};

static void put_big_endian(uint8_t *bytes, uint32_t value, int count)
{
    for (int i = count - 1; i >= 0; i--, value >>= 8)
        bytes[i] = (uint8_t)value;
}

static bool is_chunk(const uint8_t *bytes, size_t position, size_t size)
{
    if (size - position < CHUNK_HEADER_BYTES)
        return false;
    for (size_t i = position; i < position + 4; i++)
        if (bytes[i] < 0x20 || bytes[i] > 0x7e)
            return false;
    return true;
}

static bool is_track(const uint8_t *bytes, size_t position, size_t size)
{
    return size - position >= CHUNK_HEADER_BYTES && memcmp(bytes + position, "MTrk", 4) == 0;
}

/* Where the next track begins at `position` or after it; `size` where there is none. */
static size_t find_track(const uint8_t *bytes, size_t position, size_t size)
{
    while (position < size && !is_track(bytes, position, size))
        position++;
    return position;
}

/* The chunk's length was too small where an event reaches past it and no other chunk begins there: the track then goes on
 * to the next one, or to the end of the file. */
static bool extend(struct midi_checker *checker, struct midi_track_reader *reader, size_t size)
{
    if (checker->strict || reader->end >= size || is_chunk(reader->bytes, reader->end, size))
        return false;
    midi_note_repair(checker, MIDI_CHUNK_LENGTH, "track %u: its length ends at byte %zu, within its events: read on",
                     reader->number, reader->end);
    reader->end = find_track(reader->bytes, reader->end, size);
    return true;
}

static bool read_events(struct midi_checker *checker, struct midi_track_reader *reader, size_t size,
                        struct error *error)
{
    bool extended = false;
    if (reader->position == reader->end)
        extended = extend(checker, reader, size);
    while (reader->position < reader->end && !reader->ended) {
        struct midi_track_reader before = *reader;
        if (midi_check_event(checker, reader, error))
            continue;
        bool hit_end = reader->hit_end;
        if (checker->strict || checker->fatal)
            return false;
        *reader = before;
        if (hit_end && !extended && extend(checker, reader, size)) {
            extended = true;
            continue;
        }
        midi_note_repair(checker, MIDI_TRACK_CUT, "track %u: %s: the rest of the track is skipped", reader->number,
                         error->message);
        break;
    }
    return true;
}

static bool add_track(struct midi_checker *checker, const struct midi_track *track, struct error *error)
{
    if (checker->num_tracks == checker->capacity_tracks) {
        size_t capacity = 2 * checker->capacity_tracks + 4;
        struct midi_track *tracks = realloc(checker->tracks, capacity * sizeof *tracks);
        if (!tracks) {
            error_set_no_memory(error, "no memory for %zu tracks", capacity);
            return midi_check_fail(checker);
        }
        checker->tracks = tracks;
        checker->capacity_tracks = capacity;
    }
    checker->tracks[checker->num_tracks++] = *track;
    return true;
}

/* Copies one track; one that holds nothing we read leaves no trace. */
static bool read_track(struct midi_checker *checker, struct midi_track_reader *reader, size_t size, struct error *error)
{
    static const uint8_t track_name[] = {'M', 'T', 'r', 'k', 0, 0, 0, 0};
    static const uint8_t end_of_track[] = {0xff, META_END_OF_TRACK, 0};
    size_t start = checker->size;
    uint32_t events_before = checker->num_events;
    if (!midi_copy_make_room(checker, sizeof track_name, error))
        return false;
    midi_copy_put(checker, track_name, sizeof track_name);
    if (!read_events(checker, reader, size, error))
        return false;
    if (reader->tick > checker->end_tick)
        checker->end_tick = reader->tick;
    if (checker->num_events == events_before && !checker->whole) {
        checker->size = start;
        return true;
    }
    if (checker->num_tracks == MIDI_MAX_TRACKS_READ) {
        error_set(error, "more than %d tracks with notes", MIDI_MAX_TRACKS_READ);
        return midi_check_fail(checker);
    }
    if (!add_track(checker, &reader->track, error) ||
        !midi_copy_event(checker, reader, end_of_track, sizeof end_of_track, error))
        return false;
    put_big_endian(checker->bytes + start + 4, (uint32_t)(checker->size - start - CHUNK_HEADER_BYTES), 4);
    return true;
}

/* The data of a chunk begin at `position`, and are longer than the file is. Always fails. */
static bool set_too_long(struct error *error, size_t position, uint32_t length, size_t size)
{
    size_t past = length - (size - position);
    return error_set(error, "the chunk at byte %zu reaches %zu byte%s past the end of the file",
                     position - CHUNK_HEADER_BYTES, past, PLURAL(past));
}

/* Reads the track whose chunk's data begin at *position; *position becomes where the next chunk begins. */
static bool read_track_chunk(struct midi_checker *checker, const uint8_t *bytes, size_t size, size_t *position,
                             uint32_t length, uint32_t number, struct error *error)
{
    size_t left = size - *position;
    if (length > left) {
        set_too_long(error, *position, length, size);
        if (checker->strict)
            return false;
        midi_note_repair(checker, MIDI_CHUNK_LENGTH, "track %u: %s: read up to there", number, error->message);
        length = (uint32_t)left;
    }
    struct midi_track_reader reader = {
        .bytes = bytes, .position = *position, .end = *position + length, .number = number};
    size_t said_end = reader.end;
    if (!read_track(checker, &reader, size, error))
        return checker->fatal ? false : error_prefix(error, "track %u", number);
    *position = reader.end;
    if (!checker->strict && reader.ended && reader.position < said_end && is_track(bytes, reader.position, size)) {
        midi_note_repair(checker, MIDI_CHUNK_LENGTH,
                         "track %u: its length is %zu byte%s too large: the next track is read from byte %zu", number,
                         said_end - reader.position, PLURAL(said_end - reader.position), reader.position);
        *position = reader.position;
    } else if (reader.ended && reader.end != said_end) {
        *position = reader.position;
    }
    return true;
}

/* Moves past what is no track. */
static void skip_other_bytes(struct midi_checker *checker, const uint8_t *bytes, size_t size, size_t *position)
{
    if (is_chunk(bytes, *position, size) &&
        midi_big_endian(bytes + *position + 4, 4) <= size - *position - CHUNK_HEADER_BYTES) {
        *position += CHUNK_HEADER_BYTES + midi_big_endian(bytes + *position + 4, 4);
        return;
    }
    size_t next = find_track(bytes, *position, size);
    midi_note_repair(checker, MIDI_TRAILING_BYTES, "%zu bytes from byte %zu on are outside any chunk: skipped",
                     next - *position, *position);
    *position = next;
}

/* All tracks that are there, however many were announced. */
static bool read_tracks_found(struct midi_checker *checker, const uint8_t *bytes, size_t size, size_t position,
                              uint32_t announced, struct error *error)
{
    uint32_t found = 0;
    while (position < size) {
        if (!is_track(bytes, position, size)) {
            skip_other_bytes(checker, bytes, size, &position);
            continue;
        }
        uint32_t length = midi_big_endian(bytes + position + 4, 4);
        position += CHUNK_HEADER_BYTES;
        if (!read_track_chunk(checker, bytes, size, &position, length, ++found, error))
            return false;
    }
    if (found == 0)
        return error_set(error, "holds no track");
    if (found != announced)
        midi_note_repair(checker, MIDI_TRACK_COUNT, "the header gives %u track%s, the file has %u: all are read",
                         announced, PLURAL(announced), found);
    return true;
}

static bool read_tracks_strictly(struct midi_checker *checker, const uint8_t *bytes, size_t size, size_t position,
                                 uint32_t announced, struct error *error)
{
    uint32_t found = 0;
    while (found < announced) {
        if (size - position < CHUNK_HEADER_BYTES)
            return error_set(error, "the file ends after %u of %u tracks", found, announced);
        bool is_wanted = is_track(bytes, position, size);
        uint32_t length = midi_big_endian(bytes + position + 4, 4);
        position += CHUNK_HEADER_BYTES;
        if (is_wanted) {
            if (!read_track_chunk(checker, bytes, size, &position, length, ++found, error))
                return false;
        } else if (length > size - position) {
            return set_too_long(error, position, length, size);
        } else {
            position += length;
        }
    }
    return true;
}

/* The MIDI file within *bytes: a RIFF file has it in its chunk `data`; others have it after a few bytes of something
 * else. */
static bool unwrap(struct midi_checker *checker, const uint8_t **bytes, size_t *size, enum midi_fault *fault,
                   struct error *error)
{
    bool is_riff = *size >= 12 && memcmp(*bytes, "RIFF", 4) == 0 && memcmp(*bytes + 8, "RMID", 4) == 0;
    if (*size >= 4 && memcmp(*bytes, "MThd", 4) == 0)
        return true;
    if (is_riff && checker->strict) {
        *fault = MIDI_UNSUPPORTED;
        return error_set(error, "a RIFF MIDI file (RMID): save it as a standard MIDI file");
    }
    for (size_t i = 1; !checker->strict && i < MAX_JUNK_BYTES && i + HEADER_BYTES <= *size; i++)
        if (memcmp(*bytes + i, "MThd", 4) == 0 && (is_riff || midi_big_endian(*bytes + i + 4, 4) == 6)) {
            midi_note_repair(checker, MIDI_WRAPPER, "%s: the MIDI file is read from byte %zu on",
                             is_riff ? "a RIFF file (RMID)" : "does not begin with MThd", i);
            *bytes += i;
            *size -= i;
            return true;
        }
    return error_set(error, "not a MIDI file: it does not begin with an MThd chunk");
}

struct header {
    uint32_t format, num_tracks, division;
    size_t end; /* the first byte after it */
};

/* A field that is wrong, but can be done without. */
static bool forgive_header(struct midi_checker *checker, const char *done, const struct error *error)
{
    if (checker->strict)
        return false;
    midi_note_repair(checker, MIDI_HEADER, "%s: %s", error->message, done);
    return true;
}

static bool read_header(struct header *header, struct midi_checker *checker, const uint8_t *bytes, size_t size,
                        enum midi_fault *fault, struct error *error)
{
    *fault = MIDI_DAMAGED;
    if (size < HEADER_BYTES)
        return error_set(error, "not a MIDI file: its header is truncated");
    uint32_t length = midi_big_endian(bytes + 4, 4);
    *header = (struct header){midi_big_endian(bytes + 8, 2), midi_big_endian(bytes + 10, 2),
                              midi_big_endian(bytes + 12, 2), CHUNK_HEADER_BYTES + (size_t)length};
    if (length < 6 || length > size - CHUNK_HEADER_BYTES) {
        error_set(error, "the header chunk is %u bytes long, of %zu in the file", length, size);
        if (!forgive_header(checker, "taken to have six", error))
            return false;
        header->end = HEADER_BYTES;
    }
    if (header->format > 2) {
        error_set(error, "MIDI format %u: only 0, 1 and 2 exist", header->format);
        if (!forgive_header(checker, "read as format 1", error))
            return false;
        header->format = 1;
    }
    if (header->division == 0)
        return error_set(error, "a division of 0 ticks per quarter note");
    if (header->num_tracks == 0 && checker->strict)
        return error_set(error, "a header that announces no tracks");
    *fault = MIDI_UNSUPPORTED;
    if (header->format == 2 && (checker->strict || header->num_tracks != 1))
        return error_set(error, "MIDI format 2 (independent patterns): save it as format 0 or 1");
    if (header->division >= 0x8000)
        return error_set(error, "SMPTE division (%u frames a second): save it with ticks per quarter note",
                         256 - (header->division >> 8));
    *fault = MIDI_VALID;
    return true;
}

/* The header of the copy, and a track where it has none. */
static bool finish_copy(struct midi_checker *checker, uint32_t division, struct error *error)
{
    static const uint8_t silent_track[] = {'M', 'T', 'r', 'k', 0, 0, 0, 4, 0, 0xff, META_END_OF_TRACK, 0};
    if (checker->num_tracks == 0) {
        static const struct midi_track nameless = {""};
        if (!midi_copy_make_room(checker, sizeof silent_track, error) || !add_track(checker, &nameless, error))
            return false;
        midi_copy_put(checker, silent_track, sizeof silent_track);
    }
    put_big_endian(checker->bytes + 4, 6, 4);
    put_big_endian(checker->bytes + 8, checker->num_tracks > 1 || (checker->whole && checker->format == 1), 2);
    put_big_endian(checker->bytes + 10, (uint32_t)checker->num_tracks, 2);
    put_big_endian(checker->bytes + 12, division, 2);
    return true;
}

static bool make_copy(struct midi_checker *checker, const uint8_t *bytes, size_t size, enum midi_fault *fault,
                      struct error *error)
{
    struct header header = {0};
    *fault = MIDI_DAMAGED;
    if (size == 0)
        return error_set(error, "an empty file");
    if (!unwrap(checker, &bytes, &size, fault, error) || !read_header(&header, checker, bytes, size, fault, error))
        return false;
    *fault = MIDI_DAMAGED;
    checker->format = header.format;
    if (!midi_copy_make_room(checker, size + HEADER_BYTES, error))
        return false;
    memcpy(checker->bytes, "MThd", 4);
    checker->size = HEADER_BYTES;
    return (checker->strict ? read_tracks_strictly(checker, bytes, size, header.end, header.num_tracks, error)
                            : read_tracks_found(checker, bytes, size, header.end, header.num_tracks, error)) &&
           finish_copy(checker, header.division, error);
}

static bool check(struct midi_copy *copy, struct midi_checker *checker, const uint8_t *bytes, size_t size,
                  enum midi_fault *fault, struct error *error)
{
    memset(checker->channels.programs, NO_PROGRAM, sizeof checker->channels.programs);
    *copy = (struct midi_copy){0};
    if (!make_copy(checker, bytes, size, fault, error)) {
        free(checker->bytes);
        free(checker->tracks);
        return false;
    }
    *copy = (struct midi_copy){.bytes = checker->bytes,
                               .format = checker->format,
                               .size = checker->size,
                               .end_tick = (uint32_t)checker->end_tick,
                               .tracks = checker->tracks,
                               .num_tracks = checker->num_tracks,
                               .channels = checker->channels};
    *fault = MIDI_VALID;
    return true;
}

bool midi_check(struct midi_copy *copy, struct midi_repairs *repairs, const uint8_t *bytes, size_t size, bool strict,
                enum midi_fault *fault, struct error *error)
{
    struct midi_checker checker = {.strict = strict, .repairs = repairs};
    return check(copy, &checker, bytes, size, fault, error);
}

bool midi_check_whole(struct midi_copy *copy, struct midi_repairs *repairs, const uint8_t *bytes, size_t size,
                      enum midi_fault *fault, struct error *error)
{
    struct midi_checker checker = {.whole = true, .repairs = repairs};
    return check(copy, &checker, bytes, size, fault, error);
}

void midi_copy_free(struct midi_copy *copy)
{
    free(copy->bytes);
    free(copy->tracks);
    *copy = (struct midi_copy){0};
}
