#include "data/midi/check.h"
#include "data/music/grid.h"
#include "tests/data/drum_maps.h"
#include "tests/data/midi_bytes.h"
#include "tests/support/unit.h"

#include <math.h>
#include <stdlib.h>

static const struct time_signature four_four = {4, 4};

static void make(struct grid_list *list, const struct midi *midi)
{
    struct error error;
    assert_ok(grid_list_make(list, midi, MAP("roland"), four_four, &error), error);
}

static void expect_hit(const struct grid *grid, uint32_t step, int drum, int velocity, float offset)
{
    size_t cell = (size_t)step * NUM_DRUMS + (size_t)drum;
    assert_true(step < grid->num_steps);
    assert_int_equal(grid->hits[cell], 1);
    assert_int_equal(grid->velocity[cell], velocity);
    if (!(fabsf(grid->offset[cell] - offset) <= 1e-6F))
        fail_msg("step %u: offset %g, not %g", step, (double)grid->offset[cell], (double)offset);
}

#define MIDI(onset_array)                                                                                              \
    {                                                                                                                  \
        .ppq = 480, .onsets = onset_array, .num_onsets = sizeof(onset_array) / sizeof(onset_array)[0]                  \
    }

static void test_nearest_step_and_offset(void **state)
{
    struct midi_onset onsets[] = {
        {0,   9, 36, 100}, /* on step 0 */
        {59,  9, 38, 101}, /* late by 59 of 120 ticks */
        {60,  9, 42, 102}, /* between two: the later, early by half a step */
        {119, 9, 46, 103}, /* a tick early */
        {150, 9, 51, 104}, /* a quarter of a step late */
    };
    struct midi midi = MIDI(onsets);
    struct grid_list list;
    (void)state;
    make(&list, &midi);
    assert_int_equal(list.count, 1);
    const struct grid *grid = &list.parts[0].grid;
    assert_int_equal(grid->num_steps, 16);
    assert_int_equal(grid_count_hits(grid), 5);
    expect_hit(grid, 0, 0, 100, 0);
    expect_hit(grid, 0, 1, 101, -2.0F * 59 / 120);
    expect_hit(grid, 1, 2, 102, 1);
    expect_hit(grid, 1, 3, 103, 2.0F / 120);
    expect_hit(grid, 1, 8, 104, -0.5F);
    assert_true(grid->qpm > 119.99F && grid->qpm < 120.01F);
    grid_list_free(&list);
}

/* Where a step is no whole number of ticks: ppq 25, a step of 6.25. */
static void test_odd_resolution(void **state)
{
    struct midi_onset onsets[] = {
        {6,  9, 36, 100},
        {9,  9, 38, 100}, /* 1.44 steps */
        {10, 9, 42, 100}, /* 1.6 steps */
    };
    struct midi midi = MIDI(onsets);
    struct grid_list list;
    (void)state;
    midi.ppq = 25;
    make(&list, &midi);
    expect_hit(&list.parts[0].grid, 1, 0, 100, 2 * (1 - 0.96F));
    expect_hit(&list.parts[0].grid, 1, 1, 100, 2 * (1 - 1.44F));
    expect_hit(&list.parts[0].grid, 2, 2, 100, 2 * (2 - 1.6F));
    grid_list_free(&list);
}

static void test_loudest_then_earliest(void **state)
{
    struct midi_onset onsets[] = {
        {0,   9, 38, 50 },
        {10,  9, 40, 90 },
        {20,  9, 37, 90 }, /* step 0: the second */
        {470, 9, 36, 80 },
        {480, 9, 36, 80 },
        {490, 9, 36, 10 }, /* step 4: the first */
        {500, 9, 99, 127},
        {501, 9, 35, 127}, /* no class in the training table */
    };
    struct midi midi = MIDI(onsets);
    struct grid_list list;
    (void)state;
    make(&list, &midi);
    assert_int_equal(list.num_unknown, 2);
    assert_int_equal(grid_count_hits(&list.parts[0].grid), 2);
    expect_hit(&list.parts[0].grid, 0, 1, 90, -2.0F * 10 / 120);
    expect_hit(&list.parts[0].grid, 4, 0, 80, 2.0F * 10 / 120);
    grid_list_free(&list);
}

static void test_padding(void **state)
{
    struct midi_onset onsets[] = {
        {1860, 9, 36, 100}, /* nearest to step 16: a second bar */
    };
    struct midi midi = MIDI(onsets);
    struct grid_list list;
    (void)state;
    make(&list, &midi);
    assert_int_equal(list.parts[0].grid.num_steps, 32);
    grid_list_free(&list);
    onsets[0].tick = 1859;
    make(&list, &midi);
    assert_int_equal(list.parts[0].grid.num_steps, 16);
    grid_list_free(&list);
}

/* Two bars of 4/4, then 6/8 (with its downbeat early), then 5/32, then a repeated 5/32, then 4/4 with no drum. */
static void test_time_signature_changes(void **state)
{
    struct midi_onset onsets[] = {
        {0,    9, 36, 100},
        {1920, 9, 38, 100},
        {3800, 9, 36, 90 },
        {4000, 9, 42, 80 },
        {7000, 9, 36, 70 },
        {9000, 9, 99, 70 },
    };
    struct midi_time_signature signatures[] = {
        {0,    4, 4 },
        {1920, 4, 4 },
        {3840, 6, 8 },
        {6000, 5, 32},
        {6100, 5, 32},
        {8000, 4, 4 },
    };
    struct midi_tempo tempos[] = {
        {100,  400000},
        {3840, 500000},
        {3841, 600000},
    };
    struct midi midi = MIDI(onsets);
    struct grid_list list;
    (void)state;
    midi.time_signatures = signatures;
    midi.num_time_signatures = 6;
    midi.tempos = tempos;
    midi.num_tempos = 3;
    make(&list, &midi);
    assert_int_equal(list.count, 4);
    assert_int_equal(list.parts[0].fault, GRID_VALID);
    assert_int_equal(list.parts[0].grid.num_steps, 32);
    assert_true(fabsf(list.parts[0].grid.qpm - 150) < 0.01F);
    assert_int_equal(list.parts[1].first_tick, 3840);
    assert_int_equal(list.parts[1].grid.num_steps, 12);
    assert_int_equal(list.parts[1].grid.time_signature.denominator, 8);
    assert_true(fabsf(list.parts[1].grid.qpm - 120) < 0.01F);
    expect_hit(&list.parts[1].grid, 0, 0, 90, 2.0F * 40 / 120);
    expect_hit(&list.parts[1].grid, 1, 2, 80, -2.0F * 40 / 120);
    assert_int_equal(list.parts[2].fault, GRID_BROKEN_BAR);
    assert_int_equal(list.parts[3].fault, GRID_NO_DRUMS);
    assert_int_equal(list.num_unknown, 1);
    grid_list_free(&list);
}

/* A change off the grid: bars and steps count from it. */
static void test_change_off_the_grid(void **state)
{
    struct midi_onset onsets[] = {
        {0,    9, 36, 100},
        {1000, 9, 38, 100},
        {1120, 9, 42, 100},
    };
    struct midi_time_signature signatures[] = {
        {0,    4, 4},
        {1000, 3, 4},
    };
    struct midi midi = MIDI(onsets);
    struct grid_list list;
    (void)state;
    midi.time_signatures = signatures;
    midi.num_time_signatures = 2;
    make(&list, &midi);
    assert_int_equal(list.count, 2);
    assert_int_equal(grid_count_hits(&list.parts[0].grid), 1);
    assert_int_equal(list.parts[1].grid.num_steps, 12);
    expect_hit(&list.parts[1].grid, 0, 1, 100, 0);
    expect_hit(&list.parts[1].grid, 1, 2, 100, 0);
    grid_list_free(&list);
}

static void test_default_time_signature(void **state)
{
    struct midi_onset onsets[] = {
        {0, 9, 36, 100},
    };
    struct midi_time_signature late[] = {
        {5000, 3, 4},
    };
    struct midi midi = MIDI(onsets);
    struct grid_list list;
    struct error error;
    (void)state;
    assert_ok(grid_list_make(&list, &midi, MAP("roland"), (struct time_signature){5, 8}, &error), error);
    assert_int_equal(list.parts[0].grid.num_steps, 10);
    grid_list_free(&list);
    midi.time_signatures = late;
    midi.num_time_signatures = 1;
    assert_ok(grid_list_make(&list, &midi, MAP("roland"), (struct time_signature){5, 8}, &error), error);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.parts[0].grid.num_steps, 16);
    grid_list_free(&list);
    midi.num_onsets = 0;
    make(&list, &midi);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.parts[0].fault, GRID_NO_DRUMS);
    grid_list_free(&list);
}

static void test_too_long(void **state)
{
    struct midi_onset onsets[] = {
        {0,             9, 36, 100},
        {MIDI_MAX_TICK, 9, 36, 100},
    };
    struct midi midi = MIDI(onsets);
    struct grid_list list;
    (void)state;
    make(&list, &midi);
    assert_int_equal(list.parts[0].fault, GRID_TOO_LONG);
    grid_list_free(&list);
    midi.ppq = 1; /* steps beyond 32 bits */
    make(&list, &midi);
    assert_int_equal(list.parts[0].fault, GRID_TOO_LONG);
    grid_list_free(&list);
}

static void test_bar_steps(void **state)
{
    (void)state;
    assert_int_equal(time_signature_bar_steps((struct time_signature){4, 4}), 16);
    assert_int_equal(time_signature_bar_steps((struct time_signature){6, 8}), 12);
    assert_int_equal(time_signature_bar_steps((struct time_signature){5, 8}), 10);
    assert_int_equal(time_signature_bar_steps((struct time_signature){2, 2}), 16);
    assert_int_equal(time_signature_bar_steps((struct time_signature){5, 32}), 0);
    assert_int_equal(time_signature_bar_steps((struct time_signature){4, 3}), 0);
    assert_int_equal(time_signature_bar_steps((struct time_signature){4, 0}), 0);
    assert_int_equal(time_signature_bar_steps((struct time_signature){0, 4}), 0);
}

static void test_parse_time_signature(void **state)
{
    static const char *const wrong[] = {"",    "4",    "4-",    "-4",    "4-3",  "0-4",
                                        "4-0", "4-4x", "256-4", "4-256", " 4-4", "4--4"};
    struct time_signature signature;
    struct error error;
    (void)state;
    assert_ok(time_signature_parse(&signature, "12-8", &error), error);
    assert_true(time_signature_equal(signature, (struct time_signature){12, 8}));
    assert_ok(time_signature_parse(&signature, "4/4", &error), error);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_fails(time_signature_parse(&signature, wrong[i], &error), error, "not a time signature");
}

static void test_there_and_back(void **state)
{
    struct grid grid;
    struct midi midi;
    struct grid_list list;
    struct error error;
    (void)state;
    assert_ok(grid_make(&grid, 32, &error), error);
    grid.qpm = 93;
    grid.time_signature = four_four;
    for (size_t i = 0; i < (size_t)32 * NUM_DRUMS; i++) {
        if (i % 3 == 0)
            continue;
        grid.hits[i] = 1;
        grid.velocity[i] = (uint8_t)(1 + i % 127);
        grid.offset[i] =
            i < NUM_DRUMS ? -0.5F : (float)((int)(i % 41) - 20) / 20.0F; /* -1 to 1, not before the start */
    }
    assert_ok(grid_to_midi(&midi, &grid, MAP("general"), &error), error);
    assert_int_equal(midi.end_tick, 32 * 120);
    assert_ok(grid_list_make(&list, &midi, MAP("general"), four_four, &error), error);
    const struct grid *back = &list.parts[0].grid;
    assert_int_equal(back->num_steps, 32);
    assert_memory_equal(back->hits, grid.hits, 32 * NUM_DRUMS);
    assert_memory_equal(back->velocity, grid.velocity, 32 * NUM_DRUMS);
    for (size_t i = 0; i < (size_t)32 * NUM_DRUMS; i++)
        assert_true(fabsf(back->offset[i] - grid.offset[i]) <= 1.0F / 60 + 1e-6F);
    assert_true(fabsf(back->qpm - 93) < 0.001F);
    grid_list_free(&list);
    midi_free(&midi);
    grid_free(&grid);
}

static void test_before_the_start(void **state)
{
    struct grid grid;
    struct midi midi;
    struct error error;
    (void)state;
    assert_ok(grid_make(&grid, 16, &error), error);
    grid.qpm = 120;
    grid.time_signature = four_four;
    grid.hits[0] = 1;
    grid.offset[0] = 0.9F; /* early on the first step, and with no velocity */
    assert_ok(grid_to_midi(&midi, &grid, MAP("general"), &error), error);
    assert_int_equal(midi.onsets[0].tick, 0);
    assert_int_equal(midi.onsets[0].velocity, 1);
    assert_int_equal(midi.onsets[0].channel, MIDI_DRUM_CHANNEL);
    midi_free(&midi);
    grid_free(&grid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nearest_step_and_offset),
        cmocka_unit_test(test_odd_resolution),
        cmocka_unit_test(test_loudest_then_earliest),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_time_signature_changes),
        cmocka_unit_test(test_change_off_the_grid),
        cmocka_unit_test(test_default_time_signature),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_bar_steps),
        cmocka_unit_test(test_parse_time_signature),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_before_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
