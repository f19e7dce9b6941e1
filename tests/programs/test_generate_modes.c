/* Modes of drumline-generate: variations, grids of four, joined and long pieces, kept hits. */
#include "tests/programs/generate_support.h"
#include "tests/support/unit.h"

#include "base/io/files.h"
#include "tests/support/scratch.h"

/* Variations: those of similarity 1 are the reconstruction, those of 0 the samples. */
static void test_similar_lies_between(void **state)
{
    struct place place;
    (void)state;
    make_place(&place, "groovae_4bar_flat");
    char *same = path_join(place.folder, "same"), *other = path_join(place.folder, "other"),
         *near = path_join(place.folder, "near"), *again = path_join(place.folder, "again"),
         *samples = path_join(place.folder, "samples");
    write_beats(place.midi[0], 4, 0, 4, 0);
    struct generate_options options = {.mode = GENERATE_SIMILAR, .num_outputs = 3, .seed = 5, .similarity = 1};
    options.input_midi[0] = place.midi[0];
    options.output_dir = same;
    play(&place, options);
    options.similarity = 0;
    options.output_dir = other;
    play(&place, options);
    options.similarity = 0.5;
    options.output_dir = near;
    play(&place, options);
    options.output_dir = again;
    play(&place, options);
    options.mode = GENERATE_RECONSTRUCT;
    options.output_dir = place.output;
    play(&place, options);
    play(&place, (struct generate_options){.num_outputs = 3, .seed = 5, .output_dir = samples});
    for (size_t i = 0; i < 3; i++) {
        assert_true(same_grid(same, i, place.output, i));
        assert_true(same_grid(other, i, samples, i));
        assert_true(same_grid(near, i, again, i));
        assert_false(same_grid(near, i, same, i));
    }
    assert_false(same_grid(near, 0, near, 1));
    free(same);
    free(other);
    free(near);
    free(again);
    free(samples);
    free_place(&place);
}

/* The corners of a grid of four are the inputs, as what interpolates between two of them ends with. */
static void test_grid_of_four(void **state)
{
    enum { SIDE = 3 };
    struct place place;
    char *inputs[4], *line, *joined, *alone;
    struct error error;
    (void)state;
    make_place(&place, "groovae_4bar_flat");
    struct generate_options options = {.mode = GENERATE_INTERPOLATE, .num_outputs = SIDE, .seed = 2};
    for (int i = 0; i < 4; i++) {
        char name[] = {(char)('a' + i), '\0'};
        inputs[i] = path_join(place.folder, name);
        write_beats(inputs[i], 4, 0, 4, 2 * i);
        options.input_midi[i] = inputs[i];
    }
    play(&place, options);
    assert_int_equal(scratch_count(place.output), SIDE * SIDE);
    line = path_join(place.folder, "line");
    options.input_midi[2] = options.input_midi[3] = NULL;
    options.output_dir = line;
    play(&place, options);
    for (size_t i = 0; i < SIDE; i++)
        assert_true(same_grid(place.output, i, line, i));
    alone = path_join(place.folder, "alone");
    play(
        &place,
        (struct generate_options){
            .mode = GENERATE_RECONSTRUCT, .num_outputs = 1, .seed = 2, .input_midi = {inputs[3]}, .output_dir = alone});
    assert_true(same_grid(place.output, SIDE * SIDE - 1, alone, 0));
    assert_false(same_grid(place.output, SIDE * SIDE - 2, alone, 0));

    joined = path_join(place.folder, "joined");
    options.output_dir = joined;
    options.join = true;
    play(&place, options);
    assert_int_equal(scratch_count(joined), 1);
    struct grid whole = read_output(joined, 0), first = read_output(line, 0);
    assert_int_equal(whole.num_steps, SIDE * 64);
    assert_memory_equal(whole.hits, first.hits, 64 * NUM_DRUMS);
    grid_free(&whole);
    grid_free(&first);
    options.input_midi[2] = inputs[2];
    options.checkpoint_file = place.checkpoint;
    assert_fails(generate_check(&options, &error), error, "all four");
    for (int i = 0; i < 4; i++)
        free(inputs[i]);
    free(line);
    free(alone);
    free(joined);
    free_place(&place);
}

/* A longer sample begins as the short one of the same seed does, is cut where it is asked to end, and depends on no threads. */
static void test_long_samples(void **state)
{
    static const char *const configs[] = {"groovae_4bar", "groovae_4bar_flat"};
    (void)state;
    for (int c = 0; c < 2; c++) {
        struct place place;
        make_place(&place, configs[c]);
        char *few = path_join(place.folder, "few"), *many = path_join(place.folder, "many");
        play(&place, (struct generate_options){.num_outputs = 1, .seed = 8, .output_dir = few});
        play(&place, (struct generate_options){.num_outputs = 5, .seed = 8, .bars = 30, .output_dir = place.output});
        play(&place,
             (struct generate_options){.num_outputs = 5, .seed = 8, .bars = 30, .threads = 3, .output_dir = many});
        assert_same_files(place.output, many, 5);
        struct grid piece = read_output(place.output, 0), window = read_output(few, 0);
        assert_int_equal(piece.num_steps, 30 * 16);
        assert_memory_equal(piece.hits, window.hits, 64 * NUM_DRUMS);
        for (size_t later = 1; later < 7; later++)
            assert_memory_not_equal(piece.hits, piece.hits + later * 64 * NUM_DRUMS, 64 * NUM_DRUMS);
        grid_free(&piece);
        grid_free(&window);
        free(few);
        free(many);
        free_place(&place);
    }
}

/* Every output has the hits of the input, whatever the model would play. */
static void test_hits_are_kept(void **state)
{
    static const char *const configs[] = {"groovae_2bar_humanize", "groovae_2bar_hits_control"};
    struct error error;
    bool wrong_usage;
    (void)state;
    for (int c = 0; c < 2; c++) {
        struct place place;
        make_place(&place, configs[c]);
        write_beats(place.midi[0], 2, 0, 2, 3);
        struct generate_options kept = {
            .mode = GENERATE_RECONSTRUCT, .num_outputs = 2, .keep_hits = SETTING_TRUE, .input_midi = {place.midi[0]}};
        struct capture capture = capture_start(STDERR_FILENO);
        play(&place, kept);
        char *said = capture_end(&capture);
        assert_contains(said, "all 2 outputs are the same");
        free(said);
        struct grid grid = read_output(place.output, 1);
        assert_int_equal(grid_count_hits(&grid), 2);
        assert_true(grid.hits[3] && grid.hits[16 * NUM_DRUMS + 3]);
        grid_free(&grid);
        struct generate_options noisy = {
            .mode = GENERATE_RECONSTRUCT, .num_outputs = 1, .input_midi = {place.midi[0]}, .timing_noise = 1};
        assert_fails(try_to_play(&place, noisy, &wrong_usage, &error), error, "--mode=latents of drumline-train");
        assert_false(wrong_usage);
        assert_fails(try_to_play(&place, (struct generate_options){.keep_hits = SETTING_TRUE}, &wrong_usage, &error),
                     error, "give --input_midi_1");
        free_place(&place);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_similar_lies_between),
        cmocka_unit_test(test_grid_of_four),
        cmocka_unit_test(test_long_samples),
        cmocka_unit_test(test_hits_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
