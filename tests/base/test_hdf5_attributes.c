/* Attributes, what a file says that it is, and settings, which are stored as attributes. */
#include "tests/base/hdf5_fixture.h"
#include "tests/base/hdf5_settings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void test_attributes(void **state)
{
    struct error error;
    char *path = path_join(*state, "a.h5"), *text = NULL;
    const struct int_list list =
                              {
                                  3, {1, -2, INT64_MAX}
    },
                          empty = {0};
    struct int_list found_list = {0};
    int64_t integer = 0;
    double number = 0;
    hid_t file = create(path);
    assert_ok(hdf5_write_string(file, "text", "Schlagzeug \xc3\xbc", &error), error);
    assert_ok(hdf5_write_string(file, "nothing", "", &error), error);
    assert_ok(hdf5_write_int(file, "int", INT64_MIN, &error), error);
    assert_ok(hdf5_write_double(file, "double", 0.1, &error), error);
    assert_ok(hdf5_write_int_list(file, "list", &list, &error), error);
    assert_ok(hdf5_write_int_list(file, "empty", &empty, &error), error);
    struct hdf5_reader *reader = open_again(file, path);
    assert_ok(hdf5_read_string(&text, reader, "text", &error), error);
    assert_string_equal(text, "Schlagzeug \xc3\xbc");
    free(text);
    assert_ok(hdf5_read_string(&text, reader, "nothing", &error), error);
    assert_string_equal(text, "");
    free(text);
    assert_ok(hdf5_read_int(&integer, reader, "int", &error), error);
    assert_true(integer == INT64_MIN);
    assert_ok(hdf5_read_double(&number, reader, "double", &error), error);
    assert_true(number == 0.1);
    assert_ok(hdf5_read_int_list(&found_list, reader, "list", &error), error);
    assert_memory_equal(&found_list, &list, sizeof list);
    assert_ok(hdf5_read_int_list(&found_list, reader, "empty", &error), error);
    assert_int_equal(found_list.count, 0);
    assert_true(hdf5_has_attribute(reader, "list") && !hdf5_has_attribute(reader, "lis"));
    hdf5_reader_close(&reader);
    free(path);
}

/* An object header has no room for strings above 64 KiB. */
static void test_long_strings(void **state)
{
    struct error error;
    char *path = path_join(*state, "a.h5"), *text = NULL;
    const size_t sizes[] = {59999, 60000, 60001, 65535, 65536, 200000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *written = malloc(sizes[i] + 1);
        memset(written, 'x', sizes[i]);
        written[sizes[i]] = '\0';
        hid_t file = create(path);
        assert_ok(hdf5_write_string(file, "text", written, &error), error);
        struct hdf5_reader *reader = open_again(file, path);
        assert_ok(hdf5_read_string(&text, reader, "text", &error), error);
        assert_string_equal(text, written);
        hdf5_reader_close(&reader);
        free(text);
        free(written);
    }
    free(path);
}

static void test_attributes_of_other_kinds(void **state)
{
    struct error error;
    char *path = path_join(*state, "a.h5"), *text;
    const struct int_list list = {
        2, {1, 2}
    };
    struct int_list found;
    int64_t integer;
    double number;
    hid_t file = create(path);
    assert_ok(hdf5_write_string(file, "text", "x", &error), error);
    assert_ok(hdf5_write_int(file, "int", 3, &error), error);
    assert_ok(hdf5_write_double(file, "double", 0.1, &error), error);
    assert_ok(hdf5_write_int_list(file, "list", &list, &error), error);
    assert_fails(hdf5_write_int(file, "int", 4, &error), error, "a.h5: int: can't write the attribute (");
    struct hdf5_reader *reader = open_again(file, path);
    assert_fails(hdf5_read_string(&text, reader, "int", &error), error, "a.h5: int: the attribute is not a string");
    assert_fails(hdf5_read_string(&text, reader, "gone", &error), error, "a.h5: gone: the attribute is missing");
    assert_fails(hdf5_read_int(&integer, reader, "text", &error), error, "text: the attribute is not an integer");
    assert_fails(hdf5_read_int(&integer, reader, "double", &error), error, "double: the attribute is not an integer");
    assert_fails(hdf5_read_int(&integer, reader, "list", &error), error, "list: the attribute has too many values");
    assert_fails(hdf5_read_double(&number, reader, "int", &error), error, "int: the attribute is not a floating");
    assert_fails(hdf5_read_int_list(&found, reader, "text", &error), error, "text: the attribute is not an integer");
    hdf5_reader_close(&reader);
    free(path);
}

/* Writes an attribute as our programs never would. */
static void put_attribute(hid_t file, const char *name, hid_t type, hid_t space, const void *value)
{
    hid_t attribute = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(attribute >= 0);
    assert_true(!value || H5Awrite(attribute, type, value) >= 0);
    H5Aclose(attribute);
    H5Sclose(space);
}

static void test_strange_attributes(void **state)
{
    struct error error;
    char *path = path_join(*state, "a.h5"), *text;
    const hsize_t none = 0, nine = 9;
    int64_t integers[9] = {0}, integer;
    struct int_list list;
    double number;
    hid_t file = create(path);
    hid_t unended = text_type(3, H5T_STR_NULLPAD), huge = H5Tcopy(H5T_STD_I64LE),
          extended = H5Tcopy(H5T_NATIVE_LDOUBLE);
    H5Tset_precision(huge, 33);
    put_attribute(file, "unended", unended, H5Screate(H5S_SCALAR), "abcd");
    put_attribute(file, "null", H5T_STD_I64LE, H5Screate(H5S_NULL), NULL);
    put_attribute(file, "zero", H5T_STD_I64LE, H5Screate_simple(1, &none, NULL), NULL);
    put_attribute(file, "nine", H5T_STD_I64LE, H5Screate_simple(1, &nine, NULL), integers);
    put_attribute(file, "odd", huge, H5Screate(H5S_SCALAR), integers);
    put_attribute(file, "extended", extended, H5Screate(H5S_SCALAR), integers);
    put_attribute(file, "big", H5T_STD_I16BE, H5Screate(H5S_SCALAR), "\xff\xfe");
    struct hdf5_reader *reader = open_again(file, path);
    assert_ok(hdf5_read_string(&text, reader, "unended", &error), error);
    assert_string_equal(text, "abc");
    free(text);
    assert_ok(hdf5_read_int(&integer, reader, "big", &error), error);
    assert_int_equal(integer, -2);
    assert_fails(hdf5_read_int(&integer, reader, "null", &error), error, "has no value");
    assert_fails(hdf5_read_int(&integer, reader, "zero", &error), error, "has no value");
    assert_fails(hdf5_read_int(&integer, reader, "odd", &error), error, "is not an integer");
    assert_fails(hdf5_read_double(&number, reader, "extended", &error), error, "is not a floating-point number");
    assert_fails(hdf5_read_string(&text, reader, "null", &error), error, "is not a string");
    assert_fails(hdf5_read_int_list(&list, reader, "nine", &error), error, "too many values");
    H5Tclose(unended);
    H5Tclose(huge);
    H5Tclose(extended);
    hdf5_reader_close(&reader);
    free(path);
}

static void test_formats(void **state)
{
    struct error error;
    struct hdf5_reader *file;
    char *path = path_join(*state, "a.h5");
    put_foreign(path, "drumline-shard", 1);
    assert_fails(hdf5_open(&file, path, FORMAT, &error), error, "a.h5: is a drumline-shard, not a drumline-example");
    assert_null(file);
    char *format = hdf5_read_format(path, &error);
    assert_string_equal(format, "drumline-shard");
    free(format);
    put_foreign(path, "drumline\x1b[2Jshard", 1);
    assert_fails(hdf5_open(&file, path, FORMAT, &error), error, "a.h5: is an HDF5 file, but not a drumline-example");
    assert_fails(hdf5_read_format(path, &error), error, "a.h5: is an HDF5 file, but not one of Drumline's");
    put_foreign(path, FORMAT, 7);
    assert_fails(hdf5_open(&file, path, FORMAT, &error), error,
                 "a.h5: is a drumline-example of version 7; this program knows version 1");
    put_foreign(path, FORMAT, -1);
    assert_fails(hdf5_open(&file, path, FORMAT, &error), error, "version: the attribute is missing");
    put_foreign(path, NULL, 1);
    assert_fails(hdf5_open(&file, path, FORMAT, &error), error, "a.h5: is an HDF5 file, but not a drumline-example");
    assert_fails(hdf5_read_format(path, &error), error, "a.h5: is an HDF5 file, but not one of Drumline's");
    free(path);
}

static void test_no_hdf5_file(void **state)
{
    struct error error;
    struct hdf5_reader *file;
    char *path = path_join(*state, "a.h5"), *pipe = path_join(*state, "pipe");
    assert_fails(hdf5_open(&file, path, FORMAT, &error), error, "a.h5: can't open: No such file or directory");
    assert_ok(file_write(path, path, "MThd", 4, &error), error);
    assert_fails(hdf5_open(&file, path, FORMAT, &error), error, "a.h5: is not an HDF5 file, or is damaged (");
    assert_ok(file_write(path, path, "", 0, &error), error);
    assert_fails(hdf5_open(&file, path, FORMAT, &error), error, "a.h5: is empty");
    assert_fails(hdf5_read_format(path, &error), error, "a.h5: is empty");
    assert_fails(hdf5_open(&file, *state, FORMAT, &error), error, "is a folder, not an HDF5 file");
    assert_int_equal(mkfifo(pipe, 0666), 0);
    assert_fails(hdf5_open(&file, pipe, FORMAT, &error), error, "pipe: is not a regular file");
    free(path);
    free(pipe);
}

static void test_settings(void **state)
{
    struct error error;
    char *path = path_join(*state, "a.h5");
    struct values values =
                      {
                          .flag = true, .count = 5, .rate = 1.0 / 3, .name = "n", .sizes = {2, {3, 4}}
    },
                  found = {0};
    hid_t file = create(path);
    assert_ok(hdf5_write_settings(file, &table, &values, &error), error);
    struct hdf5_reader *reader = open_again(file, path);
    settings_default(&table, &found);
    assert_ok(hdf5_read_settings(&found, reader, &table, &error), error);
    assert_true(found.flag && found.count == 5 && found.rate == 1.0 / 3 && found.mode == 0);
    assert_string_equal(found.name, "n");
    assert_memory_equal(&found.sizes, &values.sizes, sizeof found.sizes);
    settings_free(&table, &found);
    hdf5_reader_close(&reader);
    free(path);
}

/* Settings are not read from `file`, which is closed, for this reason. */
static void refuse_settings(hid_t file, const char *path, const char *reason)
{
    struct error error;
    struct values found = {0};
    struct hdf5_reader *reader = open_again(file, path);
    settings_default(&table, &found);
    assert_fails(hdf5_read_settings(&found, reader, &table, &error), error, reason);
    settings_free(&table, &found);
    hdf5_reader_close(&reader);
}

static void test_settings_missing_and_wrong(void **state)
{
    struct error error;
    char *path = path_join(*state, "a.h5");
    struct values found = {0};
    struct hdf5_reader *reader = open_again(create(path), path);
    settings_default(&table, &found);
    assert_ok(hdf5_read_settings(&found, reader, &table, &error), error);
    hdf5_reader_close(&reader);
    assert_true(found.count == 32 && found.mode == 1);
    hid_t file = create(path);
    assert_ok(hdf5_write_int(file, "flag", 2, &error), error);
    refuse_settings(file, path, "a.h5: attribute: flag=2: not a boolean");
    file = create(path);
    assert_ok(hdf5_write_int(file, "batch_size", 65, &error), error);
    refuse_settings(file, path, "batch_size=65: out of bounds");
    file = create(path);
    assert_ok(hdf5_write_double(file, "learning_rate", (double)NAN, &error), error);
    refuse_settings(file, path, "learning_rate=nan: not a number");
    file = create(path);
    assert_ok(hdf5_write_string(file, "mode", "sleep", &error), error);
    refuse_settings(file, path, "mode=sleep: no such choice");
    file = create(path);
    assert_ok(hdf5_write_string(file, "rnn_size", "[3]", &error), error);
    refuse_settings(file, path, "rnn_size: the attribute is not an integer");
    settings_free(&table, &found);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_attributes, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_long_strings, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_attributes_of_other_kinds, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_strange_attributes, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_formats, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_no_hdf5_file, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_settings, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_settings_missing_and_wrong, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
