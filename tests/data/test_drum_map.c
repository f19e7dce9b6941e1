#include "data/midi/drum_map.h"
#include "tests/support/unit.h"

static void test_written_pitches(void **state)
{
    static const uint8_t written[NUM_DRUMS] = {36, 38, 42, 46, 45, 48, 50, 49, 51};
    (void)state;
    for (int drum = 0; drum < NUM_DRUMS; drum++) {
        assert_int_equal(drum_written_pitch(drum), written[drum]);
        assert_int_equal(drum_class_of_pitch(DRUM_MAP_GENERAL, written[drum]), drum);
    }
}

static void test_training_table(void **state)
{
    static const int classes[128] = {
        [36] = 1, [38] = 2, [37] = 2, [40] = 2, [42] = 3, [22] = 3, [44] = 3, [46] = 4, [26] = 4, [43] = 5, [58] = 5,
        [47] = 6, [45] = 6, [50] = 7, [48] = 7, [49] = 8, [52] = 8, [55] = 8, [57] = 8, [51] = 9, [53] = 9, [59] = 9};
    (void)state;
    for (int pitch = 0; pitch < 128; pitch++)
        assert_int_equal(drum_class_of_pitch(DRUM_MAP_TRAINING, (uint8_t)pitch), classes[pitch] - 1);
}

static void test_general_table(void **state)
{
    static const int counts[NUM_DRUMS] = {2, 15, 11, 7, 7, 7, 5, 5, 4};
    int found[NUM_DRUMS] = {0}, none = 0;
    (void)state;
    for (int pitch = 0; pitch < 128; pitch++) {
        int drum = drum_class_of_pitch(DRUM_MAP_GENERAL, (uint8_t)pitch);
        if (drum == DRUM_NONE)
            none++;
        else
            found[drum]++;
    }
    assert_memory_equal(found, counts, sizeof counts);
    assert_int_equal(none, 128 - 63);
    assert_int_equal(drum_class_of_pitch(DRUM_MAP_GENERAL, 35), 0);
    assert_int_equal(drum_class_of_pitch(DRUM_MAP_GENERAL, 45), 4);
    assert_int_equal(drum_class_of_pitch(DRUM_MAP_GENERAL, 58), 7);
    assert_int_equal(drum_class_of_pitch(DRUM_MAP_GENERAL, 0), DRUM_NONE);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(drum_name(0), "kick");
    assert_string_equal(drum_name(DRUM_TAP), "open hi-hat");
    assert_string_equal(drum_name(8), "ride");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_pitches),
        cmocka_unit_test(test_training_table),
        cmocka_unit_test(test_general_table),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
