/* Playing from a checkpoint, without the program around it: inputs and their refusals, names of outputs, and that what is
 * played follows from the seed alone. */
#include "tests/support/unit.h"

#include "base/io/files.h"
#include "base/log.h"
#include "data/midi/reader.h"
#include "data/midi/writer.h"
#include "model/checkpoint.h"
#include "programs/generate/generate.h"
#include "programs/generate/input.h"
#include "programs/generate/output.h"
#include "tests/data/drum_maps.h"
#include "tests/model/untrained_checkpoint.h"
#include "tests/support/scratch.h"

#include <signal.h>
#include <sys/resource.h>

static const struct generate_input_rules rules = {.drum_map = "general"};
static const char small[] = "enc_rnn_size=[8],dec_rnn_size=[8,8],z_size=4";

struct place {
    char *folder, *checkpoint, *output, *midi[2];
};

static void make_place(struct place *place, const char *config)
{
    struct error error;
    place->folder = scratch_make();
    place->checkpoint = path_join(place->folder, "checkpoint.h5");
    place->output = path_join(place->folder, "new/grooves");
    place->midi[0] = path_join(place->folder, "one.mid");
    place->midi[1] = path_join(place->folder, "two.mid");
    assert_ok(untrained_checkpoint(place->checkpoint, config, small, 7, &error), error);
}

static void free_place(struct place *place)
{
    scratch_remove(place->folder);
    free(place->checkpoint);
    free(place->output);
    free(place->midi[0]);
    free(place->midi[1]);
}

static void write_grid(const char *path, struct grid *grid)
{
    struct error error;
    struct midi midi;
    assert_ok(grid_to_midi(&midi, grid, MAP("general"), &error), error);
    assert_ok(midi_save(&midi, "test", path, true, &error), error);
    midi_free(&midi);
}

/* Bars of 4/4 without a hit. */
static void make_bars(struct grid *grid, uint32_t bars, float qpm)
{
    struct error error;
    assert_ok(grid_make(grid, bars * GRID_BAR_STEPS, &error), error);
    grid->qpm = qpm;
    grid->time_signature = (struct time_signature){4, 4};
}

/* A file of `bars` bars of 4/4 at 90 a minute in which `drum` is hit on the first beat of bars [from, to). */
static void write_beats(const char *path, uint32_t bars, uint32_t from, uint32_t to, int drum)
{
    struct grid grid;
    make_bars(&grid, bars, 90);
    for (uint32_t bar = from; bar < to; bar++) {
        size_t cell = (size_t)bar * GRID_BAR_STEPS * NUM_DRUMS + (size_t)drum;
        grid.hits[cell] = 1;
        grid.velocity[cell] = (uint8_t)(60 + bar);
    }
    write_grid(path, &grid);
    grid_free(&grid);
}

static void write_time_signatures(const char *path, struct time_signature first, struct time_signature second)
{
    struct error error;
    struct midi_onset onsets[] = {
        {0,        9, 36, 100},
        {8 * 1920, 9, 38, 100}
    };
    struct midi_time_signature signatures[] = {
        {0,        first.numerator,  first.denominator },
        {4 * 1920, second.numerator, second.denominator}
    };
    struct midi midi = {.ppq = 480,
                        .end_tick = 9 * 1920,
                        .onsets = onsets,
                        .num_onsets = 2,
                        .time_signatures = signatures,
                        .num_time_signatures = 2};
    assert_ok(midi_save(&midi, "test", path, true, &error), error);
}

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

/* Generates; fails the test where that fails. Returns the name of the first file, up to its number. */
static void play(const struct place *place, struct generate_options options)
{
    struct error error;
    bool wrong_usage;
    if (!options.checkpoint_file && !options.run_dir)
        options.checkpoint_file = place->checkpoint;
    if (!options.output_dir)
        options.output_dir = place->output;
    options.temperature = options.temperature > 0 ? options.temperature : 1;
    options.threads = options.threads > 0 ? options.threads : 1;
    assert_ok(generate_check(&options, &error), error);
    assert_ok(generate(&options, &wrong_usage, &error), error);
}

static bool try_to_play(const struct place *place, struct generate_options options, bool *wrong_usage,
                        struct error *error)
{
    *wrong_usage = true;
    options.checkpoint_file = place->checkpoint;
    options.output_dir = options.output_dir ? options.output_dir : place->output;
    options.temperature = 1;
    options.threads = options.threads > 0 ? options.threads : 1;
    return generate_check(&options, error) && generate(&options, wrong_usage, error);
}

/* The grid of file `number` in a folder that holds one set of files. */
static struct grid read_output(const char *folder, size_t number)
{
    static const char *const suffixes[] = {".mid", NULL};
    struct error error;
    struct file_list list;
    struct midi midi;
    struct grid_list grids;
    assert_ok(file_list_make(&list, folder, false, suffixes, &error), error);
    assert_true(number < list.count);
    char *path = path_join(folder, list.paths[number]);
    assert_ok(midi_load(&midi, path, false, NULL, &error), error);
    assert_ok(grid_list_make(&grids, &midi, MAP("general"), (struct time_signature){4, 4}, &error), error);
    assert_int_equal(grids.count, 1);
    struct grid grid = grids.parts[0].grid;
    grids.parts[0].grid = (struct grid){0};
    grid_list_free(&grids);
    midi_free(&midi);
    free(path);
    file_list_free(&list);
    return grid;
}

static bool same_grid(const char *folder, size_t number, const char *other_folder, size_t other_number)
{
    struct grid a = read_output(folder, number), b = read_output(other_folder, other_number);
    size_t cells = (size_t)a.num_steps * NUM_DRUMS;
    assert_true(grid_count_hits(&a) > 0);
    bool same = a.num_steps == b.num_steps && memcmp(a.hits, b.hits, cells) == 0 &&
                memcmp(a.velocity, b.velocity, cells) == 0 && memcmp(a.offset, b.offset, cells * sizeof *a.offset) == 0;
    grid_free(&a);
    grid_free(&b);
    return same;
}

/* Whether both folders hold `count` files of the same bytes, whatever their names. */
static void assert_same_files(const char *folder, const char *other_folder, size_t count)
{
    static const char *const suffixes[] = {".mid", NULL};
    struct error error;
    struct file_list list, other_list;
    assert_ok(file_list_make(&list, folder, false, suffixes, &error), error);
    assert_ok(file_list_make(&other_list, other_folder, false, suffixes, &error), error);
    assert_int_equal(scratch_count(folder), count);
    assert_int_equal(scratch_count(other_folder), count);
    for (size_t i = 0; i < count; i++) {
        uint8_t *bytes[2];
        size_t sizes[2];
        char *paths[2] = {path_join(folder, list.paths[i]), path_join(other_folder, other_list.paths[i])};
        for (int k = 0; k < 2; k++) {
            assert_ok(file_read(&bytes[k], &sizes[k], paths[k], 1 << 20, &error), error);
            free(paths[k]);
        }
        assert_int_equal(sizes[0], sizes[1]);
        assert_memory_equal(bytes[0], bytes[1], sizes[0]);
        free(bytes[0]);
        free(bytes[1]);
    }
    file_list_free(&list);
    file_list_free(&other_list);
}

static void test_samples_follow_from_the_seed(void **state)
{
    enum { MANY = 67 };
    static const char *const configs[] = {"groovae_4bar", "groovae_4bar_flat"};
    (void)state;
    for (int c = 0; c < 2; c++) {
        struct place place;
        make_place(&place, configs[c]);
        char *few = path_join(place.folder, "few"), *many = path_join(place.folder, "many"),
             *other = path_join(place.folder, "other");
        play(&place, (struct generate_options){.num_outputs = 3, .seed = 5, .output_dir = few});
        play(&place, (struct generate_options){.num_outputs = MANY, .seed = 5, .output_dir = many});
        play(&place, (struct generate_options){.num_outputs = 3, .seed = 6, .output_dir = other});
        assert_int_equal(scratch_count(few), 3);
        assert_int_equal(scratch_count(many), MANY);
        for (size_t i = 0; i < 3; i++) {
            assert_true(same_grid(few, i, many, i));
            assert_false(same_grid(few, i, other, i));
        }
        assert_false(same_grid(many, 0, many, MANY - 1));
        free(few);
        free(many);
        free(other);
        free_place(&place);
    }
}

/* The same bytes under the same numbers with 1, 2, 3 and 7 threads, which share 500 files out in pieces of other sizes. */
static void test_threads_change_nothing(void **state)
{
    enum { COUNT = 500 };
    const int64_t threads[] = {1, 2, 3, 7};
    struct place place;
    char *folders[4];
    (void)state;
    make_place(&place, "groovae_4bar");
    for (int i = 0; i < 4; i++) {
        char name[] = {(char)('a' + i), '\0'};
        folders[i] = path_join(place.folder, name);
        play(&place, (struct generate_options){
                         .num_outputs = COUNT, .seed = 3, .output_dir = folders[i], .threads = threads[i]});
    }
    for (int i = 1; i < 4; i++)
        assert_same_files(folders[0], folders[i], COUNT);
    for (int i = 0; i < 4; i++)
        free(folders[i]);
    free_place(&place);
}

static void test_interpolation_ends_at_its_inputs(void **state)
{
    struct place place;
    (void)state;
    make_place(&place, "groovae_4bar");
    char *way = path_join(place.folder, "way"), *one = path_join(place.folder, "from"),
         *two = path_join(place.folder, "to");
    write_beats(place.midi[0], 4, 0, 4, 0);
    write_beats(place.midi[1], 6, 0, 6, 8);
    struct generate_options options = {
        .mode = GENERATE_INTERPOLATE,
        .num_outputs = 5,
        .seed = 1,
        .input_midi = {place.midi[0], place.midi[1]},
        .input_bar = {0,             2            },
        .output_dir = way
    };
    play(&place, options);
    options.mode = GENERATE_RECONSTRUCT;
    options.output_dir = one;
    options.input_midi[1] = NULL;
    options.input_bar[1] = 0;
    play(&place, options);
    options.output_dir = two;
    options.input_midi[0] = place.midi[1];
    options.input_bar[0] = 2;
    play(&place, options);
    assert_true(same_grid(way, 0, one, 0));
    assert_true(same_grid(way, 4, two, 4));
    assert_false(same_grid(way, 4, one, 4));
    assert_false(same_grid(way, 2, one, 2));
    struct grid grid = read_output(way, 0);
    assert_true(grid.qpm > 89.99f && grid.qpm < 90.01f);
    grid_free(&grid);
    options.qpm = 140;
    options.output_dir = place.output;
    play(&place, options);
    grid = read_output(place.output, 0);
    assert_true(grid.qpm > 139.99f && grid.qpm < 140.01f);
    grid_free(&grid);
    free(way);
    free(one);
    free(two);
    free_place(&place);
}

static void test_windows_are_offered(void **state)
{
    struct place place;
    struct error error;
    bool wrong_usage;
    (void)state;
    make_place(&place, "groovae_4bar");
    write_beats(place.midi[0], 8, 0, 8, 0);
    write_beats(place.midi[1], 12, 0, 12, 8);
    struct generate_options options = {
        .mode = GENERATE_INTERPOLATE, .num_outputs = 5, .input_midi = {place.midi[0], place.midi[1]}
    };
    assert_fails(try_to_play(&place, options, &wrong_usage, &error), error, "--input_bar_2 N");
    assert_false(wrong_usage);
    assert_int_equal(scratch_count(place.output), 5);
    struct grid grid = read_output(place.output, 1);
    assert_int_equal(grid.num_steps, 64);
    assert_int_equal(grid.velocity[0], 64);
    grid_free(&grid);
    free_place(&place);
}

static void test_controls_and_transforms(void **state)
{
    struct place place;
    struct error error;
    bool wrong_usage;
    (void)state;
    make_place(&place, "groovae_2bar_hits_control");
    char *one = path_join(place.folder, "from"), *two = path_join(place.folder, "to");
    write_beats(place.midi[0], 2, 0, 2, 0);
    write_beats(place.midi[1], 2, 0, 2, 8);
    assert_fails(try_to_play(&place, (struct generate_options){.num_outputs = 1}, &wrong_usage, &error), error,
                 "give --input_midi_1");
    assert_true(wrong_usage);
    struct generate_options options = {.num_outputs = 1, .seed = 2, .input_midi = {place.midi[0]}, .output_dir = one};
    play(&place, options);
    options.input_midi[0] = place.midi[1];
    options.output_dir = two;
    play(&place, options);
    assert_false(same_grid(one, 0, two, 0));
    free(one);
    free(two);
    free_place(&place);

    make_place(&place, "groovae_2bar_add_closed_hh");
    write_beats(place.midi[0], 2, 0, 2, 2);
    options = (struct generate_options){.mode = GENERATE_RECONSTRUCT, .num_outputs = 1, .input_midi = {place.midi[0]}};
    assert_fails(try_to_play(&place, options, &wrong_usage, &error), error, "gets no input from it");
    write_beats(place.midi[0], 2, 0, 2, 1);
    play(&place, options);
    free_place(&place);
}

static void test_wrong_usage(void **state)
{
    struct place place;
    struct error error;
    bool wrong_usage;
    (void)state;
    make_place(&place, "groovae_4bar");
    struct generate_options options = {.num_outputs = 1, .config = "groovae_4ba"};
    assert_fails(try_to_play(&place, options, &wrong_usage, &error), error, "did you mean groovae_4bar");
    assert_true(wrong_usage);
    options = (struct generate_options){.num_outputs = 1, .config = "groovae_4bar_flat"};
    assert_fails(try_to_play(&place, options, &wrong_usage, &error), error, "is of config groovae_4bar, not");
    assert_false(wrong_usage);
    options = (struct generate_options){.num_outputs = 1, .input_midi = {"x.mid"}};
    assert_fails(try_to_play(&place, options, &wrong_usage, &error), error, "does not use --input_midi_1");
    assert_true(wrong_usage);
    options = (struct generate_options){.num_outputs = 1, .input_bar = {1}};
    assert_fails(try_to_play(&place, options, &wrong_usage, &error), error, "--input_bar_1 without --input_midi_1");
    options = (struct generate_options){
        .mode = GENERATE_INTERPOLATE, .num_outputs = 1, .input_midi = {"x", "y"}
    };
    assert_fails(try_to_play(&place, options, &wrong_usage, &error), error, "--num_outputs=2 or more");
    options = (struct generate_options){.mode = GENERATE_INTERPOLATE, .num_outputs = 2, .input_midi = {"x"}};
    assert_fails(try_to_play(&place, options, &wrong_usage, &error), error, "needs --input_midi_1 and --input_midi_2");
    options = (struct generate_options){.num_outputs = 1, .run_dir = place.folder};
    assert_fails(try_to_play(&place, options, &wrong_usage, &error), error, "give one of --run_dir");
    assert_false(folder_exists(place.output));
    free_place(&place);
}

static void test_run_folder(void **state)
{
    struct place place;
    struct error error;
    bool wrong_usage;
    (void)state;
    make_place(&place, "groovae_4bar");
    struct generate_options options = {
        .num_outputs = 1, .run_dir = place.folder, .output_dir = place.output, .temperature = 1, .threads = 1};
    assert_fails(generate(&options, &wrong_usage, &error), error, "has no checkpoint");
    char *train = path_join(place.folder, "train");
    char *older = path_join(train, "checkpoint-00000010.h5"), *newer = path_join(train, "checkpoint-00000020.h5");
    assert_ok(folder_make(train, &error), error);
    assert_ok(untrained_checkpoint(older, "groovae_4bar", small, 10, &error), error);
    assert_ok(file_write(newer, newer, "damaged", 7, &error), error);
    struct capture capture = capture_start(2);
    bool ok = generate(&options, &wrong_usage, &error);
    char *said = capture_end(&capture);
    assert_true(ok);
    assert_contains(said, "checkpoint-00000020.h5");
    assert_contains(said, "at step 10,");
    free(said);
    free(train);
    free(older);
    free(newer);
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

static void test_two_names_of_a_tempo(void **state)
{
    struct place place;
    struct error error;
    bool wrong_usage;
    (void)state;
    make_place(&place, "groovae_4bar");
    assert_fails(
        try_to_play(&place, (struct generate_options){.num_outputs = 1, .qpm = 100, .bpm = 100}, &wrong_usage, &error),
        error, "--qpm and --bpm are the same");
    play(&place, (struct generate_options){.num_outputs = 1, .seed = 4, .bpm = 140});
    struct grid grid = read_output(place.output, 0);
    assert_true(grid.qpm > 139.99f && grid.qpm < 140.01f);
    grid_free(&grid);
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
        cmocka_unit_test(test_windows_of_an_input),
        cmocka_unit_test(test_bar_is_chosen),
        cmocka_unit_test(test_inputs_are_filled),
        cmocka_unit_test(test_pick_up_is_kept),
        cmocka_unit_test(test_parts_in_other_signatures),
        cmocka_unit_test(test_taps_of_any_pitch),
        cmocka_unit_test(test_map_of_an_input),
        cmocka_unit_test(test_inputs_are_refused),
        cmocka_unit_test(test_names_of_files),
        cmocka_unit_test(test_samples_follow_from_the_seed),
        cmocka_unit_test(test_interpolation_ends_at_its_inputs),
        cmocka_unit_test(test_windows_are_offered),
        cmocka_unit_test(test_controls_and_transforms),
        cmocka_unit_test(test_wrong_usage),
        cmocka_unit_test(test_outputs_are_loops),
        cmocka_unit_test(test_silent_outputs_are_counted),
        cmocka_unit_test(test_two_names_of_a_tempo),
        cmocka_unit_test(test_run_folder),
        cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_failure_leaves_the_beginning),
        cmocka_unit_test(test_full_disk_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
