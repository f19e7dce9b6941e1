/* What is written is read back as the same grid: with every built-in map, and for a thousand made-up performances. */
#include "data/music/grid.h"

#include "base/io/atomic_file.h"
#include "base/io/files.h"
#include "base/random.h"
#include "base/text.h"
#include "data/midi/drum_notes.h"
#include "data/midi/reader.h"
#include "data/midi/writer.h"
#include "tests/data/drum_maps.h"
#include "tests/data/midi_bytes.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <math.h>
#include <stdlib.h>

static const struct time_signature four_four = {4, 4};

static void make_performance(struct grid *grid, uint32_t number)
{
    struct error error;
    struct random_stream stream;
    random_stream_start(&stream, 11, RANDOM_DRUMMER, number, 0);
    uint32_t bars = 1 + random_below(&stream, 4), density = 2 + random_below(&stream, 12);
    assert_ok(grid_make(grid, bars * GRID_BAR_STEPS, &error), error);
    grid->qpm = (float)(60 + random_below(&stream, 140));
    grid->time_signature = four_four;
    for (size_t i = 0; i < (size_t)grid->num_steps * NUM_DRUMS; i++) {
        /* A hit in the last bar, so that the length shows; none early in the first step, where it would be put on the beat. */
        bool wanted = i == (size_t)grid->num_steps * NUM_DRUMS - 1 || random_below(&stream, density) == 0;
        if (!wanted)
            continue;
        grid->hits[i] = 1;
        grid->velocity[i] = (uint8_t)(1 + random_below(&stream, 127));
        grid->offset[i] = i < NUM_DRUMS ? -random_uniform(&stream) : 2 * random_uniform(&stream) - 1;
    }
}

/* The same hits and velocities; offsets to half a tick of 60 half a step, and never quite half a step late. */
static void compare(const struct grid *found, const struct grid *written)
{
    assert_int_equal(found->num_steps, written->num_steps);
    assert_memory_equal(found->hits, written->hits, (size_t)written->num_steps * NUM_DRUMS);
    assert_memory_equal(found->velocity, written->velocity, (size_t)written->num_steps * NUM_DRUMS);
    for (size_t i = 0; i < (size_t)written->num_steps * NUM_DRUMS; i++) {
        float expected = fmaxf(written->offset[i], -59.0f / 60);
        if (!(fabsf(found->offset[i] - (written->hits[i] ? expected : 0)) <= 0.5001f / 60))
            fail_msg("offset %g, not %g", (double)found->offset[i], (double)expected);
    }
}

/* Writes and reads it, without waiting for the disk; the file is a loop of exactly its bars. */
static void check_performance(const struct grid *grid, const struct drum_map *map, const char *path)
{
    static const struct drum_choice any = {.channel = CHANNEL_AUTO};
    struct midi midi, read;
    struct atomic_file file;
    struct grid_list list;
    struct drum_finding finding;
    struct error error;
    assert_ok(grid_to_midi(&midi, grid, map, &error), error);
    assert_ok(midi_stage(&file, &midi, "test", NULL, path, &error), error);
    assert_ok(midi_load(&read, file.temporary_path, true, NULL, &error), error);
    atomic_file_abandon(&file);
    assert_int_equal(read.end_tick, grid->num_steps * (MIDI_WRITTEN_PPQ / STEPS_PER_QUARTER));
    drum_notes_keep(&read, &finding, &any, map, NULL);
    assert_int_equal(finding.evidence, DRUMS_BY_CHANNEL);
    assert_int_equal(finding.num_skipped, 0);
    assert_ok(grid_list_make(&list, &read, map, four_four, &error), error);
    assert_int_equal(list.count, 1);
    compare(&list.parts[0].grid, grid);
    assert_true(fabsf(list.parts[0].grid.qpm - grid->qpm) < 0.01f);
    grid_list_free(&list);
    midi_free(&read);
    midi_free(&midi);
}

static void test_a_thousand_performances(void **state)
{
    char *folder = scratch_make(), *path = path_join(folder, "a.mid");
    struct drum_map general = builtin_map("general");
    (void)state;
    for (uint32_t number = 0; number < 1000; number++) {
        struct grid grid;
        make_performance(&grid, number);
        check_performance(&grid, &general, path);
        grid_free(&grid);
    }
    free(path);
    scratch_remove(folder);
}

static void test_every_map_reads_what_it_writes(void **state)
{
    size_t count;
    const struct drum_map_entry *entries = drum_map_entries(&count);
    char *folder = scratch_make(), *path = path_join(folder, "a.mid");
    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct drum_map map = builtin_map(entries[i].name);
        for (uint32_t number = 0; number < 10; number++) {
            struct grid grid;
            make_performance(&grid, number);
            check_performance(&grid, &map, path);
            grid_free(&grid);
        }
    }
    free(path);
    scratch_remove(folder);
}

/* A file with every pitch, a sixteenth each: of each map, the pitches that its table lists are hits of their class, the
 * others are none. */
static void test_every_pitch_of_every_map(void **state)
{
    size_t count;
    const struct drum_map_entry *entries = drum_map_entries(&count);
    struct midi_bytes file;
    struct midi midi;
    struct error error;
    (void)state;
    midi_bytes_start(&file, 0, 1, 480);
    midi_bytes_start_track(&file);
    for (int pitch = 0; pitch < NUM_PITCHES; pitch++)
        midi_bytes_note(&file, pitch > 0 ? 120 : 0, 9, pitch, 100);
    midi_bytes_end_track(&file);
    assert_ok(midi_parse(&midi, file.bytes, file.size, true, NULL, &error), error);
    for (size_t i = 0; i < count; i++) {
        struct drum_map map = builtin_map(entries[i].name);
        struct grid_list list;
        uint64_t hits = 0;
        assert_ok(grid_list_make(&list, &midi, &map, four_four, &error), error);
        const struct grid *grid = &list.parts[0].grid;
        for (size_t cell = 0; cell < (size_t)grid->num_steps * NUM_DRUMS; cell++)
            if (grid->hits[cell]) {
                hits++;
                assert_int_equal(map.classes[cell / NUM_DRUMS], cell % NUM_DRUMS);
            }
        assert_int_equal(hits + list.num_unknown, NUM_PITCHES);
        grid_list_free(&list);
    }
    midi_free(&midi);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_thousand_performances),
        cmocka_unit_test(test_every_map_reads_what_it_writes),
        cmocka_unit_test(test_every_pitch_of_every_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
