/* Playing from a checkpoint, without the program around it: that what is played follows from the seed and the inputs alone, and what
 * is refused. */
#include "tests/programs/generate_support.h"
#include "tests/support/unit.h"

#include "base/io/files.h"
#include "tests/model/untrained_checkpoint.h"
#include "tests/support/scratch.h"

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
    assert_true(same_grid(way, 4, two, 0)); /* all outputs draw what the first draws */
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

/* Where one input is played, its first window with a hit is, unless another is chosen. */
static void test_first_window_is_played(void **state)
{
    struct place place;
    struct error error;
    bool wrong_usage;
    (void)state;
    make_place(&place, "groovae_4bar");
    write_beats(place.midi[0], 12, 4, 12, 0);
    struct generate_options options = {.mode = GENERATE_RECONSTRUCT, .num_outputs = 1, .input_midi = {place.midi[0]}};
    assert_ok(try_to_play(&place, options, &wrong_usage, &error), error);
    assert_int_equal(scratch_count(place.output), 1);
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
    assert_ok(untrained_checkpoint(older, "groovae_4bar", generate_small_model, 10, &error), error);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples_follow_from_the_seed),
        cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_interpolation_ends_at_its_inputs),
        cmocka_unit_test(test_windows_are_offered),
        cmocka_unit_test(test_first_window_is_played),
        cmocka_unit_test(test_controls_and_transforms),
        cmocka_unit_test(test_wrong_usage),
        cmocka_unit_test(test_run_folder),
        cmocka_unit_test(test_two_names_of_a_tempo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
