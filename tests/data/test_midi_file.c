#include "base/clock.h"
#include "data/midi/reader.h"
#include "data/midi/writer.h"
#include "tests/data/midi_bytes.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <math.h>
#include <stdlib.h>

static void parse(struct midi *midi, const struct midi_bytes *file)
{
    struct error error;
    assert_ok(midi_parse(midi, file->bytes, file->size, false, NULL, &error), error);
}

static void test_reads_what_is_there(void **state)
{
    struct midi_bytes file;
    struct midi midi;
    (void)state;
    midi_bytes_start(&file, 1, 2, 96);
    midi_bytes_start_track(&file);
    midi_bytes_tempo(&file, 0, 600000);
    midi_bytes_time_signature(&file, 0, 6, 3);
    midi_bytes_tempo(&file, 1000, 400000);
    midi_bytes_end_track(&file);
    midi_bytes_start_track(&file);
    midi_bytes_note(&file, 10, 9, 36, 127);
    midi_bytes_note(&file, 0, 9, 36, 0);
    midi_bytes_note(&file, 5, 9, 38, 1);
    PUT(&file, 0x86, 0x00, 0x89, 38, 64);
    midi_bytes_end_track(&file);
    parse(&midi, &file);
    assert_int_equal(midi.ppq, 96);
    assert_int_equal(midi.end_tick, 1000);
    assert_int_equal(midi.num_onsets, 2);
    assert_int_equal(midi.onsets[0].tick, 10);
    assert_int_equal(midi.onsets[0].velocity, 127);
    assert_int_equal(midi.onsets[1].tick, 15);
    assert_int_equal(midi.onsets[1].pitch, 38);
    assert_int_equal(midi.num_tempos, 2);
    assert_int_equal(midi.tempos[1].tick, 1000);
    assert_int_equal(midi.tempos[1].microseconds_per_quarter, 400000);
    assert_int_equal(midi.num_time_signatures, 1);
    assert_int_equal(midi.time_signatures[0].numerator, 6);
    assert_int_equal(midi.time_signatures[0].denominator, 8);
    midi_free(&midi);
}

static void test_merges_tracks_by_tick(void **state)
{
    struct midi_bytes file;
    struct midi midi;
    (void)state;
    midi_bytes_start(&file, 1, 2, 480);
    for (int track = 0; track < 2; track++) {
        midi_bytes_start_track(&file);
        midi_bytes_note(&file, (uint32_t)track * 5, 9, 40 + track, 100);
        midi_bytes_note(&file, 20 - (uint32_t)track * 5, 9, 50 + track, 100);
        midi_bytes_end_track(&file);
    }
    parse(&midi, &file);
    static const uint8_t pitches[] = {40, 41, 50, 51};
    assert_int_equal(midi.num_onsets, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(midi.onsets[i].pitch, pitches[i]);
    midi_free(&midi);
}

/* All notes are read, with their channel and track; which are drums, others decide. */
static void test_tracks_and_channels(void **state)
{
    struct midi_bytes file;
    struct midi midi;
    (void)state;
    midi_bytes_start(&file, 1, 3, 480);
    midi_bytes_start_track(&file);
    PUT(&file, 0, 0xff, 0x03, 5, 'e', 'm', 'p', 't', 'y');
    midi_bytes_end_track(&file);
    midi_bytes_start_track(&file);
    PUT(&file, 0, 0xff, 0x03, 6, 'P', 'i', 'a', 'n', 0xf6, '!', 0, 0xc3, 7, 0, 0xc3, 9);
    midi_bytes_note(&file, 0, 3, 60, 100);
    midi_bytes_end_track(&file);
    midi_bytes_start_track(&file);
    midi_bytes_note(&file, 10, 9, 42, 100);
    midi_bytes_end_track(&file);
    parse(&midi, &file);
    assert_int_equal(midi.num_onsets, 2);
    assert_int_equal(midi.num_tracks, 2);
    assert_string_equal(midi.tracks[0].name, "Pian?!");
    assert_string_equal(midi.tracks[1].name, "");
    assert_int_equal(midi.onset_tracks[0], 0);
    assert_int_equal(midi.onset_tracks[1], 1);
    assert_int_equal(midi.onsets[0].channel, 3);
    assert_int_equal(midi.channels.programs[3], 7);
    assert_int_equal(midi.channels.programs[9], NO_PROGRAM);
    assert_int_equal(midi_repairs_total(&midi.repairs), 0);
    midi_free(&midi);
}

/* Two notes of one pitch a tick apart, two at one tick, a note past end_tick, a tempo and meter change. */
static struct midi_onset written_onsets[] = {
    {0,    9, 36, 100},
    {0,    9, 42, 1  },
    {119,  9, 38, 60 },
    {120,  9, 38, 127},
    {1900, 9, 36, 64 },
};
static struct midi_tempo written_tempos[] = {
    {0,   499999  },
    {960, 16777215},
};
static struct midi_time_signature written_signatures[] = {
    {0,    4, 4  },
    {1920, 7, 128},
};

static struct midi written(void)
{
    return (struct midi){.ppq = 480,
                         .end_tick = 1920,
                         .onsets = written_onsets,
                         .num_onsets = 5,
                         .tempos = written_tempos,
                         .num_tempos = 2,
                         .time_signatures = written_signatures,
                         .num_time_signatures = 2};
}

static void test_writes_what_it_reads(void **state)
{
    struct midi midi = written(), read;
    struct error error;
    char *folder = scratch_make(), *path = path_join(folder, "a.mid"), *again = path_join(folder, "b.mid");
    (void)state;
    assert_ok(midi_save(&midi, "test", path, false, &error), error);
    assert_fails(midi_save(&midi, "test", path, false, &error), error, "a.mid");
    assert_ok(midi_load(&read, path, false, NULL, &error), error);
    assert_int_equal(read.ppq, 480);
    assert_int_equal(read.end_tick, 1920); /* the last note is cut there: a loop of one bar */
    assert_int_equal(read.num_onsets, 5);
    assert_int_equal(read.num_tempos, 2);
    assert_int_equal(read.num_time_signatures, 2);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(read.onsets[i].tick, written_onsets[i].tick);
        assert_int_equal(read.onsets[i].pitch, written_onsets[i].pitch);
        assert_int_equal(read.onsets[i].velocity, written_onsets[i].velocity);
    }
    assert_int_equal(read.tempos[1].microseconds_per_quarter, 16777215);
    assert_int_equal(read.time_signatures[1].denominator, 128);
    assert_ok(midi_save(&midi, "test", again, true, &error), error);
    uint8_t *first, *second;
    size_t first_size, second_size;
    assert_ok(file_read(&first, &first_size, path, 4096, &error), error);
    assert_ok(file_read(&second, &second_size, again, 4096, &error), error);
    assert_int_equal(first_size, second_size);
    assert_memory_equal(first, second, first_size);
    assert_int_equal(scratch_count(folder), 2);
    free(first);
    free(second);
    midi_free(&read);
    free(again);
    free(path);
    scratch_remove(folder);
}

static void test_refuses_to_write_nonsense(void **state)
{
    struct midi midi = written();
    struct error error;
    char *folder = scratch_make(), *path = path_join(folder, "a.mid"), *nowhere = path_join(folder, "none/a.mid");
    struct midi_onset unsorted[] = {
        {10, 9, 36, 100},
        {9,  9, 36, 100},
    };
    (void)state;
    assert_fails(midi_save(&midi, "test", nowhere, false, &error), error, "none/a.mid");
    midi.onsets = unsorted;
    midi.num_onsets = 2;
    assert_fails(midi_save(&midi, "test", path, false, &error), error, "a.mid");
    unsorted[1] = (struct midi_onset){11, 9, 36, 0};
    assert_fails(midi_save(&midi, "test", path, false, &error), error, "a.mid");
    unsorted[1] = (struct midi_onset){11, 9, 36, 128};
    assert_fails(midi_save(&midi, "test", path, false, &error), error, "a.mid");
    unsorted[1] = (struct midi_onset){(1 << 28) + 5000, 9, 36, 100}; /* further than an event can say */
    assert_fails(midi_save(&midi, "test", path, false, &error), error, "a.mid");
    assert_int_equal(scratch_count(folder), 0);
    free(nowhere);
    free(path);
    scratch_remove(folder);
}

static void test_load_names_the_file(void **state)
{
    struct midi midi;
    struct error error;
    enum midi_fault fault = MIDI_VALID;
    char *folder = scratch_make(), *path = path_join(folder, "broken.mid");
    struct midi_bytes file = {.size = 0};
    (void)state;
    assert_fails(midi_load(&midi, path, false, &fault, &error), error, "broken.mid");
    assert_int_equal(fault, MIDI_UNREADABLE);
    midi_bytes_put(&file, "broken", 6);
    assert_true(midi_bytes_save(&file, path));
    assert_fails(midi_load(&midi, path, false, &fault, &error), error, "broken.mid: not a MIDI file");
    assert_int_equal(fault, MIDI_DAMAGED);
    assert_int_equal(truncate(path, MIDI_MAX_BYTES + 1), 0);
    assert_fails(midi_load(&midi, path, false, &fault, &error), error, "broken.mid");
    assert_int_equal(fault, MIDI_UNREADABLE);
    free(path);
    scratch_remove(folder);
}

static void test_tempo(void **state)
{
    (void)state;
    assert_true(midi_qpm(500000) > 119.9999 && midi_qpm(500000) < 120.0001);
    assert_int_equal(midi_tempo_of_qpm(120), 500000);
    assert_int_equal(midi_tempo_of_qpm(1e-9), MIDI_LONGEST_TEMPO);
    assert_int_equal(midi_tempo_of_qpm(1e12), 1);
    assert_int_equal(midi_tempo_of_qpm(NAN), MIDI_DEFAULT_TEMPO);
}

/* libsmf's own way to free a file takes a minute for one of this size. */
static void test_large_file(void **state)
{
    enum { COUNT = 200000, EVENT = 4, LENGTH = COUNT * EVENT };
    struct midi_bytes head;
    struct midi midi;
    struct error error;
    uint8_t *bytes = malloc(22 + LENGTH);
    (void)state;
    assert_non_null(bytes);
    midi_bytes_start(&head, 0, 1, 480);
    PUT(&head, 'M', 'T', 'r', 'k', 0, LENGTH >> 16 & 0xff, LENGTH >> 8 & 0xff, LENGTH & 0xff);
    memcpy(bytes, head.bytes, head.size);
    for (size_t i = 0; i < COUNT; i++)
        memcpy(bytes + head.size + EVENT * i, "\x0a\x99\x24\x64", EVENT);
    double started = clock_seconds();
    assert_ok(midi_parse(&midi, bytes, head.size + LENGTH, false, NULL, &error), error);
    assert_true(clock_seconds() - started < 20);
    assert_int_equal(midi.num_onsets, COUNT);
    assert_int_equal(midi.onsets[COUNT - 1].tick, 10 * COUNT);
    midi_free(&midi);
    free(bytes);
}

/* Notes of one pitch so close that each ends where the next begins, two of them at the same tick; and as many notes as no
 * performance has, in time that grows no faster than they do. */
static void test_writes_a_large_file(void **state)
{
    enum { COUNT = 400000 };
    struct midi_onset *onsets = calloc(COUNT, sizeof *onsets);
    struct midi midi = {.ppq = 480, .onsets = onsets, .num_onsets = COUNT}, read;
    struct error error;
    char *folder = scratch_make(), *path = path_join(folder, "large.mid");
    (void)state;
    assert_non_null(onsets);
    for (uint32_t i = 0; i < COUNT; i++)
        onsets[i] = (struct midi_onset){i < COUNT / 2 ? i / 2 * 7 : COUNT / 4 * 7, 9, (uint8_t)(36 + i % 2), 100};
    double started = clock_seconds();
    assert_ok(midi_save(&midi, "test", path, false, &error), error);
    assert_true(clock_seconds() - started < 20);
    assert_ok(midi_load(&read, path, false, NULL, &error), error);
    assert_int_equal(read.num_onsets, COUNT);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(read.onsets[i].tick, onsets[i].tick);
    assert_int_equal(read.end_tick, COUNT / 4 * 7 + 120);
    midi_free(&read);
    free(onsets);
    free(path);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_what_is_there),
        cmocka_unit_test(test_merges_tracks_by_tick),
        cmocka_unit_test(test_tracks_and_channels),
        cmocka_unit_test(test_writes_what_it_reads),
        cmocka_unit_test(test_refuses_to_write_nonsense),
        cmocka_unit_test(test_load_names_the_file),
        cmocka_unit_test(test_tempo),
        cmocka_unit_test(test_large_file),
        cmocka_unit_test(test_writes_a_large_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
