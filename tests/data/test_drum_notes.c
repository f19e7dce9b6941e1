/* Which notes of a file are taken for drums. */
#include "data/midi/drum_notes.h"

#include "data/midi/reader.h"
#include "tests/data/drum_maps.h"
#include "tests/data/midi_bytes.h"
#include "tests/support/unit.h"

#include <stdlib.h>

/* Begins a track of a name ("": none). */
static void start_track(struct midi_bytes *file, const char *name)
{
    midi_bytes_start_track(file);
    if (name[0] != '\0') {
        PUT(file, 0, 0xff, 0x03, (uint8_t)strlen(name));
        midi_bytes_put(file, name, strlen(name));
    }
}

/* A track of `pitches`, one a beat, on a channel from 1. */
static void add_track(struct midi_bytes *file, const char *name, int channel, const char *pitches)
{
    char *next = (char *)pitches;
    bool first = true;
    start_track(file, name);
    while (*next != '\0') {
        midi_bytes_note(file, first ? 0 : 480, channel - 1, (int)strtol(next, &next, 10), 100);
        first = false;
    }
    midi_bytes_end_track(file);
}

/* Finds the drums; expects notes of these channels (bit 0: channel 1), for this reason. */
static struct drum_finding expect(const struct midi_bytes *file, const struct drum_choice *choice, const char *path,
                                  enum drum_evidence evidence, unsigned channels, size_t num_kept)
{
    static const struct drum_choice any = {.channel = CHANNEL_AUTO};
    struct midi midi;
    struct error error;
    struct drum_finding finding;
    struct drum_map general = builtin_map("general");
    assert_ok(midi_parse(&midi, file->bytes, file->size, true, NULL, &error), error);
    size_t before = midi.num_onsets;
    drum_notes_keep(&midi, &finding, choice ? choice : &any, &general, path);
    assert_int_equal(finding.evidence, evidence);
    assert_int_equal(midi.num_onsets, num_kept);
    assert_int_equal(finding.num_skipped, before - num_kept);
    if (evidence != DRUMS_UNKNOWN)
        for (size_t i = 0; i < midi.num_onsets; i++)
            assert_true(channels >> midi.onsets[i].channel & 1);
    midi_free(&midi);
    return finding;
}

enum { TEN = 1 << 9 };

static void test_channel_10(void **state)
{
    struct midi_bytes file;
    (void)state;
    midi_bytes_start(&file, 1, 2, 480);
    add_track(&file, "Piano", 1, "48 52 55");
    add_track(&file, "", 10, "36 38");
    struct drum_finding finding = expect(&file, NULL, NULL, DRUMS_BY_CHANNEL, TEN, 2);
    assert_string_equal(finding.words, "");
}

/* A kit on two channels, one of them known by its name or by a message. */
static void test_channels_10_and_11(void **state)
{
    struct midi_bytes file;
    (void)state;
    midi_bytes_start(&file, 1, 3, 480);
    add_track(&file, "Drums", 10, "36 38");
    add_track(&file, "Percussion", 11, "60 61");
    add_track(&file, "Bass", 2, "36 38");
    struct drum_finding finding = expect(&file, NULL, NULL, DRUMS_BY_CHANNEL, TEN | 1 << 10, 4);
    assert_contains(finding.words, "channel 11 (track 'Percussion')");
    midi_bytes_start(&file, 0, 1, 480);
    start_track(&file, "");
    PUT(&file, 0, 0xf0, 10, 0x41, 0x10, 0x42, 0x12, 0x40, 0x1a, 0x15, 0x02, 0, 0xf7);
    midi_bytes_note(&file, 0, 9, 36, 100);
    midi_bytes_note(&file, 0, 10, 38, 100);
    midi_bytes_note(&file, 0, 0, 60, 100);
    midi_bytes_end_track(&file);
    expect(&file, NULL, NULL, DRUMS_BY_CHANNEL, TEN | 1 << 10, 2);
}

/* Drums moved away from channel 10, which is made melodic. */
static void test_moved_drums(void **state)
{
    struct midi_bytes file;
    (void)state;
    midi_bytes_start(&file, 0, 1, 480);
    start_track(&file, "");
    PUT(&file, 0, 0xf0, 8, 0x43, 0x10, 0x4c, 0x08, 0x09, 0x07, 0x00, 0xf7, /* XG: part 10 is melodic */
        0, 0xf0, 8, 0x43, 0x10, 0x4c, 0x08, 0x00, 0x07, 0x02, 0xf7);       /* and part 1 drums */
    midi_bytes_note(&file, 0, 9, 60, 100);
    midi_bytes_note(&file, 0, 0, 38, 100);
    midi_bytes_end_track(&file);
    struct drum_finding finding = expect(&file, NULL, NULL, DRUMS_BY_PART, 1, 1);
    assert_contains(finding.words, "drums are taken from channel 1");
}

static void test_click_on_channel_10(void **state)
{
    struct midi_bytes file;
    (void)state;
    midi_bytes_start(&file, 1, 2, 480);
    add_track(&file, "Click", 10, "37 37 37 37");
    add_track(&file, "Superior Drummer", 1, "36 38 36 38");
    struct drum_finding finding = expect(&file, NULL, NULL, DRUMS_BY_NAME, 1, 4);
    assert_true(finding.replaced);
    assert_contains(finding.words, "4 notes on channel 10 are skipped as a click");
    expect(&file, &(struct drum_choice){.channel = 10}, NULL, DRUMS_BY_CHOICE, TEN, 4);
    expect(&file, &(struct drum_choice){.channel = CHANNEL_ALL}, NULL, DRUMS_BY_CHOICE, TEN | 1, 8);
    expect(&file, &(struct drum_choice){.track = "superior"}, NULL, DRUMS_BY_CHOICE, 1, 4);
    expect(&file, &(struct drum_choice){.track = "superior", .channel = 10}, NULL, DRUMS_BY_CHOICE, 0, 0);
}

static void test_without_channel_10(void **state)
{
    struct midi_bytes file;
    (void)state;
    midi_bytes_start(&file, 1, 2, 480);
    add_track(&file, "Kick In", 3, "36 36");
    add_track(&file, "Synth", 4, "60 64");
    expect(&file, NULL, NULL, DRUMS_BY_NAME, 1 << 2, 2);
    midi_bytes_start(&file, 0, 1, 480); /* a drum machine's file */
    add_track(&file, "", 1, "36 42 38 42");
    expect(&file, NULL, NULL, DRUMS_BY_PITCHES, 1, 4);
    midi_bytes_start(&file, 0, 1, 480);
    add_track(&file, "", 1, "36 38 36 38");
    expect(&file, NULL, "beats/rock.mid", DRUMS_UNKNOWN, 0, 4);
    expect(&file, NULL, "grooves/rock.mid", DRUMS_BY_NAME, 1, 4);
    expect(&file, NULL, "grooves/bass.mid", DRUMS_UNKNOWN, 0, 4);
}

/* No piano becomes drums. */
static void test_melodic_files(void **state)
{
    struct midi_bytes file;
    (void)state;
    midi_bytes_start(&file, 0, 1, 480);
    add_track(&file, "Piano", 1, "36 42 38 42");
    expect(&file, NULL, "drums.mid", DRUMS_UNKNOWN, 0, 4);
    midi_bytes_start(&file, 0, 1, 480);
    add_track(&file, "", 1, "48 52 55 59");
    expect(&file, NULL, NULL, DRUMS_UNKNOWN, 0, 4);
    midi_bytes_start(&file, 1, 2, 480);
    add_track(&file, "", 1, "36 42 38 42");
    add_track(&file, "", 2, "60 64 67 72");
    expect(&file, NULL, NULL, DRUMS_UNKNOWN, 0, 8);
    midi_bytes_start(&file, 0, 1, 480);
    start_track(&file, "");
    PUT(&file, 0, 0xc0, 33);
    midi_bytes_note(&file, 0, 0, 36, 100);
    midi_bytes_note(&file, 0, 0, 42, 100);
    midi_bytes_note(&file, 0, 0, 38, 100);
    midi_bytes_end_track(&file);
    expect(&file, NULL, "drums.mid", DRUMS_UNKNOWN, 0, 3);
}

static void test_silence(void **state)
{
    struct midi_bytes file;
    (void)state;
    midi_bytes_start(&file, 0, 1, 480);
    add_track(&file, "", 1, "");
    expect(&file, NULL, NULL, DRUMS_BY_CHANNEL, 0, 0);
}

static void test_channels_are_parsed(void **state)
{
    int channel;
    struct error error;
    (void)state;
    assert_ok(drum_channel_parse(&channel, "AUTO", &error), error);
    assert_int_equal(channel, CHANNEL_AUTO);
    assert_ok(drum_channel_parse(&channel, "all", &error), error);
    assert_int_equal(channel, CHANNEL_ALL);
    assert_ok(drum_channel_parse(&channel, "16", &error), error);
    assert_int_equal(channel, 16);
    static const char *const wrong[] = {"", "0", "17", "-1", "1x", "ten"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_fails(drum_channel_parse(&channel, wrong[i], &error), error, "is not auto, all, or a channel");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channel_10),
        cmocka_unit_test(test_channels_10_and_11),
        cmocka_unit_test(test_moved_drums),
        cmocka_unit_test(test_click_on_channel_10),
        cmocka_unit_test(test_without_channel_10),
        cmocka_unit_test(test_melodic_files),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_channels_are_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
