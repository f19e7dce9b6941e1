/* Inputs of drumline-generate: their windows, what is filled or moved, maps, and refusals. */
#include "tests/programs/generate_support.h"
#include "tests/support/unit.h"

#include "base/io/files.h"
#include "data/midi/writer.h"
#include "programs/generate/input.h"
#include "tests/data/drum_maps.h"
#include "tests/support/scratch.h"

static const struct generate_input_rules rules = {.drum_map = "general"};

static void check_windows(const char *path, uint32_t bars, const uint32_t *expected, uint32_t expected_count)
{
    struct error error;
    struct generate_input input;
    uint32_t *first_bars, count;
    assert_ok(generate_input_read(&input, path, 1, bars, &rules, &error), error);
    assert_ok(generate_input_windows(&first_bars, &count, &input, bars, &error), error);
    assert_int_equal(count, expected_count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(first_bars[i], expected[i]);
    free(first_bars);
    generate_input_free(&input);
}

static void test_windows_of_an_input(void **state)
{
    struct place place;
    (void)state;
    make_place(&place, "groovae_4bar_flat");
    const char *path = place.midi[0];
    write_beats(path, 4, 0, 4, 0);
    check_windows(path, 4, (const uint32_t[]){0}, 1);
    write_beats(path, 8, 0, 8, 0);
    check_windows(path, 4, (const uint32_t[]){0, 4}, 2);
    check_windows(path, 2, (const uint32_t[]){0, 2, 4, 6}, 4);
    write_beats(path, 6, 0, 6, 0);
    check_windows(path, 4, (const uint32_t[]){0, 2}, 2);
    write_beats(path, 8, 4, 8, 0);
    check_windows(path, 4, (const uint32_t[]){4}, 1);
    /* silence at the end fills a window up, but makes no other */
    write_beats(path, 9, 0, 3, 0);
    check_windows(path, 4, (const uint32_t[]){0}, 1);
    free_place(&place);
}

static void test_bar_is_chosen(void **state)
{
    struct place place;
    struct error error;
    struct generate_input input;
    (void)state;
    make_place(&place, "groovae_4bar_flat");
    write_beats(place.midi[0], 9, 2, 4, 1);
    assert_ok(generate_input_read(&input, place.midi[0], 2, 4, &rules, &error), error);
    assert_ok(generate_input_choose(&input, 3, 4, &error), error);
    struct grid part = generate_input_part(&input, input.first_bar, 4);
    assert_int_equal(part.num_steps, 64);
    assert_int_equal(part.velocity[1], 62);
    assert_int_equal(part.velocity[16 * NUM_DRUMS + 1], 63);
    assert_fails(generate_input_choose(&input, 7, 4, &error), error, "the last window of 4 begins at bar 6");
    assert_fails(generate_input_choose(&input, 5, 4, &error), error, "--input_bar_2=5: no drums");
    generate_input_free(&input);
    free_place(&place);
}

/* Reads a file for a window of 4 bars; returns what was said. */
static char *read_input(struct generate_input *input, const char *path, const struct generate_input_rules *with)
{
    struct error error = {.message = ""};
    struct capture said = capture_start(2);
    bool ok = generate_input_read(input, path, 1, 4, with, &error);
    char *text = capture_end(&said);
    if (!ok)
        fail_msg("%s", error.message);
    return text;
}

static void check_filled(const char *path, uint32_t num_bars, uint64_t num_hits, const char *words)
{
    struct generate_input input;
    char *said = read_input(&input, path, &rules);
    if (words)
        assert_contains(said, words);
    else
        assert_string_equal(said, "");
    assert_int_equal(input.num_bars, num_bars);
    assert_int_equal(grid_count_hits(&input.grid), num_hits);
    generate_input_free(&input);
    free(said);
}

/* A file shorter than the window; one whose track ends a tick early. */
static void test_inputs_are_filled(void **state)
{
    struct place place;
    (void)state;
    make_place(&place, "groovae_4bar_flat");
    const char *path = place.midi[0];
    write_beats(path, 3, 0, 3, 0);
    check_filled(path, 4, 3, "has 3 bars: padded with silence to the window of 4");
    write_beats(path, 1, 0, 1, 0);
    check_filled(path, 4, 4, "has 1 bar: repeated");
    write_beats(path, 2, 0, 2, 0);
    check_filled(path, 4, 4, "has 2 bars: repeated");
    write_beats(path, 2, 0, 1, 0); /* silence is part of the loop, but it is no hit that says so */
    check_filled(path, 4, 1, "padded with silence");
    struct midi_onset onset = {0, 9, 36, 100};
    struct midi early = {.ppq = 480, .end_tick = 4 * 1920 - 1, .onsets = &onset, .num_onsets = 1};
    struct error error;
    assert_ok(midi_save(&early, "test", path, true, &error), error);
    check_filled(path, 4, 1, NULL);
    free_place(&place);
}

/* A crash just before the bar that would come next is the downbeat's. */
static void test_pick_up_is_kept(void **state)
{
    struct place place;
    struct error error;
    struct generate_input input;
    struct midi_onset onsets[] = {
        {0,             9, 36, 100},
        {1920,          9, 36, 100},
        {4 * 1920 - 40, 9, 49, 110}
    };
    struct midi midi = {.ppq = 480, .end_tick = 4 * 1920, .onsets = onsets, .num_onsets = 3};
    (void)state;
    make_place(&place, "groovae_4bar_flat");
    assert_ok(midi_save(&midi, "test", place.midi[0], true, &error), error);
    char *said = read_input(&input, place.midi[0], &rules);
    assert_contains(said, "just before bar 5");
    assert_int_equal(input.num_bars, 4);
    assert_int_equal(input.grid.velocity[7], 110);
    assert_true(input.grid.offset[7] > 0.6f && input.grid.offset[7] < 0.7f);
    assert_int_equal(input.grid.velocity[0], 100);
    generate_input_free(&input);
    free(said);
    free_place(&place);
}

static void test_parts_in_other_signatures(void **state)
{
    struct place place;
    struct time_signature six_eight = {6, 8}, common = {4, 4}, cut = {2, 2};
    (void)state;
    make_place(&place, "groovae_4bar_flat");
    const char *path = place.midi[0];
    write_time_signatures(path, cut, cut);
    check_filled(path, 9, 2, NULL);
    write_time_signatures(path, common, cut); /* the same bars written in another way */
    check_filled(path, 9, 2, NULL);
    write_time_signatures(path, common, six_eight);
    check_filled(path, 4, 1, "the part in 4/4 from beat 1");
    write_time_signatures(path, six_eight, common);
    check_filled(path, 5, 1, "the part in 4/4 from beat 17");
    free_place(&place);
}

/* Of a model of taps, every note is one. */
static void test_taps_of_any_pitch(void **state)
{
    struct place place;
    struct error error;
    struct generate_input input;
    struct generate_input_rules taps = {.drum_map = "general", .taps = true};
    struct midi_onset onsets[] = {
        {0,   0, 100, 90},
        {480, 0, 100, 90}
    };
    struct midi midi = {.ppq = 480, .end_tick = 4 * 1920, .onsets = onsets, .num_onsets = 2};
    (void)state;
    make_place(&place, "groovae_4bar_flat");
    assert_ok(midi_save(&midi, "test", place.midi[0], true, &error), error);
    char *said = read_input(&input, place.midi[0], &taps);
    assert_string_equal(said, "");
    assert_int_equal(input.grid.velocity[DRUM_TAP], 90);
    assert_int_equal(grid_count_hits(&input.grid), 2);
    generate_input_free(&input);
    free(said);
    assert_fails(generate_input_read(&input, place.midi[0], 1, 4, &rules, &error), error, "none of its 2 notes");
    free_place(&place);
}

/* General, or the model's own map where the file has a pitch that it alone knows. */
static void test_map_of_an_input(void **state)
{
    struct place place;
    struct error error;
    struct generate_input input;
    struct drum_map own;
    struct generate_input_rules automatic = {.drum_map = "auto", .stored = &own};
    struct midi_onset onsets[] = {
        {0,   9, 45, 90},
        {480, 9, 24, 90}
    };
    struct midi midi = {.ppq = 480, .end_tick = 4 * 1920, .onsets = onsets, .num_onsets = 1};
    (void)state;
    make_place(&place, "groovae_4bar_flat");
    assert_ok(drum_map_parse(&own, "own", "24, kick\n45, mid tom\n", &error), error);
    assert_ok(midi_save(&midi, "test", place.midi[0], true, &error), error);
    free(read_input(&input, place.midi[0], &automatic));
    assert_int_equal(input.grid.velocity[4], 90);
    generate_input_free(&input);
    midi.num_onsets = 2;
    assert_ok(midi_save(&midi, "test", place.midi[0], true, &error), error);
    free(read_input(&input, place.midi[0], &automatic));
    assert_int_equal(input.grid.velocity[5], 90);
    assert_int_equal(grid_count_hits(&input.grid), 2);
    generate_input_free(&input);
    automatic.drum_map = "general";
    char *said = read_input(&input, place.midi[0], &automatic);
    assert_contains(said, "pitch 24 (C1) is not in drum map general");
    assert_int_equal(input.grid.velocity[4], 90);
    generate_input_free(&input);
    free(said);
    free_place(&place);
}

static void check_refused(const char *path, const char *reason)
{
    struct error error;
    struct generate_input input;
    assert_fails(generate_input_read(&input, path, 1, 4, &rules, &error), error, reason);
    assert_contains(error.message, path_name(path));
}

static void test_inputs_are_refused(void **state)
{
    struct place place;
    struct error error;
    struct midi_onset cowbell = {0, 9, 1, 100};
    struct midi silent = {.ppq = 480, .end_tick = 8 * 1920, .onsets = &cowbell};
    struct time_signature six_eight = {6, 8};
    (void)state;
    make_place(&place, "groovae_4bar_flat");
    const char *path = place.midi[0];
    check_refused(path, "No such file");
    check_refused(place.folder, "is a folder");
    check_refused(place.checkpoint, "MIDI");
    write_time_signatures(path, six_eight, six_eight);
    check_refused(path, "is in 6/8");
    assert_ok(midi_save(&silent, "test", path, true, &error), error);
    check_refused(path, "has no notes");
    silent.num_onsets = 1;
    assert_ok(midi_save(&silent, "test", path, true, &error), error);
    check_refused(path, "none of its 1 notes");
    free_place(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows_of_an_input),       cmocka_unit_test(test_bar_is_chosen),
        cmocka_unit_test(test_inputs_are_filled),         cmocka_unit_test(test_pick_up_is_kept),
        cmocka_unit_test(test_parts_in_other_signatures), cmocka_unit_test(test_taps_of_any_pitch),
        cmocka_unit_test(test_map_of_an_input),           cmocka_unit_test(test_inputs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
