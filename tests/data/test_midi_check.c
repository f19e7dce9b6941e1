#include "data/midi/reader.h"
#include "tests/data/midi_bytes.h"
#include "tests/support/unit.h"

#include <stdlib.h>

/* A format 0 file whose one track holds `bytes` after a kick at tick 0, and then its end. */
static void one_track(struct midi_bytes *file, const uint8_t *bytes, size_t count)
{
    midi_bytes_start(file, 0, 1, 480);
    midi_bytes_start_track(file);
    midi_bytes_note(file, 0, 9, 36, 100);
    midi_bytes_put(file, bytes, count);
    midi_bytes_end_track(file);
}

static void expect_refusal(const struct midi_bytes *file, enum midi_fault expected, const char *part)
{
    struct midi midi;
    struct error error;
    enum midi_fault fault = MIDI_VALID;
    assert_fails(midi_parse(&midi, file->bytes, file->size, true, &fault, &error), error, part);
    assert_int_equal(fault, expected);
    assert_null(midi.onsets);
}

static void expect_onsets(const struct midi_bytes *file, size_t count, uint32_t last_tick)
{
    struct midi midi;
    struct error error;
    enum midi_fault fault = MIDI_DAMAGED;
    assert_ok(midi_parse(&midi, file->bytes, file->size, true, &fault, &error), error);
    assert_int_equal(fault, MIDI_VALID);
    assert_int_equal(midi.num_onsets, count);
    if (count > 0)
        assert_int_equal(midi.onsets[count - 1].tick, last_tick);
    midi_free(&midi);
}

#define TRACK(file, ...) one_track(file, (const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__})

static void test_headers(void **state)
{
    struct midi_bytes file = {.size = 0};
    (void)state;
    expect_refusal(&file, MIDI_DAMAGED, "an empty file");
    midi_bytes_put(&file, "not a MIDI file", 15);
    expect_refusal(&file, MIDI_DAMAGED, "not a MIDI file");
    midi_bytes_start(&file, 0, 1, 480);
    file.size = 13;
    expect_refusal(&file, MIDI_DAMAGED, "not a MIDI file");
    TRACK(&file, 0, 0x99, 38, 1);
    expect_onsets(&file, 2, 0);
    file.bytes[7] = 5;
    expect_refusal(&file, MIDI_DAMAGED, "header chunk is 5 bytes");
    file.bytes[4] = 0xff;
    expect_refusal(&file, MIDI_DAMAGED, "header chunk is");
    midi_bytes_start(&file, 3, 1, 480);
    expect_refusal(&file, MIDI_DAMAGED, "format 3");
    midi_bytes_start(&file, 1, 0, 480);
    expect_refusal(&file, MIDI_DAMAGED, "no tracks");
    midi_bytes_start(&file, 1, 1, 0);
    expect_refusal(&file, MIDI_DAMAGED, "division of 0");
}

static void test_unsupported_kinds(void **state)
{
    struct midi_bytes file = {.size = 0};
    (void)state;
    midi_bytes_start(&file, 2, 1, 480);
    expect_refusal(&file, MIDI_UNSUPPORTED, "format 2");
    midi_bytes_start(&file, 0, 1, 0xe728);
    expect_refusal(&file, MIDI_UNSUPPORTED, "SMPTE division (25 frames");
    file.size = 0;
    midi_bytes_put(&file, "RIFF\x10\0\0\0RMIDdata", 16);
    expect_refusal(&file, MIDI_UNSUPPORTED, "RIFF");
}

static void test_chunk_lengths(void **state)
{
    struct midi_bytes file;
    (void)state;
    TRACK(&file, 0, 0x99, 38, 1);
    file.bytes[21] = 200;
    expect_refusal(&file, MIDI_DAMAGED, "past the end of the file");
    file.bytes[18] = 0xff;
    expect_refusal(&file, MIDI_DAMAGED, "past the end of the file");
    midi_bytes_start(&file, 1, 2, 480);
    midi_bytes_start_track(&file);
    midi_bytes_end_track(&file);
    expect_refusal(&file, MIDI_DAMAGED, "after 1 of 2 tracks");
    PUT(&file, 'M', 'T', 'r');
    expect_refusal(&file, MIDI_DAMAGED, "after 1 of 2 tracks");
}

static void test_damaged_events(void **state)
{
    struct midi_bytes file;
    (void)state;
    TRACK(&file, 0x81, 0x80, 0x80, 0x80, 0x00, 0x99, 36, 1);
    expect_refusal(&file, MIDI_DAMAGED, "longer than four bytes");
    TRACK(&file, 0, 0x99, 36, 0x80);
    expect_refusal(&file, MIDI_DAMAGED, "is 0x80, where");
    TRACK(&file, 0, 0xf8);
    expect_refusal(&file, MIDI_DAMAGED, "status 0xf8");
    TRACK(&file, 0, 0xff, 0x01, 100);
    expect_refusal(&file, MIDI_DAMAGED, "past the track's end");
    TRACK(&file, 0, 0xf0, 100);
    expect_refusal(&file, MIDI_DAMAGED, "a system exclusive message's length");
    TRACK(&file, 0, 0xff, 0x51, 2, 1, 1);
    expect_refusal(&file, MIDI_DAMAGED, "not three bytes");
    TRACK(&file, 0, 0xff, 0x51, 3, 0, 0, 0);
    expect_refusal(&file, MIDI_DAMAGED, "0 microseconds");
    TRACK(&file, 0, 0xff, 0x58, 2, 4, 2);
    expect_refusal(&file, MIDI_DAMAGED, "not four bytes");
    TRACK(&file, 0, 0xff, 0x58, 4, 0, 2, 24, 8);
    expect_refusal(&file, MIDI_DAMAGED, "0/2^2");
    TRACK(&file, 0, 0xff, 0x58, 4, 4, 200, 24, 8);
    expect_refusal(&file, MIDI_DAMAGED, "4/2^200");
    midi_bytes_start(&file, 0, 1, 480);
    midi_bytes_start_track(&file);
    PUT(&file, 0, 36, 100);
    midi_bytes_end_track(&file);
    expect_refusal(&file, MIDI_DAMAGED, "track 1: byte 23 is data without a status");
}

static void test_too_long(void **state)
{
    struct midi_bytes file;
    (void)state;
    midi_bytes_start(&file, 0, 1, 480);
    midi_bytes_start_track(&file);
    for (int i = 0; i < 9; i++)
        midi_bytes_note(&file, 0x0fffffff, 9, 36, 100);
    midi_bytes_end_track(&file);
    expect_refusal(&file, MIDI_DAMAGED, "longer than 2147483647 ticks");
}

/* Each truncation of a file either loads or is refused: it never reads past what is there (the sanitizers look). */
static void test_truncations(void **state)
{
    struct midi_bytes file;
    int refused = 0;
    (void)state;
    TRACK(&file, 0, 0xff, 0x03, 4, 'k', 'i', 't', '1', 10, 0xf0, 3, 1, 2, 0xf7, 20, 0x99, 38, 100, 30, 38, 0);
    for (size_t size = 0; size < file.size; size++) {
        struct midi midi;
        struct error error;
        uint8_t *exact = malloc(size + 1);
        assert_non_null(exact);
        memcpy(exact, file.bytes, size);
        uint8_t *fitted = realloc(exact, size > 0 ? size : 1);
        assert_non_null(fitted);
        if (midi_parse(&midi, fitted, size, true, NULL, &error))
            midi_free(&midi);
        else
            refused++;
        free(fitted);
    }
    assert_int_equal(refused, file.size);
}

/* What libsmf itself gets wrong. */
static void test_sound_but_unusual(void **state)
{
    struct midi_bytes file;
    (void)state;
    TRACK(&file, 0, 0xff, 0x01, 2, 'h', 'i', 10, 38, 100); /* running status over a meta event */
    expect_onsets(&file, 2, 10);
    TRACK(&file, 5, 0xf7, 2, 0xf3, 1, 5, 0x99, 38, 100); /* an escaped event */
    expect_onsets(&file, 2, 10);
    midi_bytes_start(&file, 0, 1, 480);
    midi_bytes_start_track(&file);
    PUT(&file, 0, 0xff, 0x01, 0x82, 0x2c); /* a text of 300 bytes, some of no encoding */
    for (int i = 0; i < 300; i++)
        PUT(&file, (uint8_t)(i & 0xff));
    midi_bytes_note(&file, 7, 9, 36, 100);
    midi_bytes_end_track(&file);
    expect_onsets(&file, 1, 7);
    midi_bytes_start(&file, 0, 1, 480);
    midi_bytes_start_track(&file);
    midi_bytes_note(&file, 7, 9, 36, 100);
    midi_bytes_close_track(&file); /* no end of track */
    expect_onsets(&file, 1, 7);
    PUT(&file, 1, 2, 3, 4, 5, 6, 7, 8, 9); /* bytes after the last track */
    expect_onsets(&file, 1, 7);
}

static void test_odd_chunks(void **state)
{
    struct midi_bytes file;
    (void)state;
    midi_bytes_start(&file, 1, 2, 480);
    file.bytes[7] = 8;
    PUT(&file, 0xaa, 0xbb); /* a header of eight bytes */
    PUT(&file, 'X', 'F', 'I', 'H', 0, 0, 0, 3, 1, 2, 3);
    midi_bytes_start_track(&file);
    midi_bytes_end_track(&file);
    midi_bytes_start_track(&file);
    midi_bytes_note(&file, 11, 9, 36, 100);
    PUT(&file, 0, 0xff, 0x2f, 0, 0x99, 0x99); /* bytes after the end of track */
    midi_bytes_close_track(&file);
    expect_onsets(&file, 1, 11);
    midi_bytes_start(&file, 1, 1, 96); /* a file without any event */
    midi_bytes_start_track(&file);
    midi_bytes_close_track(&file);
    expect_onsets(&file, 0, 0);
}

/* Pauses that only events left out divided: their sum needs a delta of more than four bytes. */
static void test_long_pause(void **state)
{
    struct midi_bytes file;
    (void)state;
    midi_bytes_start(&file, 0, 1, 480);
    midi_bytes_start_track(&file);
    for (int i = 0; i < 5; i++) {
        midi_bytes_delta(&file, 0x0fffffff);
        PUT(&file, 0xb9, 7, 100);
    }
    midi_bytes_note(&file, 3, 9, 36, 100);
    midi_bytes_end_track(&file);
    expect_onsets(&file, 1, 5 * 0x0fffffffU + 3);
}

/* How a file is read that breaks the specification: so many onsets, with one repair of this kind that says `words`. */
static void expect_repair(const struct midi_bytes *file, enum midi_repair repair, const char *words, size_t num_onsets)
{
    struct midi midi;
    struct error error;
    assert_ok(midi_parse(&midi, file->bytes, file->size, false, NULL, &error), error);
    assert_int_equal(midi.repairs.num_described, 1);
    assert_int_equal(midi_repairs_total(&midi.repairs), 1);
    assert_int_equal(midi.repairs.counts[repair], 1);
    assert_contains(midi.repairs.texts[0], words);
    assert_int_equal(midi.num_onsets, num_onsets);
    midi_free(&midi);
}

static void test_one_bad_event_is_skipped(void **state)
{
    struct midi_bytes file;
    (void)state;
    TRACK(&file, 0, 0xb9, 7, 0xa8, 5, 0x99, 38, 100);
    expect_repair(&file, MIDI_EVENT_SKIPPED, "track 1: byte 29 is 0xa8", 2);
    TRACK(&file, 0, 0x99, 38, 200, 5, 38, 100);
    expect_repair(&file, MIDI_EVENT_CLIPPED, "velocity clipped to 127", 3);
    TRACK(&file, 0, 0x99, 200, 100, 5, 38, 100);
    expect_repair(&file, MIDI_EVENT_SKIPPED, "is 0xc8", 2);
    TRACK(&file, 0, 0xff, 0x51, 3, 0, 0, 0, 5, 0x99, 38, 100);
    expect_repair(&file, MIDI_EVENT_SKIPPED, "0 microseconds", 2);
    TRACK(&file, 0, 0xff, 0x51, 2, 1, 1, 5, 0x99, 38, 100);
    expect_repair(&file, MIDI_EVENT_SKIPPED, "not three bytes", 2);
    TRACK(&file, 0, 0xff, 0x58, 2, 4, 2, 5, 0x99, 38, 100);
    expect_repair(&file, MIDI_EVENT_SKIPPED, "not four bytes", 2);
    TRACK(&file, 0, 0xff, 0x58, 4, 0, 2, 24, 8, 5, 0x99, 38, 100);
    expect_repair(&file, MIDI_EVENT_SKIPPED, "0/2^2", 2);
    TRACK(&file, 0, 0xf8, 5, 0x99, 38, 100);
    expect_repair(&file, MIDI_EVENT_SKIPPED, "status 0xf8", 2);
    TRACK(&file, 0, 0xf2, 1, 2, 5, 0x99, 38, 100);
    expect_repair(&file, MIDI_EVENT_SKIPPED, "status 0xf2", 2);
}

static void test_tracks_are_read_as_far_as_they_go(void **state)
{
    struct midi_bytes file;
    (void)state;
    TRACK(&file, 0, 0x99, 38, 1, 0x81, 0x80, 0x80, 0x80, 0x00, 0x99, 36, 1);
    expect_repair(&file, MIDI_TRACK_CUT, "longer than four bytes", 2);
    TRACK(&file, 0, 0x99, 38, 1);
    file.size--; /* within the end of the track */
    struct midi midi;
    struct error error;
    assert_ok(midi_parse(&midi, file.bytes, file.size, false, NULL, &error), error);
    assert_int_equal(midi.num_onsets, 2);
    assert_int_equal(midi.repairs.counts[MIDI_CHUNK_LENGTH], 1);
    assert_int_equal(midi.repairs.counts[MIDI_TRACK_CUT], 1);
    assert_contains(midi.repairs.texts[0], "reaches 1 byte past the end");
    midi_free(&midi);
}

/* Within the last event, where the chunk's length is right, and where it is too small. */
static void test_chunk_lengths_are_mended(void **state)
{
    struct midi_bytes file;
    (void)state;
    TRACK(&file, 0, 0x99, 38, 1);
    file.bytes[21] = 0; /* no length at all */
    expect_repair(&file, MIDI_CHUNK_LENGTH, "its length ends at byte 22", 2);
    TRACK(&file, 0, 0x99, 38, 1);
    file.bytes[21] = 6;
    expect_repair(&file, MIDI_CHUNK_LENGTH, "its length ends at byte 28", 2);
    TRACK(&file, 0, 0x99, 38, 1);
    file.bytes[21] = (uint8_t)(file.bytes[21] + 4);
    expect_repair(&file, MIDI_CHUNK_LENGTH, "read up to there", 2);
    midi_bytes_start(&file, 1, 2, 480); /* into the next track */
    midi_bytes_start_track(&file);
    midi_bytes_note(&file, 0, 9, 36, 100);
    midi_bytes_end_track(&file);
    file.bytes[21] = (uint8_t)(file.bytes[21] + 5);
    midi_bytes_start_track(&file);
    midi_bytes_note(&file, 0, 9, 38, 100);
    midi_bytes_end_track(&file);
    expect_repair(&file, MIDI_CHUNK_LENGTH, "5 bytes too large", 2);
}

static void two_tracks(struct midi_bytes *file, int format, int announced)
{
    midi_bytes_start(file, format, announced, 480);
    for (int track = 0; track < 2; track++) {
        midi_bytes_start_track(file);
        midi_bytes_note(file, 0, 9, 36 + 2 * track, 100);
        midi_bytes_end_track(file);
    }
}

static void test_tracks_are_counted(void **state)
{
    struct midi_bytes file;
    struct midi midi;
    struct error error;
    (void)state;
    two_tracks(&file, 1, 3);
    expect_repair(&file, MIDI_TRACK_COUNT, "gives 3 tracks, the file has 2", 2);
    two_tracks(&file, 1, 1);
    expect_repair(&file, MIDI_TRACK_COUNT, "gives 1 track, the file has 2", 2);
    two_tracks(&file, 1, 0);
    expect_repair(&file, MIDI_TRACK_COUNT, "gives 0 tracks, the file has 2", 2);
    two_tracks(&file, 1, 2);
    PUT(&file, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    expect_repair(&file, MIDI_TRAILING_BYTES, "9 bytes from byte 46 on are outside any chunk", 2);
    two_tracks(&file, 5, 2);
    expect_repair(&file, MIDI_HEADER, "format 5", 2);
    TRACK(&file, 0, 0x99, 38, 1);
    file.bytes[9] = 2; /* one pattern is what format 0 is */
    assert_ok(midi_parse(&midi, file.bytes, file.size, false, NULL, &error), error);
    assert_int_equal(midi.num_onsets, 2);
    assert_int_equal(midi_repairs_total(&midi.repairs), 0);
    midi_free(&midi);
    two_tracks(&file, 2, 2);
    assert_fails(midi_parse(&midi, file.bytes, file.size, false, NULL, &error), error, "format 2");
}

static void test_wrapped_files(void **state)
{
    struct midi_bytes file, inner;
    (void)state;
    TRACK(&inner, 0, 0x99, 38, 1);
    file.size = 0;
    midi_bytes_put(&file, "RIFF\x40\0\0\0RMIDdata", 16);
    PUT(&file, (uint8_t)inner.size, 0, 0, 0);
    midi_bytes_put(&file, inner.bytes, inner.size);
    expect_repair(&file, MIDI_WRAPPER, "a RIFF file (RMID): the MIDI file is read from byte 20 on", 2);
    file.size = 0;
    for (int i = 0; i < 128; i++)
        PUT(&file, 0);
    midi_bytes_put(&file, inner.bytes, inner.size);
    expect_repair(&file, MIDI_WRAPPER, "does not begin with MThd: the MIDI file is read from byte 128", 2);
}

/* Every truncation is read up to where it ends, once the header is there. */
static void test_truncations_are_read(void **state)
{
    struct midi_bytes file;
    size_t most = 0;
    (void)state;
    TRACK(&file, 0, 0xff, 0x03, 4, 'k', 'i', 't', '1', 10, 0x99, 38, 100, 30, 38, 99, 20, 36, 1);
    for (size_t size = 0; size < file.size; size++) {
        struct midi midi;
        struct error error;
        uint8_t *exact = malloc(size + 1);
        assert_non_null(exact);
        memcpy(exact, file.bytes, size);
        bool ok = midi_parse(&midi, exact, size, false, NULL, &error);
        assert_true(ok == (size >= 22)); /* header and the head of the track */
        if (ok) {
            assert_true(midi.num_onsets >= most);
            most = midi.num_onsets;
            midi_free(&midi);
        }
        free(exact);
    }
    assert_int_equal(most, 4);
}

/* GS, XG and bank messages say which channels are drums. */
static void test_rhythm_parts(void **state)
{
    struct midi_bytes file;
    struct midi midi;
    struct error error;
    (void)state;
    TRACK(&file, 0, 0xf0, 10, 0x41, 0x10, 0x42, 0x12, 0x40, 0x1a, 0x15, 0x02, 0, 0xf7, /* GS: part 11 */
          0, 0xf0, 10, 0x41, 0x10, 0x42, 0x12, 0x40, 0x10, 0x15, 0x00, 0, 0xf7,        /* GS: part 10 is none */
          0, 0xf0, 8, 0x43, 0x10, 0x4c, 0x08, 0x03, 0x07, 0x02, 0xf7,                  /* XG: part 4 */
          0, 0xb5, 0, 120, 0, 0xb6, 0, 127, 0, 0xb7, 0, 3);                            /* banks of channels 6, 7, 8 */
    assert_ok(midi_parse(&midi, file.bytes, file.size, true, NULL, &error), error);
    assert_int_equal(midi.channels.rhythm, 1 << 10 | 1 << 3 | 1 << 5 | 1 << 6);
    assert_int_equal(midi.channels.melodic, 1 << 9);
    midi_free(&midi);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_unsupported_kinds),
        cmocka_unit_test(test_chunk_lengths),
        cmocka_unit_test(test_damaged_events),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_truncations),
        cmocka_unit_test(test_sound_but_unusual),
        cmocka_unit_test(test_odd_chunks),
        cmocka_unit_test(test_long_pause),
        cmocka_unit_test(test_one_bad_event_is_skipped),
        cmocka_unit_test(test_tracks_are_read_as_far_as_they_go),
        cmocka_unit_test(test_chunk_lengths_are_mended),
        cmocka_unit_test(test_tracks_are_counted),
        cmocka_unit_test(test_wrapped_files),
        cmocka_unit_test(test_truncations_are_read),
        cmocka_unit_test(test_rhythm_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
