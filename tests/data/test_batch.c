#include "base/tempo.h"
#include "data/dataset/batch.h"

#include "tests/data/data_set_fixture.h"
#include "tests/support/scratch.h"

#include <math.h>

#define GROOVE .representation = &representation_table[0], .converter = &groove_converter

enum { STEP_DEPTH = 3 * NUM_DRUMS, T = 2 * GRID_BAR_STEPS, B = 3, VELOCITY = NUM_DRUMS, OFFSET = 2 * NUM_DRUMS };

struct fixture {
    char *folder;
    struct dataset *dataset;
    struct windows windows;
    float input[T * B * STEP_DEPTH], target[T * B * STEP_DEPTH], controls[T * B * NUM_DRUMS];
};

static const uint32_t numbers[B] = {4, 0, 2};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct error error;
    assert_non_null(fixture);
    fixture->folder = scratch_make();
    fixture_data_set(fixture->folder, 2);
    fixture->dataset = dataset_open(fixture->folder, &error);
    assert_non_null(fixture->dataset);
    assert_ok(windows_make(&fixture->windows, fixture->dataset, "train", 2, 1, &error), error);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    windows_free(&fixture->windows);
    dataset_close(fixture->dataset);
    scratch_remove(fixture->folder);
    free(fixture);
    return 0;
}

static void fill(struct fixture *fixture, const struct transform *transform, uint32_t step, uint32_t first_example)
{
    memset(fixture->input, 0x7f, sizeof fixture->input);
    memset(fixture->target, 0x7f, sizeof fixture->target);
    memset(fixture->controls, 0x7f, sizeof fixture->controls);
    batch_fill(fixture->input, fixture->target, fixture->controls, &fixture->windows, numbers, B, transform, 5, step,
               first_example);
}

/* The row of step t of example b. */
static const float *row_of(const float *tensor, size_t t, size_t b)
{
    return tensor + (t * B + b) * STEP_DEPTH;
}

static void test_is_the_data(void **state)
{
    struct fixture *fixture = *state;
    const struct dataset *dataset = fixture->dataset;
    fill(fixture, &(struct transform){GROOVE}, 0, 0);
    assert_memory_equal(fixture->input, fixture->target, sizeof fixture->input);
    for (size_t t = 0; t < T; t++)
        for (size_t b = 0; b < B; b++) {
            const float *row = row_of(fixture->target, t, b);
            size_t cell = (size_t)(fixture->windows.first_step[numbers[b]] + t) * NUM_DRUMS;
            for (size_t drum = 0; drum < NUM_DRUMS; drum++) {
                assert_true(row[drum] == (float)dataset->hits[cell + drum]);
                assert_true(row[VELOCITY + drum] == (float)dataset->velocity[cell + drum] / 127.0F);
                assert_true(row[OFFSET + drum] == dataset->offset[cell + drum]);
                assert_true(fixture->controls[(t * B + b) * NUM_DRUMS + drum] == row[drum]);
            }
        }
}

static void test_humanize_and_fixed_velocities(void **state)
{
    struct fixture *fixture = *state;
    for (int humanize = 0; humanize < 2; humanize++) {
        fill(fixture, &(struct transform){GROOVE, .humanize = humanize == 1, .fixed_velocities = humanize == 0}, 0, 0);
        double target_velocity = 0;
        for (size_t t = 0; t < T; t++)
            for (size_t b = 0; b < B; b++) {
                const float *row = row_of(fixture->input, t, b), *kept = row_of(fixture->target, t, b);
                for (size_t drum = 0; drum < NUM_DRUMS; drum++) {
                    assert_true(row[drum] == kept[drum]);
                    assert_true(row[VELOCITY + drum] == 0);
                    assert_true(row[OFFSET + drum] == (humanize ? 0 : kept[OFFSET + drum]));
                    target_velocity += (double)kept[VELOCITY + drum];
                }
            }
        assert_true(target_velocity > 1);
    }
}

static void test_tapify(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture, &(struct transform){GROOVE, .tapify = true}, 0, 0);
    for (size_t t = 0; t < T; t++)
        for (size_t b = 0; b < B; b++) {
            const float *row = row_of(fixture->input, t, b), *kept = row_of(fixture->target, t, b);
            size_t loudest = 0;
            for (size_t drum = 1; drum < NUM_DRUMS; drum++)
                if (kept[VELOCITY + drum] > kept[VELOCITY + loudest])
                    loudest = drum;
            for (size_t i = 0; i < STEP_DEPTH; i++) {
                size_t kind = i / NUM_DRUMS * NUM_DRUMS;
                assert_true(row[i] == (i % NUM_DRUMS == DRUM_TAP ? kept[kind + loudest] : 0));
            }
        }
}

static void test_add_instruments(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture, &(struct transform){GROOVE, .removed_classes = 1U << 2 | 1U << 8}, 0, 0);
    for (size_t t = 0; t < T; t++)
        for (size_t b = 0; b < B; b++)
            for (size_t i = 0; i < STEP_DEPTH; i++) {
                size_t drum = i % NUM_DRUMS;
                float kept = row_of(fixture->target, t, b)[i];
                assert_true(row_of(fixture->input, t, b)[i] == (drum == 2 || drum == 8 ? 0 : kept));
            }
}

static void test_dropout_takes_whole_notes(void **state)
{
    struct fixture *fixture = *state;
    size_t hits = 0, dropped = 0;
    for (uint32_t step = 0; step < 50; step++) {
        fill(fixture, &(struct transform){GROOVE, .max_note_dropout = 0.8}, step, 0);
        for (size_t i = 0; i < (size_t)T * B; i++)
            for (size_t drum = 0; drum < NUM_DRUMS; drum++) {
                const float *row = fixture->input + i * STEP_DEPTH, *kept = fixture->target + i * STEP_DEPTH;
                bool gone = row[drum] != kept[drum];
                hits += kept[drum] != 0;
                dropped += gone;
                assert_true(row[VELOCITY + drum] == (gone ? 0 : kept[VELOCITY + drum]));
                assert_true(row[OFFSET + drum] == (gone ? 0 : kept[OFFSET + drum]));
            }
    }
    /* p is 0.4 on the mean; max(0.2, 1 - v) of evenly spread velocities 0.52 */
    double share = (double)dropped / (double)hits;
    assert_true(share > 0.16 && share < 0.26);
}

/* Quiet notes go more often: with p always near its maximum of 1, those of velocity below 0.2 nearly always. */
static void test_dropout_prefers_quiet_notes(void **state)
{
    (void)state;
    enum { ROWS = 4000 };
    float *window = calloc((size_t)ROWS * STEP_DEPTH, sizeof *window);
    double left[2] = {0};
    assert_non_null(window);
    for (uint32_t i = 0; i < 400; i++) {
        struct random_stream stream;
        for (size_t t = 0; t < ROWS / 400; t++)
            for (size_t drum = 0; drum < 2; drum++) {
                window[t * STEP_DEPTH + drum] = 1;
                window[t * STEP_DEPTH + VELOCITY + drum] = drum == 0 ? 0.1F : 1.0F;
            }
        random_stream_start(&stream, 3, RANDOM_NOTE_DROPOUT, 0, i);
        window_transform(window, STEP_DEPTH, ROWS / 400, &(struct transform){GROOVE, .max_note_dropout = 1}, &stream);
        for (size_t t = 0; t < ROWS / 400; t++)
            for (size_t drum = 0; drum < 2; drum++)
                left[drum] += (double)window[t * STEP_DEPTH + drum];
    }
    assert_true(fabs(left[0] / ROWS - (1 - 0.5 * 0.9)) < 0.05);
    assert_true(fabs(left[1] / ROWS - (1 - 0.5 * 0.2)) < 0.03);
    free(window);
}

/* What is dropped depends on the example's place in the global batch, not on how the batch was cut. */
static void test_dropout_is_the_same_for_any_cut(void **state)
{
    struct fixture *fixture = *state;
    const struct transform transform = {GROOVE, .max_note_dropout = 0.8};
    float input[T * STEP_DEPTH], target[T * STEP_DEPTH];
    bool differs = false;
    fill(fixture, &transform, 11, 100);
    for (uint32_t b = 0; b < B; b++) {
        batch_fill(input, target, NULL, &fixture->windows, &numbers[b], 1, &transform, 5, 11, 100 + b);
        for (size_t t = 0; t < T; t++)
            assert_memory_equal(input + t * STEP_DEPTH, row_of(fixture->input, t, b), STEP_DEPTH * sizeof *input);
        batch_fill(input, target, NULL, &fixture->windows, &numbers[b], 1, &transform, 5, 12, 100 + b);
        for (size_t t = 0; t < T; t++)
            differs = differs ||
                      memcmp(input + t * STEP_DEPTH, row_of(fixture->input, t, b), STEP_DEPTH * sizeof *input) != 0;
    }
    assert_true(differs);
}

/* The class that a window has lost, DRUM_NONE where it has lost none; fails where it differs from the data otherwise. */
static int lost_class(const float *target, const float *whole, size_t b)
{
    int lost = DRUM_NONE;
    for (size_t t = 0; t < T; t++)
        for (size_t i = 0; i < STEP_DEPTH; i++) {
            float value = row_of(target, t, b)[i], kept = row_of(whole, t, b)[i];
            if (!(value < kept) && !(value > kept))
                continue;
            assert_true(value == 0);
            assert_true(lost == DRUM_NONE || lost == (int)(i % NUM_DRUMS));
            lost = (int)(i % NUM_DRUMS);
        }
    return lost;
}

/* The formula of docs/models.md, drawn by hand. */
static void test_windows_lose_a_class(void **state)
{
    struct fixture *fixture = *state;
    const struct transform transform = {GROOVE, .drop_class = 0.4, .humanize = true};
    static float whole[T * B * STEP_DEPTH];
    int num_lost = 0, num_expected = 0;
    fill(fixture, &(struct transform){GROOVE}, 0, 0);
    memcpy(whole, fixture->target, sizeof whole);
    for (uint32_t step = 1; step <= 60; step++) {
        fill(fixture, &transform, step, 7);
        for (size_t b = 0; b < B; b++) {
            struct random_stream stream;
            random_stream_start(&stream, 5, RANDOM_AUGMENTATION, step, 7 + (uint32_t)b);
            bool loses = (double)random_uniform(&stream) < 0.4;
            int drum = loses ? (int)random_below(&stream, NUM_DRUMS) : DRUM_NONE,
                lost = lost_class(fixture->target, whole, b);
            bool has = false;
            for (size_t t = 0; loses && t < T; t++)
                has = has || row_of(whole, t, b)[drum] > 0;
            assert_int_equal(lost, has ? drum : DRUM_NONE);
            num_lost += lost != DRUM_NONE;
            num_expected += has;
            for (size_t t = 0; t < T; t++) /* the input, whose velocities and offsets humanize takes */
                assert_memory_equal(row_of(fixture->input, t, b), row_of(fixture->target, t, b),
                                    NUM_DRUMS * sizeof(float));
        }
        for (size_t row = 0; row < (size_t)T * B; row++)
            assert_memory_equal(fixture->controls + row * NUM_DRUMS, fixture->target + row * STEP_DEPTH,
                                NUM_DRUMS * sizeof(float));
    }
    assert_int_equal(num_lost, num_expected);
    assert_in_range(num_lost, 10, 110);
}

static void test_the_input_as_controls(void **state)
{
    struct fixture *fixture = *state;
    static float controls[T * B * STEP_DEPTH];
    const struct transform transform = {GROOVE, .input_as_controls = true, .tapify = true, .max_note_dropout = 0.8};
    batch_fill(fixture->input, fixture->target, controls, &fixture->windows, numbers, B, &transform, 5, 3, 0);
    assert_memory_equal(controls, fixture->input, sizeof controls);
    assert_memory_not_equal(controls, fixture->target, sizeof controls);
}

/* The tempo of each window's performance behind the other controls. */
static void test_the_tempo_as_controls(void **state)
{
    enum { C = STEP_DEPTH + NUM_TEMPO_CONTROLS, C_HITS = NUM_DRUMS + NUM_TEMPO_CONTROLS };
    struct fixture *fixture = *state;
    static float controls[T * B * C];
    struct transform transform = {GROOVE, .input_as_controls = true, .tempo_control = true, .tapify = true};
    for (int hits = 0; hits < 2; hits++) {
        size_t width = hits ? C_HITS : C, music = width - NUM_TEMPO_CONTROLS;
        transform.input_as_controls = !hits;
        batch_fill(fixture->input, fixture->target, controls, &fixture->windows, numbers, B, &transform, 5, 3, 0);
        for (size_t t = 0; t < T; t++)
            for (size_t b = 0; b < B; b++) {
                const float *row = controls + (t * B + b) * width;
                const struct performance *performance =
                    &fixture->dataset->index.table.rows[fixture->windows.performance[numbers[b]]];
                float tempo[NUM_TEMPO_CONTROLS];
                tempo_controls(tempo, performance->qpm);
                assert_memory_equal(row, row_of(hits ? fixture->target : fixture->input, t, b), music * sizeof *row);
                assert_memory_equal(row + music, tempo, sizeof tempo);
            }
    }
}

static void test_tempo_controls(void **state)
{
    static const struct {
        float qpm;
        int first;
        float weight; /* of the first; the next has the rest */
    } cases[] = {
        {60,       0, 1     },
        {120,      4, 1     },
        {240,      8, 1     },
        {20,       0, 1     },
        {1000,     8, 1     },
        {84.8528F, 2, 1     },
        {65.42F,   0, 0.501F},
        {150,      5, 0.712F},
        {1e-30F,   0, 1     }
    };
    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        float controls[NUM_TEMPO_CONTROLS];
        tempo_controls(controls, cases[n].qpm);
        for (int i = 0; i < NUM_TEMPO_CONTROLS; i++) {
            float expected = i == cases[n].first ? cases[n].weight : i == cases[n].first + 1 ? 1 - cases[n].weight : 0;
            if (!(fabsf(controls[i] - expected) < 2e-3F))
                fail_msg("%g: weight %d is %g, not %g", (double)cases[n].qpm, i, (double)controls[i], (double)expected);
        }
    }
}

static void test_window_and_grid(void **state)
{
    const struct transform transform = {GROOVE};
    struct grid grid = fixture_grid(3, 4), back;
    struct error error;
    float window[T * STEP_DEPTH];
    size_t skipped = (size_t)GRID_BAR_STEPS * NUM_DRUMS;
    (void)state;
    window_from_grid(window, &grid, 1, 2, &transform);
    assert_ok(grid_from_window(&back, window, 2, 77, &transform, &error), error);
    assert_int_equal(back.num_steps, T);
    assert_true(back.qpm > 76.9F && back.qpm < 77.1F);
    assert_memory_equal(back.hits, grid.hits + skipped, T * NUM_DRUMS);
    assert_memory_equal(back.velocity, grid.velocity + skipped, T * NUM_DRUMS);
    assert_memory_equal(back.offset, grid.offset + skipped, T * NUM_DRUMS * sizeof *grid.offset);
    grid_free(&back);
    grid_free(&grid);
}

static void test_data_set_of_another_representation(void **state)
{
    struct fixture *fixture = *state;
    const struct representation other = {.name = "other"};
    struct transform transform = {GROOVE};
    struct error error;
    assert_ok(batch_check_dataset(&transform, fixture->dataset, &error), error);
    transform.representation = &other;
    assert_fails(batch_check_dataset(&transform, fixture->dataset, &error), error,
                 "representation is groove, the model's other");
}

static void test_model_output(void **state)
{
    const struct transform transform = {GROOVE};
    float window[GRID_BAR_STEPS * STEP_DEPTH] = {0};
    struct grid grid;
    struct error error;
    (void)state;
    window[0] = 0.5F; /* no hit */
    window[1] = 0.51F;
    window[VELOCITY + 1] = 0.0F;
    window[OFFSET + 1] = 1.5F;
    window[2] = 1.0F;
    window[VELOCITY + 2] = 2.0F;
    window[OFFSET + 2] = -1.5F;
    assert_ok(grid_from_window(&grid, window, 1, 120, &transform, &error), error);
    assert_int_equal(grid_count_hits(&grid), 2);
    assert_int_equal(grid.velocity[1], 1);
    assert_int_equal(grid.velocity[2], 127);
    assert_true(grid.offset[1] == 1 && grid.offset[2] == -1);
    grid_free(&grid);
    window[STEP_DEPTH + 4] = NAN;
    assert_fails(grid_from_window(&grid, window, 1, 120, &transform, &error), error, "step 1, low tom");
    window[STEP_DEPTH + 4] = 0;
    window[OFFSET] = INFINITY;
    assert_fails(grid_from_window(&grid, window, 1, 120, &transform, &error), error, "step 0, kick");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_the_data),
        cmocka_unit_test(test_humanize_and_fixed_velocities),
        cmocka_unit_test(test_tapify),
        cmocka_unit_test(test_add_instruments),
        cmocka_unit_test(test_dropout_takes_whole_notes),
        cmocka_unit_test(test_dropout_prefers_quiet_notes),
        cmocka_unit_test(test_dropout_is_the_same_for_any_cut),
        cmocka_unit_test(test_windows_lose_a_class),
        cmocka_unit_test(test_the_input_as_controls),
        cmocka_unit_test(test_the_tempo_as_controls),
        cmocka_unit_test(test_tempo_controls),
        cmocka_unit_test(test_window_and_grid),
        cmocka_unit_test(test_data_set_of_another_representation),
        cmocka_unit_test(test_model_output),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
