/* Files of drumline-generate: names, notes, what silence and failures leave. */
#include "tests/programs/generate_support.h"
#include "tests/support/unit.h"

#include "base/io/files.h"
#include "data/midi/reader.h"
#include "programs/generate/output.h"
#include "tests/data/drum_maps.h"
#include "tests/support/scratch.h"

#include <signal.h>
#include <sys/resource.h>

/* Of two generators at once too: neither touches what the other is writing, or takes its names. */
static void test_names_of_files(void **state)
{
    struct place place;
    struct error error;
    struct generate_output output, again;
    struct atomic_file file;
    struct grid grid;
    (void)state;
    assert_true(generate_output_name_is_safe("groovae_4bar"));
    assert_true(generate_output_name_is_safe("my-model.2"));
    assert_false(generate_output_name_is_safe(""));
    assert_false(generate_output_name_is_safe("../up"));
    assert_false(generate_output_name_is_safe(".hidden"));
    assert_false(generate_output_name_is_safe("a b"));
    make_place(&place, "groovae_4bar_flat");
    make_bars(&grid, 1, 120);
    assert_ok(generate_output_start(&output, place.output, "c", "sample", 5, MAP("general"), &error), error);
    assert_ok(generate_output_stage(&file, &output, 0, &grid, &error), error);
    assert_ok(generate_output_start(&again, place.output, "c", "sample", 5, MAP("general"), &error), error);
    again.second = output.second; /* both chose the same names before either wrote */
    assert_ok(atomic_file_flush_all(&file, 1, &error), error);
    assert_ok(generate_output_name(&output, &file, 1, &error), error);
    assert_ok(generate_output_write(&again, &grid, &error), error);
    assert_string_not_equal(output.first_name, again.first_name);
    assert_int_equal(scratch_count(place.output), 2);
    unsigned year, month, day, time, number, count;
    assert_int_equal(sscanf(output.first_name, "c_sample_%4u-%2u-%2u_%6u-%3u-of-%3u.mid", &year, &month, &day, &time,
                            &number, &count),
                     6);
    assert_int_equal(number, 0);
    assert_int_equal(count, 5);
    grid_free(&grid);
    free_place(&place);
}

/* Files are loops of exactly their bars, on the channel and with the pitches that are asked for; early hits of the first step
 * are put on the beat, or at the loop's end. */
static void test_outputs_are_loops(void **state)
{
    struct place place;
    struct error error;
    struct generate_output output;
    struct grid grid;
    struct midi midi;
    (void)state;
    make_place(&place, "groovae_4bar");
    make_bars(&grid, 2, 120);
    size_t last = ((size_t)grid.num_steps - 1) * NUM_DRUMS;
    grid.hits[0] = grid.hits[last + 4] = 1;
    grid.velocity[0] = grid.velocity[last + 4] = 100;
    grid.offset[0] = 0.5f;
    grid.offset[last + 4] = -0.9f;
    for (int wrap = 0; wrap < 2; wrap++) {
        char *folder = path_join(place.folder, wrap ? "wrapped" : "plain");
        assert_ok(generate_output_start(&output, folder, "c", "sample", 1, MAP("roland"), &error), error);
        output.channel = 2;
        output.wrap_pick_up = wrap;
        assert_ok(generate_output_write(&output, &grid, &error), error);
        char *path = generate_output_path(&output, 0);
        assert_ok(midi_load(&midi, path, true, NULL, &error), error);
        assert_int_equal(midi.end_tick, 2 * 1920);
        assert_int_equal(midi.num_onsets, 2);
        assert_int_equal(midi.num_tempos, 1);
        assert_int_equal(midi.num_time_signatures, 1);
        assert_string_equal(midi.tracks[0].name, "c sample");
        const struct midi_onset *kick = &midi.onsets[midi.onsets[0].pitch == 36 ? 0 : 1];
        const struct midi_onset *tom = &midi.onsets[midi.onsets[0].pitch == 36 ? 1 : 0];
        assert_int_equal(kick->tick, wrap ? 2 * 1920 - 30 : 0);
        assert_int_equal(kick->channel, 2);
        assert_int_equal(tom->pitch, 43); /* Roland's low tom */
        assert_int_equal(tom->tick, 2 * 1920 - 120 + 54);
        midi_free(&midi);
        free(path);
        free(folder);
    }
    grid_free(&grid);
    free_place(&place);
}

static void test_silent_outputs_are_counted(void **state)
{
    struct place place;
    struct error error;
    bool wrong_usage;
    (void)state;
    make_place(&place, "groovae_4bar");
    /* At this temperature a logit below 0 never draws a hit. */
    struct generate_options options = {.num_outputs = 40,
                                       .seed = 1,
                                       .checkpoint_file = place.checkpoint,
                                       .output_dir = place.output,
                                       .temperature = 0.001,
                                       .threads = 2};
    struct capture capture = capture_start(2);
    bool ok = generate(&options, &wrong_usage, &error);
    char *said = capture_end(&capture);
    assert_true(ok);
    size_t silent = 0;
    static const char *const suffixes[] = {".mid", NULL};
    struct file_list list;
    assert_ok(file_list_make(&list, place.output, false, suffixes, &error), error);
    for (size_t i = 0; i < list.count; i++) {
        struct midi midi;
        char *path = path_join(place.output, list.paths[i]);
        assert_ok(midi_load(&midi, path, true, NULL, &error), error);
        silent += midi.num_onsets == 0;
        midi_free(&midi);
        free(path);
    }
    char *words = format_text("%zu of 40 outputs are silent", silent);
    if (silent > 0)
        assert_contains(said, words);
    else
        assert_null(strstr(said, "silent"));
    free(words);
    free(said);
    file_list_free(&list);
    free_place(&place);
}

/* Somebody takes a name in the middle of the set: what comes before it is written, nothing after it, and nothing else is left. */
static void test_failure_leaves_the_beginning(void **state)
{
    enum { COUNT = 400, TAKEN = 250 };
    struct place place;
    struct error error;
    struct generate_output output;
    struct atomic_file files[COUNT];
    struct grid grid;
    (void)state;
    make_place(&place, "groovae_4bar");
    make_bars(&grid, 1, 120);
    assert_ok(generate_output_start(&output, place.output, "c", "sample", COUNT, MAP("general"), &error), error);
    for (int i = 0; i < COUNT; i++)
        assert_ok(generate_output_stage(&files[i], &output, i, &grid, &error), error);
    assert_ok(atomic_file_flush_all(files, COUNT, &error), error);
    char *taken = generate_output_path(&output, TAKEN);
    assert_ok(file_write(taken, taken, "taken", 5, &error), error);
    assert_fails(generate_output_name(&output, files, COUNT, &error), error, "after 250 of 400 files");
    assert_contains(error.message, "-250-of-400.mid");
    assert_int_equal(output.written, TAKEN);
    assert_int_equal(scratch_count(place.output), TAKEN + 1);
    grid_free(&grid);
    free(taken);
    free_place(&place);
}

static void test_full_disk_leaves_nothing(void **state)
{
    struct place place;
    struct error error;
    bool wrong_usage;
    struct rlimit before, tiny;
    (void)state;
    make_place(&place, "groovae_4bar");
    struct generate_options blocked = {.num_outputs = 1, .output_dir = place.checkpoint};
    assert_fails(try_to_play(&place, blocked, &wrong_usage, &error), error, "checkpoint.h5");
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tiny = before;
    tiny.rlim_cur = 100;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
    bool ok = try_to_play(&place, (struct generate_options){.num_outputs = 4, .threads = 3}, &wrong_usage, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_false(ok);
    assert_contains(error.message, "-000-of-004.mid");
    assert_int_equal(scratch_count(place.output), 0);
    free_place(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_files),
        cmocka_unit_test(test_outputs_are_loops),
        cmocka_unit_test(test_silent_outputs_are_counted),
        cmocka_unit_test(test_failure_leaves_the_beginning),
        cmocka_unit_test(test_full_disk_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
