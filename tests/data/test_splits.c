#include "data/dataset/splits.h"

#include "base/io/files.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <stdlib.h>
#include <sys/stat.h>

static void write_table(const char *folder, const void *text, size_t size)
{
    char *path = path_join(folder, "info.csv");
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(text, 1, size, stream), size);
    assert_int_equal(fclose(stream), 0);
    free(path);
}

static void expect_refusal(const char *text, const char *part)
{
    struct splits splits;
    struct error error;
    char *folder = scratch_make();
    write_table(folder, text, strlen(text));
    assert_fails(splits_read(&splits, folder, false, &error), error, part);
    assert_contains(error.message, "info.csv");
    assert_null(splits.rows);
    scratch_remove(folder);
}

static void test_none(void **state)
{
    struct splits splits;
    struct error error;
    char *folder = scratch_make();
    (void)state;
    assert_ok(splits_read(&splits, folder, false, &error), error);
    assert_int_equal(splits.count, 0);
    assert_null(splits_find(&splits, "a.mid"));
    splits_free(&splits);
    scratch_remove(folder);
}

/* A byte order mark, quotes, a comma, a quote and a line end in fields, CRLF, an empty line, no line end at the end. */
static void test_reads_a_table(void **state)
{
    static const char text[] = "\xef\xbb\xbf"
                               "drummer,style,\"split\",midi_filename,time_signature,beat_type\r\n"
                               "d1,\"funk, slow\",test,b/2.mid,6-8,fill\r\n"
                               "\r\n"
                               "\"d\"\"2\",\"two\nlines\",validation,./a.mid,,Beat\r\n"
                               "d3,,train,c.mid,4-4,\r\n"
                               ",,train,,,\n"
                               "d4,x,train,d.mid,4-4,beat";
    struct splits splits;
    struct error error;
    char *folder = scratch_make();
    (void)state;
    write_table(folder, text, strlen(text));
    assert_ok(splits_read(&splits, folder, false, &error), error);
    assert_int_equal(splits.count, 4);
    const struct performance_info *row = splits_find(&splits, "b/2.mid");
    assert_non_null(row);
    assert_string_equal(row->style, "funk, slow");
    assert_int_equal(row->split, SPLIT_TEST);
    assert_int_equal(row->time_signature.numerator, 6);
    assert_int_equal(row->beat_type, BEAT_TYPE_FILL);
    row = splits_find(&splits, "a.mid");
    assert_non_null(row);
    assert_string_equal(row->drummer, "d\"2");
    assert_string_equal(row->style, "two\nlines");
    assert_int_equal(row->split, SPLIT_VALIDATION);
    assert_int_equal(row->time_signature.numerator, 0);
    assert_int_equal(row->beat_type, BEAT_TYPE_UNKNOWN);
    assert_string_equal(splits_find(&splits, "d.mid")->drummer, "d4");
    assert_int_equal(splits_find(&splits, "d.mid")->beat_type, BEAT_TYPE_BEAT);
    assert_null(splits_find(&splits, "e.mid"));
    splits_free(&splits);
    scratch_remove(folder);
}

static void test_optional_columns(void **state)
{
    static const char text[] = "split,midi_filename\ntrain,a.mid\n";
    struct splits splits;
    struct error error;
    char *folder = scratch_make();
    (void)state;
    write_table(folder, text, strlen(text));
    assert_ok(splits_read(&splits, folder, false, &error), error);
    assert_string_equal(splits_find(&splits, "a.mid")->style, "");
    splits_free(&splits);
    scratch_remove(folder);
}

static void save(const char *folder, const char *name, const char *text)
{
    char *path = path_join(folder, name);
    struct error error;
    assert_ok(file_write(path, path, text, strlen(text), &error), error);
    free(path);
}

/* Any CSV with the column; a folder of its own where the folder itself has none. */
static void test_finds_tables(void **state)
{
    struct splits splits;
    struct error error;
    char *folder = scratch_make(), *below = path_join(folder, "groove"), *deep = path_join(folder, "groove/deep");
    (void)state;
    assert_ok(folder_make(deep, &error), error);
    save(folder, "other.csv", "a,b\n\"broken");
    save(below, "info.csv", "midi_filename,split,drummer,beat_type\nx.mid,test,d,beat\n");
    save(deep, "info.csv", "midi_filename,split\ny.mid,test\n");
    assert_ok(splits_read(&splits, folder, false, &error), error);
    assert_int_equal(splits.count, 1);
    assert_int_equal(splits_find(&splits, "groove/x.mid")->split, SPLIT_TEST);
    assert_true(splits.is_groove);
    assert_string_equal(splits.name, "groove/info.csv");
    splits_free(&splits);
    save(folder, "e-gmd-v1.0.0.csv", "drummer,midi_filename\nd,groove/x.mid\n");
    assert_ok(splits_read(&splits, folder, false, &error), error);
    assert_int_equal(splits.count, 1);
    assert_int_equal(splits_find(&splits, "groove/x.mid")->split, NUM_SPLITS);
    assert_string_equal(splits_find(&splits, "groove/x.mid")->drummer, "d");
    assert_false(splits.is_groove);
    splits_free(&splits);
    save(folder, "more.csv", "split,midi_filename\ntest,groove/x.mid\n");
    assert_fails(splits_read(&splits, folder, false, &error), error, "'groove/x.mid' is listed twice");
    scratch_remove(folder);
    free(below);
    free(deep);
}

static void test_refusals(void **state)
{
    (void)state;
    expect_refusal("", "no column 'midi_filename'");
    expect_refusal("midi_filename,split\na.mid,dev\n", "line 2: split 'dev' is not train, validation or test");
    expect_refusal("midi_filename,split\na.mid\n", "line 2: 1 columns, where line 1 has 2");
    expect_refusal("midi_filename,split\na.mid,train,x\n", "line 2: 3 columns");
    expect_refusal("midi_filename,split\n\"a.mid,train\n", "line 2: unclosed quote");
    expect_refusal("midi_filename,split\na\".mid,train\n", "a quote in the middle");
    expect_refusal("midi_filename,split\n\"a\"b,train\n", "text after a closing quote");
    expect_refusal("midi_filename,split\na.mid,train\n./a.mid,test\n", "'a.mid' is listed twice");
    expect_refusal("midi_filename,split,time_signature\na.mid,train,4-5\n", "line 2: '4-5'");
}

static void test_hostile_bytes(void **state)
{
    static const char with_nul[] = "midi_filename,split\na\0b,train\n";
    struct splits splits;
    struct error error;
    char *folder = scratch_make(), *path = path_join(folder, "info.csv");
    char wide[300] = "midi_filename,split";
    (void)state;
    write_table(folder, with_nul, sizeof with_nul - 1);
    assert_fails(splits_read(&splits, folder, false, &error), error, "contains a NUL");
    for (int i = 0; i < 100; i++)
        strcat(wide, ",x");
    expect_refusal(wide, "more than 64 columns");
    /* every truncation of a table is taken or refused, and nothing is read past its end */
    static const char text[] = "midi_filename,split,style\n\"a\"\"b.mid\",train,\"x\ny\"\r\nc.mid,test,\n";
    for (size_t size = 0; size < sizeof text - 1; size++) {
        write_table(folder, text, size);
        if (splits_read(&splits, folder, false, &error))
            splits_free(&splits);
        else
            assert_contains(error.message, "info.csv");
    }
    free(path);
    scratch_remove(folder);
}

/* The same on every machine: these are SHA-256's, computed by another program. */
static void test_split_by_hash(void **state)
{
    int counts[NUM_SPLITS] = {0};
    (void)state;
    for (int i = 0; i < 2000; i++) {
        char path[32];
        snprintf(path, sizeof path, "drummer/%d.mid", i);
        counts[split_by_hash(path)]++;
    }
    assert_in_range(counts[SPLIT_TRAIN], 1520, 1680);
    assert_in_range(counts[SPLIT_VALIDATION], 140, 260);
    assert_in_range(counts[SPLIT_TEST], 140, 260);
    assert_int_equal(split_by_hash("drummer/3.mid"), SPLIT_TEST);
    assert_int_equal(split_by_hash("drummer/0.mid"), SPLIT_TRAIN);
    assert_int_equal(split_by_hash("drummer/13.mid"), SPLIT_VALIDATION);
}

static void test_names(void **state)
{
    enum split split = SPLIT_TRAIN;
    (void)state;
    assert_true(split_parse(&split, "validation"));
    assert_int_equal(split, SPLIT_VALIDATION);
    assert_false(split_parse(&split, "Train"));
    assert_string_equal(split_name(SPLIT_TEST), "test");
}

/* Splits that are given must not be replaced silently by those of a hash. */
static void test_what_is_no_file(void **state)
{
    static const char text[] = "split,midi_filename\ntrain,a.mid\n";
    struct splits splits;
    struct error error;
    char *folder = scratch_make(), *pack = path_join(folder, "pack");
    char *info = path_join(folder, "info.csv"), *below = path_join(pack, "info.csv"),
         *other = path_join(folder, "x.csv");
    (void)state;
    assert_int_equal(mkfifo(info, 0666), 0);
    assert_fails(splits_read(&splits, folder, true, &error), error, "info.csv: not a regular file");
    unlink(info);
    assert_int_equal(mkdir(info, 0777), 0);
    assert_fails(splits_read(&splits, folder, false, &error), error, "info.csv: is a folder");
    rmdir(info);
    assert_int_equal(symlink("gone", info), 0);
    assert_fails(splits_read(&splits, folder, true, &error), error, "info.csv: broken link: No such file");
    unlink(info);
    assert_int_equal(mkdir(pack, 0777), 0);
    assert_int_equal(mkfifo(below, 0666), 0);
    assert_fails(splits_read(&splits, folder, false, &error), error, "pack/info.csv: not a regular file");
    unlink(below);
    assert_int_equal(symlink("gone", other), 0);
    assert_fails(splits_read(&splits, folder, false, &error), error, "x.csv: broken link");
    write_table(folder, text, strlen(text));
    assert_ok(splits_read(&splits, folder, true, &error), error);
    assert_int_equal(splits.count, 1);
    splits_free(&splits);
    free(other);
    free(below);
    free(info);
    free(pack);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_reads_a_table),
        cmocka_unit_test(test_optional_columns),
        cmocka_unit_test(test_finds_tables),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_hostile_bytes),
        cmocka_unit_test(test_split_by_hash),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_what_is_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
