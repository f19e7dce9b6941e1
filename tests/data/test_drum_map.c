#include "data/midi/drum_map.h"

#include "base/io/files.h"
#include "tests/data/drum_maps.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <stdlib.h>

/* What is written by default reads back as the same drums. */
static void test_written_pitches(void **state)
{
    static const uint8_t written[NUM_DRUMS] = {36, 38, 42, 46, 45, 48, 50, 49, 51};
    struct drum_map general = builtin_map("general");
    (void)state;
    for (int drum = 0; drum < NUM_DRUMS; drum++) {
        assert_int_equal(general.written[drum], written[drum]);
        assert_int_equal(drum_class_of_pitch(&general, written[drum]), drum);
    }
}

/* A class + 1 for each pitch, 0 for none: both tables as the design has them. */
static void check_table(const char *name, const uint8_t classes[NUM_PITCHES])
{
    struct drum_map map = builtin_map(name);
    for (int pitch = 0; pitch < NUM_PITCHES; pitch++)
        assert_int_equal(drum_class_of_pitch(&map, (uint8_t)pitch), classes[pitch] - 1);
}

static void test_main_tables(void **state)
{
    static const uint8_t roland[NUM_PITCHES] = {
        [36] = 1, [38] = 2, [37] = 2, [40] = 2, [42] = 3, [22] = 3, [44] = 3, [46] = 4, [26] = 4, [43] = 5, [58] = 5,
        [47] = 6, [45] = 6, [50] = 7, [48] = 7, [49] = 8, [52] = 8, [55] = 8, [57] = 8, [51] = 9, [53] = 9, [59] = 9};
    static const uint8_t general[NUM_PITCHES] = {
        [36] = 1, [35] = 1, [38] = 2, [27] = 2, [28] = 2, [31] = 2, [32] = 2, [33] = 2, [34] = 2, [37] = 2, [39] = 2,
        [40] = 2, [56] = 2, [65] = 2, [66] = 2, [75] = 2, [85] = 2, [42] = 3, [22] = 3, [44] = 3, [54] = 3, [68] = 3,
        [69] = 3, [70] = 3, [71] = 3, [73] = 3, [78] = 3, [80] = 3, [46] = 4, [26] = 4, [67] = 4, [72] = 4, [74] = 4,
        [79] = 4, [81] = 4, [45] = 5, [29] = 5, [41] = 5, [43] = 5, [61] = 5, [64] = 5, [84] = 5, [48] = 6, [47] = 6,
        [60] = 6, [63] = 6, [77] = 6, [86] = 6, [87] = 6, [50] = 7, [30] = 7, [62] = 7, [76] = 7, [83] = 7, [49] = 8,
        [52] = 8, [55] = 8, [57] = 8, [58] = 8, [51] = 9, [53] = 9, [59] = 9, [82] = 9};
    (void)state;
    check_table("roland", roland);
    check_table("general", general);
}

/* Every built-in map has a pitch for each drum, and its text is read back as the same map. */
static void test_builtin_maps(void **state)
{
    size_t count;
    const struct drum_map_entry *entries = drum_map_entries(&count);
    (void)state;
    assert_true(count >= 8);
    assert_string_equal(entries[0].name, "general");
    for (size_t i = 0; i < count; i++) {
        struct drum_map map = builtin_map(entries[i].name), again;
        struct error error;
        char *text = drum_map_text(&map);
        assert_ok(drum_map_check_written(&map, &error), error);
        assert_ok(drum_map_parse(&again, map.name, text, &error), error);
        assert_memory_equal(map.classes, again.classes, sizeof map.classes);
        assert_memory_equal(map.written, again.written, sizeof map.written);
        assert_true(strlen(entries[i].title) > 0 && strlen(entries[i].source) > 0);
        free(text);
    }
}

static void test_reads_a_table(void **state)
{
    static const char text[] = "\xef\xbb\xbf# my kit\r\n"
                               "pitch, class\n"
                               "24 25, kick  # two pedals\n"
                               "\n"
                               "Acoustic Snare, SNARE\n"
                               "low-mid tom, Mid_Tom\n"
                               "127,Closed HiHat";
    struct drum_map map;
    struct error error;
    (void)state;
    assert_ok(drum_map_parse(&map, "mine", text, &error), error);
    assert_int_equal(drum_class_of_pitch(&map, 24), 0);
    assert_int_equal(drum_class_of_pitch(&map, 25), 0);
    assert_int_equal(map.written[0], 24);
    assert_int_equal(drum_class_of_pitch(&map, 38), 1);
    assert_int_equal(drum_class_of_pitch(&map, 47), 5);
    assert_int_equal(drum_class_of_pitch(&map, 127), 2);
    assert_int_equal(drum_class_of_pitch(&map, 36), DRUM_NONE);
    assert_int_equal(map.written[8], DRUM_NOT_WRITTEN);
    assert_fails(drum_map_check_written(&map, &error), error, "'mine' has no pitch for open hi-hat");
}

static void expect_refusal(const char *text, const char *part)
{
    struct drum_map map;
    struct error error;
    assert_fails(drum_map_parse(&map, "x", text, &error), error, part);
}

static void test_refusals(void **state)
{
    char long_line[2000];
    (void)state;
    expect_refusal("", "lists no pitch");
    expect_refusal("# nothing\n", "lists no pitch");
    expect_refusal("36 kick\n", "line 1: no comma");
    expect_refusal("36, kick\n37, cowbell\n", "line 2: 'cowbell' is not one of the nine drums");
    expect_refusal("36, kick\n36, snare\n", "line 2: pitch 36 is listed twice");
    expect_refusal("128, kick\n", "line 1: '128' is neither");
    expect_refusal("-1, kick\n", "is neither");
    expect_refusal("36x, kick\n", "is neither");
    expect_refusal("99999999999999999999, kick\n", "is neither");
    expect_refusal("Kazoo, kick\n", "is neither");
    expect_refusal(" , kick\n", "no pitch before the comma");
    memset(long_line, 'x', sizeof long_line - 1);
    long_line[sizeof long_line - 1] = '\0';
    expect_refusal(long_line, "line 1 is longer than");
}

static void test_finds_maps(void **state)
{
    struct drum_map map;
    struct error error;
    char *folder = scratch_make(), *path = path_join(folder, "kit.txt");
    (void)state;
    assert_ok(drum_map_find(&map, "Superior-Drummer", &error), error);
    assert_string_equal(map.name, "superior_drummer");
    assert_fails(drum_map_find(&map, "nothing", &error), error, "neither a built-in drum map (general, roland");
    assert_ok(file_write(path, path, "24, kick\n", 9, &error), error);
    assert_ok(drum_map_find(&map, path, &error), error);
    assert_string_equal(map.name, "kit.txt");
    assert_ok(file_write(path, path, "24, kick\0", 9, &error), error);
    assert_fails(drum_map_find(&map, path, &error), error, "kit.txt: not a text file");
    assert_ok(file_write(path, path, "24, kik\n", 8, &error), error);
    assert_fails(drum_map_find(&map, path, &error), error, "kit.txt: line 1: 'kik' is not one");
    scratch_remove(folder);
    free(path);
}

static void test_census(void **state)
{
    struct pitch_census census = {
        .notes = {[36] = 5, [38] = 4, [60] = 90, [77] = 1, [49] = 10}
    };
    struct drum_map map = builtin_map("roland"), best;
    (void)state;
    assert_int_equal(pitch_census_total(&census), 110);
    assert_int_equal(pitch_census_kept(&census, &map), 19);
    assert_int_equal(pitch_census_of_class(&census, &map, 7), 10);
    pitch_census_best_map(&best, &census);
    assert_int_equal(pitch_census_kept(&census, &best), 110);
    assert_string_equal(best.name, "general");
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(drum_name(0), "kick");
    assert_string_equal(drum_name(8), "ride");
    assert_string_equal(drum_pitch_name(35), "Acoustic Bass Drum");
    assert_string_equal(drum_pitch_name(51), "Ride Cymbal 1");
    assert_string_equal(drum_pitch_name(81), "Open Triangle");
    assert_string_equal(drum_pitch_name(87), "Open Surdo");
    assert_string_equal(drum_pitch_name(27), "High Q");
    assert_null(drum_pitch_name(26));
    assert_null(drum_pitch_name(88));
}

static void test_labels(void **state)
{
    static const struct {
        uint8_t pitch;
        const char *label;
    } expected[] = {
        {0,   "C-1"               },
        {24,  "C1"                },
        {26,  "D1"                },
        {35,  "Acoustic Bass Drum"},
        {88,  "E6"                },
        {100, "E7"                },
        {127, "G9"                },
    };
    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        char label[DRUM_PITCH_LABEL_SIZE];
        drum_pitch_label(label, expected[i].pitch);
        assert_string_equal(label, expected[i].label);
    }
}

static void test_lost(void **state)
{
    struct pitch_census census = {
        .notes = {[36] = 5, [24] = 2, [100] = 3, [101] = 3},
        .files = {[36] = 1, [24] = 2, [100] = 1, [101] = 2},
    };
    struct drum_map map = builtin_map("general");
    struct lost_pitch lost[NUM_PITCHES];
    (void)state;
    assert_int_equal(pitch_census_lost(lost, &census, &map), 3);
    assert_int_equal(lost[0].pitch, 100);
    assert_int_equal(lost[0].notes, 3);
    assert_int_equal(lost[1].pitch, 101);
    assert_int_equal(lost[1].files, 2);
    assert_int_equal(lost[2].pitch, 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_pitches), cmocka_unit_test(test_main_tables), cmocka_unit_test(test_builtin_maps),
        cmocka_unit_test(test_reads_a_table),   cmocka_unit_test(test_refusals),    cmocka_unit_test(test_finds_maps),
        cmocka_unit_test(test_labels),          cmocka_unit_test(test_lost),        cmocka_unit_test(test_census),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
