/* Editing MIDI files event by event: what is not changed stays, byte for byte. */
#include "tests/support/unit.h"

#include "data/midi/events.h"
#include "data/midi/reader.h"

#include <stdlib.h>
#include <string.h>

/* Format 1, 96 ticks a quarter. A track with name, marker, tempo, text and signature; one of drums with running status,
 * controllers, aftertouch, a system exclusive message, a note without end, one of no length and one of two notes at once. */
static const uint8_t file[] = {
    'M', 'T',  'h',  'd', 0,    0,    0,    6,   0,    1,    0,    2,   0,  96,                        /* */
    'M', 'T',  'r',  'k', 0,    0,    0,    42,                                                        /* */
    0,   0xff, 0x03, 4,   's',  'o',  'n',  'g', 0,    0xff, 0x58, 4,   4,  2,    24,   8,             /* 16 */
    0,   0xff, 0x51, 3,   0x07, 0xa1, 0x20, 96,  0xff, 0x06, 1,    'A', 96, 0xff, 0x51, 3, 0x06, 0, 0, /* 19 */
    0,   0xff, 0x01, 0,   0,    0xff, 0x2f, 0,                                                         /* 8 */
};

enum { FIRST_TRACK = 16 + 19 + 8, DIVISION = 96 };

static const uint8_t drums[] = {
    0,  0xb9, 4,    90,                       /* pedal */
    0,  0x99, 36,   100,                      /* kick at 0 */
    10, 36,   0,                              /* ends at 10, running status */
    14, 0xa9, 42,   64,                       /* aftertouch at 24 */
    0,  0x99, 42,   70,   0,    0x89, 42, 64, /* of no length */
    0,  0xf0, 3,    0x43, 0x10, 0xf7,         /* system exclusive */
    24, 0x99, 38,   80,   0,    38,   81,     /* two at 48 */
    10, 0x89, 38,   1,    0,    38,   2,      /* both end at 58 */
    38, 0x99, 49,   110,                      /* at 96, never ends */
    0,  0xc9, 5,                              /* program */
    4,  0xff, 0x2f, 0,                        /* */
};

/* The file above with lengths that are right; the caller's. */
static uint8_t *make_file(size_t *size)
{
    *size = 14 + 8 + FIRST_TRACK + 8 + sizeof drums;
    uint8_t *bytes = malloc(*size), *to = bytes;
    assert_non_null(bytes);
    memcpy(to, file, 14 + 8);
    to[21] = FIRST_TRACK;
    to += 14 + 8;
    memcpy(to, file + 14 + 8, FIRST_TRACK);
    to += FIRST_TRACK;
    memcpy(to, "MTrk\0\0\0", 7);
    to[7] = (uint8_t)sizeof drums;
    memcpy(to + 8, drums, sizeof drums);
    return bytes;
}

static void parse(struct midi_events *events, const uint8_t *bytes, size_t size)
{
    struct midi_repairs repairs = {{0}, 0, {{0}}};
    struct error error;
    assert_ok(midi_events_parse(events, &repairs, bytes, size, &error), error);
    assert_int_equal(midi_repairs_total(&repairs), 0);
}

static void make_events(struct midi_events *events)
{
    size_t size;
    uint8_t *bytes = make_file(&size);
    parse(events, bytes, size);
    free(bytes);
}

/* Writes the events and reads them again. */
static void write_again(struct midi_events *again, struct midi_events *events)
{
    struct error error;
    uint8_t *bytes;
    size_t size;
    assert_ok(midi_events_write(&bytes, &size, events, &error), error);
    parse(again, bytes, size);
    free(bytes);
}

static void assert_same_event(const struct midi_event *a, const struct midi_event *b)
{
    assert_int_equal(a->tick, b->tick);
    assert_int_equal(a->size, b->size);
    assert_memory_equal(a->bytes ? a->bytes : a->message, b->bytes ? b->bytes : b->message, a->size);
}

static void test_all_is_read_and_written(void **state)
{
    struct midi_events events, again;
    (void)state;
    make_events(&events);
    assert_int_equal(events.ppq, DIVISION);
    assert_int_equal(events.num_tracks, 2);
    assert_int_equal(events.tracks[0].count, 6);
    assert_int_equal(events.tracks[1].count, 13);
    assert_int_equal(events.tracks[1].end_tick, 100);
    assert_int_equal(events.num_notes, 5);
    const uint8_t pitches[] = {36, 42, 38, 38, 49};
    const uint32_t ticks[] = {0, 24, 48, 48, 96}, ends[] = {10, 24, 58, 58, 0};
    for (size_t i = 0; i < 5; i++) {
        const struct midi_note *note = &events.notes[i];
        assert_int_equal(note->pitch, pitches[i]);
        assert_int_equal(note->tick, ticks[i]);
        if (i == 4)
            assert_true(note->off == MIDI_NO_EVENT);
        else
            assert_int_equal(events.tracks[1].events[note->off].tick, ends[i]);
    }
    assert_int_equal(events.tracks[1].events[events.notes[2].off].message[2], 1); /* first in, first out */
    write_again(&again, &events);
    assert_int_equal(again.num_tracks, 2);
    for (uint32_t t = 0; t < 2; t++) {
        assert_int_equal(again.tracks[t].count, events.tracks[t].count);
        assert_int_equal(again.tracks[t].end_tick, events.tracks[t].end_tick);
        for (size_t i = 0; i < events.tracks[t].count; i++)
            assert_same_event(&again.tracks[t].events[i], &events.tracks[t].events[i]);
    }
    midi_events_free(&again);
    midi_events_free(&events);
}

/* A moved note keeps its length; one of no length gets a tick of it, or it would end before it begins. */
static void test_notes_are_moved(void **state)
{
    struct midi_events events, again;
    (void)state;
    make_events(&events);
    midi_events_move(&events, 0, 5, 30);
    midi_events_move(&events, 1, 20, 70);
    midi_events_move(&events, 4, 90, 127);
    write_again(&again, &events);
    assert_int_equal(again.num_notes, 5);
    const uint32_t ticks[] = {5, 20, 48, 48, 90};
    const uint8_t velocities[] = {30, 70, 80, 81, 127};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(again.notes[i].tick, ticks[i]);
        assert_int_equal(again.notes[i].velocity, velocities[i]);
    }
    assert_int_equal(again.tracks[1].events[again.notes[0].off].tick, 15);
    assert_int_equal(again.tracks[1].events[again.notes[1].off].tick, 21);
    assert_int_equal(again.tracks[1].count, events.tracks[1].count);
    assert_int_equal(again.tracks[1].end_tick, 100);
    midi_events_free(&again);
    midi_events_free(&events);
}

/* Two notes of one pitch that touch, and the second moves before the end of the first. */
static void test_notes_stay_apart(void **state)
{
    struct midi_events events, again;
    struct error error;
    uint32_t track;
    (void)state;
    make_events(&events);
    assert_ok(midi_events_add_track(&events, &track, "more", &error), error);
    assert_int_equal(track, 2);
    assert_ok(midi_events_add(&events, track, 9, 40, 90, 24, 24, &error), error);
    assert_ok(midi_events_add(&events, track, 9, 40, 91, 40, 24, &error), error);
    assert_ok(midi_events_add(&events, track, 9, 41, 92, 41, 24, &error), error);
    write_again(&again, &events);
    assert_int_equal(again.num_tracks, 3);
    assert_int_equal(again.num_notes, 8);
    for (size_t i = 0; i < 8; i++) {
        const struct midi_note *note = &again.notes[i];
        if (note->track == 2)
            assert_int_equal(again.tracks[2].events[note->off].tick, note->velocity == 90 ? 40 : note->tick + 24);
    }
    assert_int_equal(again.tracks[2].end_tick, 192); /* the longest track */
    midi_events_free(&again);
    midi_events_free(&events);
}

static void test_notes_are_removed(void **state)
{
    struct midi_events events, again;
    (void)state;
    make_events(&events);
    midi_events_remove(&events, 2);
    midi_events_remove(&events, 4);
    write_again(&again, &events);
    assert_int_equal(again.num_notes, 3);
    assert_int_equal(again.tracks[1].count, events.tracks[1].count - 3);
    assert_int_equal(again.notes[2].velocity, 81);
    assert_int_equal(again.tracks[1].events[again.notes[2].off].message[2], 2);
    assert_int_equal(again.tracks[1].end_tick, 100);
    midi_events_free(&again);
    midi_events_free(&events);
}

static void test_texts_are_replaced(void **state)
{
    struct midi_events events, again;
    struct error error;
    char longer[301] = "made by us: ";
    (void)state;
    make_events(&events);
    assert_null(midi_events_find_text(&events, "made by"));
    assert_ok(midi_events_set_text(&events, "made by", "made by hand", &error), error);
    memset(longer + strlen(longer), 'x', 300 - strlen(longer));
    assert_ok(midi_events_set_text(&events, "made by", longer, &error), error);
    write_again(&again, &events);
    char *found = midi_events_find_text(&again, "made by");
    assert_string_equal(found, longer);
    assert_int_equal(again.tracks[0].count, 7);
    assert_int_equal(again.tracks[0].events[0].tick, 0);
    free(found);
    midi_events_free(&again);
    midi_events_free(&events);
}

/* Damage is repaired as reading does; bytes of any kind neither crash nor give what can't be written and read again. */
static void test_damaged_files(void **state)
{
    size_t size;
    uint8_t *bytes = make_file(&size);
    uint64_t random = 1;
    (void)state;
    for (int round = 0; round < 3000; round++) {
        struct midi_repairs repairs = {{0}, 0, {{0}}};
        struct midi_events events, again;
        struct error error;
        uint8_t *broken = malloc(size), *written;
        size_t written_size;
        assert_non_null(broken);
        memcpy(broken, bytes, size);
        for (int i = 0; i < 3; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            broken[14 + (random >> 33) % (size - 14)] = (uint8_t)(random >> 24);
        }
        random = random * 6364136223846793005u + 1442695040888963407u;
        size_t length = round % 2 == 0 ? size : 14 + (size_t)(random >> 33) % (size - 14);
        if (midi_events_parse(&events, &repairs, broken, length, &error)) {
            size_t notes = events.num_notes;
            for (size_t i = 0; i < notes; i++)
                midi_events_move(&events, i, events.notes[i].tick + 1, 1);
            assert_ok(midi_events_write(&written, &written_size, &events, &error), error);
            parse(&again, written, written_size);
            assert_int_equal(again.num_notes, notes);
            free(written);
            midi_events_free(&again);
            midi_events_free(&events);
        }
        free(broken);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_is_read_and_written), cmocka_unit_test(test_notes_are_moved),
        cmocka_unit_test(test_notes_stay_apart),        cmocka_unit_test(test_notes_are_removed),
        cmocka_unit_test(test_texts_are_replaced),      cmocka_unit_test(test_damaged_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
