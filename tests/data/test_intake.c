#include "base/text.h"
#include "data/dataset/intake.h"

#include "base/io/files.h"
#include "base/log.h"
#include "tests/data/midi_bytes.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

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
    assert_int_equal(fixture->shard.table.rows[0].split, split_by_hash("a.mid"));
}

/* The file's own, else info.csv's, else the tag in the name, else 4/4; the folder's name never. */
static void test_time_signature_comes_from(void **state)
{
    struct fixture *fixture = *state;
    struct performance_info rows[] = {
        {.path = (char[]){"c_3-4.mid"},
         .style = (char[]){"jazz"},
         .drummer = (char[]){"d"},
         .split = SPLIT_TEST,
         .time_signature = {5, 4}},
    };
    char *below = path_join(fixture->folder, "x_3-4");
    assert_int_equal(mkdir(below, 0777), 0);
    write_beats(fixture, "a_3-4.mid", 1, 6, 3, 36);
    write_beats(fixture, "b_3-4.mid", 1, 0, 0, 36);
    write_beats(fixture, "c_3-4.mid", 1, 0, 0, 36);
    write_beats(fixture, "d_4-3.mid", 1, 0, 0, 36);
    write_beats(fixture, "x_3-4/e.mid", 1, 0, 0, 36);
    fixture->splits = (struct splits){.rows = rows, .count = 1};
    expect_kept(fixture, "a_3-4.mid", 6, 8);
    expect_kept(fixture, "b_3-4.mid", 3, 4);
    expect_kept(fixture, "c_3-4.mid", 5, 4);
    assert_int_equal(fixture->shard.table.rows[2].split, SPLIT_TEST);
    assert_string_equal(fixture->shard.table.rows[2].style, "jazz");
    expect_kept(fixture, "d_4-3.mid", 4, 4);
    expect_kept(fixture, "x_3-4/e.mid", 4, 4);
    fixture->splits = (struct splits){0};
    free(below);
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
    midi_bytes_start(&file, 2, 1, 480);
    assert_true(midi_bytes_save(&file, kind));
    file.size = 9;
    assert_true(midi_bytes_save(&file, damaged));
    assert_true(midi_bytes_save(&file, odd));
    expect_skipped(fixture, "gone.mid", SKIPPED_UNREADABLE, "gone.mid");
    expect_skipped(fixture, "damaged.mid", SKIPPED_DAMAGED, "damaged.mid: no MIDI file");
    expect_skipped(fixture, "kind.mid", SKIPPED_UNSUPPORTED, "kind.mid: MIDI format 2");
    char *said = format_text("%s/odd\\xff.mid: its name is no UTF-8 text", fixture->folder);
    expect_skipped(fixture, "odd\xff.mid", SKIPPED_NAME, said);
    free(said);
    expect_skipped(fixture, "two\nlines.mid", SKIPPED_NAME, "two\\x0alines.mid: its name holds a control character");
    free(odd);
    free(kind);
    free(damaged);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keeps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_time_signature_comes_from, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_quiet_reasons_are_named_at_debug, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hostile_files_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_several_performances, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
