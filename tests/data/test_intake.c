#include "base/text.h"
#include "data/dataset/intake.h"

#include "base/io/files.h"
#include "base/log.h"
#include "tests/data/midi_bytes.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

struct fixture {
    char *folder;
    struct shard_writer shard;
    struct intake_counts counts;
    struct splits splits;
    struct intake_rules rules;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->folder = scratch_make();
    fixture->rules.min_bars = 1;
    drum_map_builtin(&fixture->rules.map, "general");
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    shard_writer_free(&fixture->shard);
    intake_counts_free(&fixture->counts);
    splits_free(&fixture->splits);
    scratch_remove(fixture->folder);
    free(fixture);
    return 0;
}

/* A kick a beat for `num_bars` bars of 4/4, after the given meter (0: no event). */
static void write_beats(const struct fixture *fixture, const char *name, int num_bars, int numerator, int exponent,
                        int pitch)
{
    struct midi_bytes file;
    char *path = path_join(fixture->folder, name);
    midi_bytes_start(&file, 0, 1, 480);
    midi_bytes_start_track(&file);
    if (numerator > 0)
        midi_bytes_time_signature(&file, 0, numerator, exponent);
    for (int beat = 0; beat < 4 * num_bars; beat++)
        midi_bytes_note(&file, beat > 0 ? 480 : 0, 9, pitch, 100);
    midi_bytes_end_track(&file);
    assert_true(midi_bytes_save(&file, path));
    free(path);
}

/* Takes a file in, and returns what was said. */
static char *take(struct fixture *fixture, const char *name)
{
    struct error error = {.message = ""};
    struct capture said = capture_start(2);
    bool ok = intake_file(&fixture->shard, &fixture->counts, fixture->folder, name, &fixture->splits, &fixture->rules,
                          &error);
    char *text = capture_end(&said);
    if (!ok)
        fail_msg("%s", error.message);
    return text;
}

static void expect_skipped(struct fixture *fixture, const char *name, enum skip_reason reason, const char *said)
{
    struct dataset_counts before = fixture->counts.sums;
    char *text = take(fixture, name);
    assert_int_equal(fixture->counts.sums.num_kept, before.num_kept);
    assert_int_equal(fixture->counts.sums.num_files, before.num_files + 1);
    assert_int_equal(fixture->counts.sums.skipped[reason], before.skipped[reason] + 1);
    if (said != NULL)
        assert_contains(text, said);
    else
        assert_string_equal(text, "");
    free(text);
}

static void expect_kept(struct fixture *fixture, const char *name, int numerator, int denominator)
{
    uint64_t before = fixture->counts.sums.num_kept;
    char *text = take(fixture, name);
    assert_string_equal(text, "");
    free(text);
    assert_int_equal(fixture->counts.sums.num_kept, before + 1);
    const struct performance *row = &fixture->shard.table.rows[fixture->shard.table.count - 1];
    assert_string_equal(row->path, name);
    assert_int_equal(row->time_signature.numerator, numerator);
    assert_int_equal(row->time_signature.denominator, denominator);
}

static void test_keeps(void **state)
{
    struct fixture *fixture = *state;
    write_beats(fixture, "a.mid", 2, 4, 2, 36);
    expect_kept(fixture, "a.mid", 4, 4);
    assert_int_equal(fixture->counts.sums.num_hits, 8);
    assert_int_equal(fixture->shard.num_steps, 32);
    assert_int_equal(fixture->counts.num_keys, 1);
    assert_int_equal(fixture->shard.table.rows[0].split, split_of_number(fixture->counts.keys[0].hash));
}

/* The file's own, else the table's, else that of a name of Groove's pattern, else 4/4; the folder's name never. */
static void test_time_signature_comes_from(void **state)
{
    struct fixture *fixture = *state;
    struct performance_info rows[] = {
        {.path = (char[]){"1_rock_90_beat_3-4.mid"},
         .style = (char[]){"jazz"},
         .drummer = (char[]){"d"},
         .split = SPLIT_TEST,
         .time_signature = {5, 4}},
    };
    char *below = path_join(fixture->folder, "x_3-4");
    assert_int_equal(mkdir(below, 0777), 0);
    write_beats(fixture, "2_funk_80_beat_3-4.mid", 1, 6, 3, 36);
    write_beats(fixture, "3_funk-x_80_fill_3-4.mid", 1, 0, 0, 36);
    write_beats(fixture, "1_rock_90_beat_3-4.mid", 1, 0, 0, 36);
    write_beats(fixture, "4_jazz_120_beat_6-8_12.midi", 1, 0, 0, 36);
    write_beats(fixture, "Take_1-4.mid", 1, 0, 0, 36);
    write_beats(fixture, "5_jazz_120_beat_4-3.mid", 1, 0, 0, 36);
    write_beats(fixture, "x_3-4/e.mid", 1, 0, 0, 36);
    fixture->splits = (struct splits){.rows = rows, .count = 1};
    expect_kept(fixture, "2_funk_80_beat_3-4.mid", 6, 8);
    expect_kept(fixture, "3_funk-x_80_fill_3-4.mid", 3, 4);
    expect_kept(fixture, "1_rock_90_beat_3-4.mid", 5, 4);
    assert_int_equal(fixture->shard.table.rows[2].split, SPLIT_TEST);
    assert_string_equal(fixture->shard.table.rows[2].style, "jazz");
    expect_kept(fixture, "4_jazz_120_beat_6-8_12.midi", 6, 8);
    expect_kept(fixture, "Take_1-4.mid", 4, 4);
    expect_kept(fixture, "5_jazz_120_beat_4-3.mid", 4, 4);
    expect_kept(fixture, "x_3-4/e.mid", 4, 4);
    assert_int_equal(fixture->counts.num_name_signatures, 2);
    fixture->splits = (struct splits){0};
    free(below);
}

/* 2/2, 8/8 and 16/16 are what 4/4 is. */
static void test_bars_of_16_are_one_thing(void **state)
{
    struct fixture *fixture = *state;
    fixture->rules.only_beat = true;
    fixture->rules.beat = (struct time_signature){4, 4};
    write_beats(fixture, "a.mid", 2, 2, 1, 36);
    write_beats(fixture, "b.mid", 2, 8, 3, 36);
    write_beats(fixture, "c.mid", 2, 16, 4, 36);
    write_beats(fixture, "d.mid", 2, 6, 3, 36);
    expect_kept(fixture, "a.mid", 2, 2);
    expect_kept(fixture, "b.mid", 8, 8);
    expect_kept(fixture, "c.mid", 16, 16);
    expect_skipped(fixture, "d.mid", SKIPPED_TIME_SIGNATURE, NULL);
}

/* Copies under other names, with other drums, lie in one split; with a hash of the path they need not. */
static void test_splits_by_content(void **state)
{
    struct fixture *fixture = *state;
    int differ = 0;
    for (int i = 0; i < 20; i++) {
        char *name = format_text("copy%d.mid", i);
        write_beats(fixture, name, 2, 4, 2, 36 + 2 * (i % 2));
        expect_kept(fixture, name, 4, 4);
        assert_true(fixture->counts.keys[i].hash == fixture->counts.keys[0].hash);
        assert_int_equal(fixture->shard.table.rows[i].split, fixture->shard.table.rows[0].split);
        free(name);
    }
    fixture->rules.split_by_path = true;
    for (int i = 0; i < 20; i++) {
        char *name = format_text("copy%d.mid", i);
        expect_kept(fixture, name, 4, 4);
        assert_int_equal(fixture->shard.table.rows[20 + i].split, split_by_hash(name));
        differ += split_by_hash(name) != split_by_hash("copy0.mid");
        free(name);
    }
    assert_true(differ > 0);
    write_beats(fixture, "other.mid", 3, 4, 2, 36);
    expect_kept(fixture, "other.mid", 4, 4);
    assert_true(fixture->counts.keys[40].hash != fixture->counts.keys[0].hash);
}

static void test_rules(void **state)
{
    struct fixture *fixture = *state;
    write_beats(fixture, "a.mid", 2, 4, 2, 36);
    write_beats(fixture, "b.mid", 3, 3, 2, 36);
    fixture->rules = (struct intake_rules){
        .map = fixture->rules.map,

        .only_beat = true,
        .beat = {4, 4},
        .min_bars = 2
    };
    expect_kept(fixture, "a.mid", 4, 4);
    expect_skipped(fixture, "b.mid", SKIPPED_TIME_SIGNATURE, NULL);
    fixture->rules.beat = (struct time_signature){3, 4};
    expect_skipped(fixture, "a.mid", SKIPPED_TIME_SIGNATURE, NULL);
    expect_kept(fixture, "b.mid", 3, 4);
    fixture->rules = (struct intake_rules){.map = fixture->rules.map, .min_bars = 3};
    expect_skipped(fixture, "a.mid", SKIPPED_SHORT, NULL);
}

static void test_quiet_reasons_are_named_at_debug(void **state)
{
    struct fixture *fixture = *state;
    write_beats(fixture, "none.mid", 1, 4, 2, 99);
    write_beats(fixture, "odd.mid", 1, 5, 5, 36);
    expect_skipped(fixture, "none.mid", SKIPPED_NO_DRUMS, NULL);
    assert_int_equal(fixture->counts.sums.num_unknown, 4);
    log_set_level(LOG_LEVEL_DEBUG);
    expect_skipped(fixture, "none.mid", SKIPPED_NO_DRUMS, "skipped: none.mid: no hit of any");
    expect_skipped(fixture, "odd.mid", SKIPPED_BROKEN_BAR, "skipped: odd.mid: a bar is not a whole number");
    log_set_level(LOG_LEVEL_INFO);
}

static void test_hostile_files_are_named(void **state)
{
    struct fixture *fixture = *state;
    struct midi_bytes file;
    char *damaged = path_join(fixture->folder, "damaged.mid"), *kind = path_join(fixture->folder, "kind.mid");
    char *odd = path_join(fixture->folder, "odd\xff.mid");
    midi_bytes_start(&file, 2, 2, 480);
    assert_true(midi_bytes_save(&file, kind));
    file.size = 9;
    assert_true(midi_bytes_save(&file, damaged));
    assert_true(midi_bytes_save(&file, odd));
    expect_skipped(fixture, "damaged.mid", SKIPPED_DAMAGED, "damaged.mid: not a MIDI file");
    expect_skipped(fixture, "kind.mid", SKIPPED_UNSUPPORTED, "kind.mid: MIDI format 2");
    expect_skipped(fixture, "odd\xff.mid", SKIPPED_DAMAGED, "odd\\xff.mid: not a MIDI file");
    free(odd);
    free(kind);
    free(damaged);
}

/* What the system can't read is missed by nobody: the set would be smaller. */
static void test_unreadable(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    assert_fails(intake_file(&fixture->shard, &fixture->counts, fixture->folder, "gone.mid", &fixture->splits,
                             &fixture->rules, &error),
                 error, "gone.mid: can't open: No such file or directory; --skip_unreadable skips such files");
    fixture->rules.skip_unreadable = true;
    expect_skipped(fixture, "gone.mid", SKIPPED_UNREADABLE, "gone.mid: can't open: No such file");
}

/* Names that are no UTF-8 text are kept under an escaped one. */
static void test_odd_names(void **state)
{
    struct fixture *fixture = *state;
    write_beats(fixture, "\x83h\x83\x89\x83\x80\n.mid", 1, 4, 2, 36);
    free(take(fixture, "\x83h\x83\x89\x83\x80\n.mid"));
    assert_int_equal(fixture->counts.sums.num_kept, 1);
    assert_string_equal(fixture->shard.table.rows[0].path, "\\x83h\\x83\\x89\\x83\\x80\\x0a.mid");
    char long_name[PERFORMANCE_TEXT_MAX + 10];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    expect_skipped(fixture, long_name, SKIPPED_NAME, "its name is too long");
}

/* What is wrong is named, and the rest kept; strictly, the file is skipped. */
static void test_repairs(void **state)
{
    struct fixture *fixture = *state;
    struct midi_bytes file;
    char *path = path_join(fixture->folder, "odd.mid");
    midi_bytes_start(&file, 0, 1, 480);
    midi_bytes_start_track(&file);
    midi_bytes_note(&file, 0, 9, 36, 200);
    midi_bytes_note(&file, 480, 9, 38, 100);
    midi_bytes_end_track(&file);
    assert_true(midi_bytes_save(&file, path));
    char *said = take(fixture, "odd.mid");
    assert_contains(said, "odd.mid: track 1: byte 25 is 0xc8");
    assert_contains(said, "velocity clipped to 127");
    free(said);
    assert_int_equal(fixture->counts.sums.num_kept, 1);
    assert_int_equal(fixture->counts.sums.num_hits, 2);
    assert_int_equal(fixture->counts.num_repaired, 1);
    assert_int_equal(fixture->counts.repairs[MIDI_EVENT_CLIPPED], 1);
    fixture->rules.strict = true;
    expect_skipped(fixture, "odd.mid", SKIPPED_DAMAGED, "odd.mid: track 1: byte 25 is 0xc8");
    free(path);
}

/* A file of which nothing says that it is drumming is skipped; --channel takes it. */
static void test_no_piano(void **state)
{
    struct fixture *fixture = *state;
    struct midi_bytes file;
    char *path = path_join(fixture->folder, "piano.mid");
    midi_bytes_start(&file, 0, 1, 480);
    midi_bytes_start_track(&file);
    for (int i = 0; i < 4; i++)
        midi_bytes_note(&file, i > 0 ? 480 : 0, 0, 48 + 4 * i, 100);
    midi_bytes_end_track(&file);
    assert_true(midi_bytes_save(&file, path));
    expect_skipped(fixture, "piano.mid", SKIPPED_NOT_DRUMS, NULL);
    assert_int_equal(fixture->counts.sums.num_melodic, 4);
    fixture->rules.choice.channel = CHANNEL_ALL;
    free(take(fixture, "piano.mid"));
    assert_int_equal(fixture->counts.sums.num_kept, 1);
    free(path);
}

static void test_several_performances(void **state)
{
    struct fixture *fixture = *state;
    struct midi_bytes file;
    char *path = path_join(fixture->folder, "a.mid");
    midi_bytes_start(&file, 0, 1, 480);
    midi_bytes_start_track(&file);
    midi_bytes_note(&file, 0, 9, 36, 100);
    midi_bytes_time_signature(&file, 1920, 3, 2);
    midi_bytes_note(&file, 0, 9, 36, 100);
    midi_bytes_end_track(&file);
    assert_true(midi_bytes_save(&file, path));
    free(take(fixture, "a.mid"));
    assert_int_equal(fixture->counts.sums.num_files, 1);
    assert_int_equal(fixture->counts.sums.num_kept, 2);
    assert_string_equal(fixture->shard.table.rows[1].path, "a.mid");
    assert_int_equal(fixture->shard.table.rows[1].num_steps, 12);
    free(path);
}

/* One note in ten may be lost; a file that loses more is counted, and named at debug. */
static void test_lossy_files_are_counted(void **state)
{
    struct fixture *fixture = *state;
    for (int lost = 1; lost <= 2; lost++) {
        struct midi_bytes file;
        char *path = path_join(fixture->folder, "a.mid");
        midi_bytes_start(&file, 0, 1, 480);
        midi_bytes_start_track(&file);
        for (int i = 0; i < 10; i++)
            midi_bytes_note(&file, 480, 9, i < lost ? 24 : 36, 100);
        midi_bytes_end_track(&file);
        assert_true(midi_bytes_save(&file, path));
        log_set_level(LOG_LEVEL_DEBUG);
        char *said = take(fixture, "a.mid");
        log_set_level(LOG_LEVEL_INFO);
        assert_contains(said, "of pitch 24 (C1)");
        assert_int_equal(strstr(said, "drum map general skips 2 of 10 drum notes") != NULL, lost == 2);
        assert_int_equal(fixture->counts.num_lossy, lost - 1);
        free(said);
        free(path);
    }
}

/* Four beats of `bars` bars each, at 120 and after each silence 10 faster; `rests` [num_rests] bars of silence between them. */
static void write_song(const struct fixture *fixture, const char *name, const int *bars, const int *rests, int count)
{
    struct midi_bytes file;
    char *path = path_join(fixture->folder, name);
    uint32_t silence = 0;
    midi_bytes_start(&file, 0, 1, 480);
    midi_bytes_start_track(&file);
    for (int i = 0; i < count; i++) {
        midi_bytes_tempo(&file, silence, (uint32_t)(60000000 / (120 + 10 * i)));
        for (int beat = 0; beat < 4 * bars[i]; beat++)
            midi_bytes_note(&file, beat > 0 ? 480 : 0, 9, 36, 100);
        silence = 480 + (uint32_t)rests[i] * 1920;
    }
    midi_bytes_end_track(&file);
    assert_true(midi_bytes_save(&file, path));
    free(path);
}

static void test_long_silences_are_no_data(void **state)
{
    static const int bars[] = {3, 2, 1, 4}, rests[] = {16, 17, 400, 0};
    struct fixture *fixture = *state;
    const struct performance *rows;
    write_song(fixture, "song.mid", bars, rests, 4);
    free(take(fixture, "song.mid"));
    rows = fixture->shard.table.rows;
    assert_int_equal(fixture->counts.sums.num_kept, 3);
    assert_int_equal(fixture->counts.sums.num_silent_bars, 417);
    assert_int_equal(fixture->counts.sums.num_hits, 40);
    assert_int_equal(rows[0].num_steps, 21 * GRID_BAR_STEPS); /* 16 bars of rest are none too many */
    assert_int_equal(rows[1].num_steps, 1 * GRID_BAR_STEPS);
    assert_int_equal(rows[2].num_steps, 4 * GRID_BAR_STEPS);
    assert_true(fabsf(rows[0].qpm - 120) < 0.01f && fabsf(rows[1].qpm - 140) < 0.01f &&
                fabsf(rows[2].qpm - 150) < 0.01f);
    assert_string_equal(rows[2].path, "song.mid");
    fixture->rules.min_bars = 2;
    free(take(fixture, "song.mid"));
    assert_int_equal(fixture->counts.sums.skipped[SKIPPED_SHORT], 1);
    assert_int_equal(fixture->counts.sums.num_kept, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keeps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_time_signature_comes_from, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bars_of_16_are_one_thing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_splits_by_content, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_quiet_reasons_are_named_at_debug, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hostile_files_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unreadable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_odd_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_repairs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_piano, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_several_performances, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lossy_files_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_silences_are_no_data, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
