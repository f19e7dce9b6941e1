#include "base/cli/settings.h"
#include "tests/support/unit.h"

#include <stdlib.h>

struct values {
    bool flag;
    int64_t count;
    int64_t any;
    double rate;
    double largest;
    char *name;
    int mode;
    struct int_list sizes;
};

static const struct setting rows[] = {
    {"flag",          SETTING_BOOL,     offsetof(struct values, flag),    NULL,        0,   0,     NULL,              NULL, "A flag."     },
    {"batch_size",    SETTING_INT,      offsetof(struct values, count),   "32",        1,   64,    NULL,              NULL, "A number."   },
    {"any",           SETTING_INT,      offsetof(struct values, any),     NULL,        0,   0,     NULL,              NULL, "Any number." },
    {"learning_rate", SETTING_DOUBLE,   offsetof(struct values, rate),    "0.001",     0,   1,     NULL,              NULL, "A rate."     },
    {"largest",       SETTING_DOUBLE,   offsetof(struct values, largest), "1e30",      0.5, 1e300, NULL,              NULL, "A large one."},
    {"name",          SETTING_STRING,   offsetof(struct values, name),    NULL,        0,   0,     NULL,              NULL, "A name."     },
    {"mode",          SETTING_CHOICE,   offsetof(struct values, mode),    "eval",      0,   0,     "train|eval|test", NULL, "A mode."     },
    {"rnn_size",      SETTING_INT_LIST, offsetof(struct values, sizes),   "[256,256]", 1,   1000,  NULL,              NULL, "Sizes."      },
};
static const struct settings_table table = {rows, sizeof rows / sizeof *rows};

enum { FLAG, BATCH_SIZE, ANY, LEARNING_RATE, LARGEST, NAME, MODE, RNN_SIZE };

static void test_defaults(void **state)
{
    (void)state;
    struct values values;
    memset(&values, 0xff, sizeof values);
    settings_default(&table, &values);
    assert_false(values.flag);
    assert_int_equal(values.count, 32);
    assert_int_equal(values.any, 0);
    assert_true(values.rate == 0.001 && values.largest == 1e30);
    assert_null(values.name);
    assert_int_equal(values.mode, 1);
    assert_int_equal(values.sizes.count, 2);
    assert_int_equal(values.sizes.values[1], 256);
    settings_free(&table, &values);
}

static void assert_formats(const struct values *values, int row, const char *expected)
{
    char text[SETTING_TEXT_MAX];
    assert_string_equal(setting_format(&rows[row], values, text), expected);
}

static void assert_parses(int row, const char *text, const char *expected)
{
    struct error error;
    struct values values = {0};
    settings_default(&table, &values);
    assert_ok(setting_parse(&rows[row], &values, text, &error), error);
    assert_formats(&values, row, expected);
    settings_free(&table, &values);
}

/* Refused with the reason, and what was there stays. */
static void assert_refused(int row, const char *text, const char *reason)
{
    struct error error;
    char before[SETTING_TEXT_MAX];
    struct values values = {0};
    settings_default(&table, &values);
    setting_format(&rows[row], &values, before);
    assert_fails(setting_parse(&rows[row], &values, text, &error), error, reason);
    assert_formats(&values, row, before);
    settings_free(&table, &values);
}

static void test_bools(void **state)
{
    (void)state;
    static const char *const yes[] = {"true", "True", "TRUE", "1", "yes", "Yes"};
    static const char *const no[] = {"false", "False", "0", "no", "NO"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        assert_parses(FLAG, yes[i], "true");
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_parses(FLAG, no[i], "false");
    assert_refused(FLAG, "", "flag=: not a boolean; allowed: true or false");
    assert_refused(FLAG, "2", "not a boolean");
    assert_refused(FLAG, "truely", "not a boolean");
}

static void test_ints(void **state)
{
    (void)state;
    assert_parses(BATCH_SIZE, "1", "1");
    assert_parses(BATCH_SIZE, "64", "64");
    assert_parses(ANY, "-9223372036854775808", "-9223372036854775808");
    assert_parses(ANY, "9223372036854775807", "9223372036854775807");
    assert_refused(ANY, "9223372036854775808", "not a whole number");
    assert_refused(BATCH_SIZE, "0", "batch_size=0: out of bounds; allowed: integer, 1 to 64");
    static const char *const wrong[] = {"", " 3", "3 ", "3x", "0x3", "1e1", "--3", "+", "-", "3.0", "nan", "٣"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_refused(BATCH_SIZE, wrong[i], "not a whole number");
}

static void test_doubles(void **state)
{
    (void)state;
    assert_parses(LEARNING_RATE, "5e-4", "0.0005");
    assert_parses(LEARNING_RATE, "1", "1");
    assert_parses(LEARNING_RATE, "0.1", "0.1");
    assert_parses(LARGEST, "1000000", "1000000");
    assert_parses(LARGEST, "1e300", "1e+300");
    static const char *const wrong[] = {"", " 1", "1 ", "nan", "NAN(3)", "1,5", "x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_refused(LEARNING_RATE, wrong[i], "not a number");
    static const char *const infinite[] = {"inf", "-inf", "1e999"};
    for (size_t i = 0; i < sizeof infinite / sizeof *infinite; i++)
        assert_refused(LEARNING_RATE, infinite[i], "not finite; allowed: number, 0 to 1");
    assert_refused(LEARNING_RATE, "1.0000001", "out of bounds; allowed: number, 0 to 1");
    assert_refused(LEARNING_RATE, "-1e-300", "out of bounds");
    assert_refused(LARGEST, "0", "allowed: number, at least 0.5");
}

/* What is written is read back as the same bits. */
static void test_double_digits(void **state)
{
    (void)state;
    static const double numbers[] = {0.1, 1.0 / 3, 1e-300, 0x1.fffffffffffffp-2, 5e-324, 0.3, 2.0 / 3};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct error error;
        char text[SETTING_TEXT_MAX];
        struct values values = {.rate = numbers[i]}, back = {0};
        setting_format(&rows[LEARNING_RATE], &values, text);
        assert_ok(setting_parse(&rows[LEARNING_RATE], &back, text, &error), error);
        assert_true(back.rate == numbers[i]);
    }
}

static void test_strings(void **state)
{
    (void)state;
    static char text[SETTING_TEXT_MAX + 1];
    assert_parses(NAME, "a b=c,[d]", "a b=c,[d]");
    assert_parses(NAME, "", "");
    memset(text, 'x', SETTING_TEXT_MAX - 1);
    assert_parses(NAME, text, text);
    text[SETTING_TEXT_MAX - 1] = 'x';
    assert_refused(NAME, text, "too long");
}

static void test_string_given_again(void **state)
{
    (void)state;
    struct error error;
    struct values values = {0};
    assert_ok(setting_parse(&rows[NAME], &values, "first", &error), error);
    assert_ok(setting_parse(&rows[NAME], &values, "second", &error), error);
    assert_string_equal(values.name, "second");
    assert_ok(setting_parse(&rows[NAME], &values, values.name, &error), error);
    assert_string_equal(values.name, "second");
    assert_ok(setting_parse(&rows[NAME], &values, "", &error), error);
    assert_null(values.name);
}

static void test_choices(void **state)
{
    (void)state;
    assert_parses(MODE, "train", "train");
    assert_parses(MODE, "test", "test");
    assert_refused(MODE, "", "mode=: no such choice; allowed: one of train, eval, test");
    assert_refused(MODE, "trai", "no such choice");
    assert_refused(MODE, "train|eval", "no such choice");
    assert_refused(MODE, "|", "no such choice");
}

static void test_lists(void **state)
{
    (void)state;
    assert_parses(RNN_SIZE, "[1,2,3]", "[1,2,3]");
    assert_parses(RNN_SIZE, "[ 1 , 2 ]", "[1,2]");
    assert_parses(RNN_SIZE, "7", "[7]");
    assert_parses(RNN_SIZE, "[]", "[]");
    assert_parses(RNN_SIZE, "[1,2,3,4,5,6,7,8]", "[1,2,3,4,5,6,7,8]");
    assert_refused(RNN_SIZE, "[1,2,3,4,5,6,7,8,9]", "not a list of whole numbers; allowed: [a,b,...] of at most 8");
    assert_refused(RNN_SIZE, "[1,0]", "out of bounds");
    static const char *const wrong[] = {"", "[", "]", "[1", "[1,2", "[1 2]", "[1,2]x", "[,]", "[a]", "1,2", "[[1]]"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_refused(RNN_SIZE, wrong[i], "not a list");
}

static void test_long_text_is_cut(void **state)
{
    (void)state;
    static char text[100000];
    struct error error;
    struct values values = {0};
    memset(text, '9', sizeof text - 1);
    assert_fails(setting_parse(&rows[ANY], &values, text, &error), error,
                 "999...: not a whole number; allowed: integer");
}

static void test_find(void **state)
{
    (void)state;
    assert_ptr_equal(settings_find(&table, "batch_size"), &rows[BATCH_SIZE]);
    assert_ptr_equal(settings_find(&table, "batch-size"), &rows[BATCH_SIZE]);
    assert_null(settings_find(&table, "batch"));
    assert_null(settings_find(&table, "batch_size_"));
    assert_null(settings_find(&table, ""));
}

static void test_nearest(void **state)
{
    (void)state;
    assert_string_equal(settings_nearest(&table, "batchsize"), "batch_size");
    assert_string_equal(settings_nearest(&table, "bacth-size"), "batch_size");
    assert_string_equal(settings_nearest(&table, "learning"), "learning_rate");
    assert_string_equal(settings_nearest(&table, "mod"), "mode");
    assert_null(settings_nearest(&table, "zzzzzz"));
    assert_null(settings_nearest(&table, ""));
    static char text[1000];
    memset(text, 'b', sizeof text - 1);
    assert_null(settings_nearest(&table, text));
}

static void test_parse_list(void **state)
{
    (void)state;
    struct error error;
    struct values values = {0};
    settings_default(&table, &values);
    assert_ok(settings_parse_list(&table, &values, "", &error), error);
    assert_ok(settings_parse_list(&table, &values, "  ", &error), error);
    assert_int_equal(values.count, 32);
    assert_ok(settings_parse_list(&table, &values, "batch-size=3,rnn_size=[2,3], mode = train,name=a=b", &error),
              error);
    assert_int_equal(values.count, 3);
    assert_formats(&values, RNN_SIZE, "[2,3]");
    assert_int_equal(values.mode, 0);
    assert_string_equal(values.name, "a=b");
    assert_ok(settings_parse_list(&table, &values, "batch_size=4,batch_size=5", &error), error);
    assert_int_equal(values.count, 5);
    settings_free(&table, &values);
}

static void test_parse_list_refuses(void **state)
{
    (void)state;
    struct error error;
    struct values values = {0};
    settings_default(&table, &values);
    assert_fails(settings_parse_list(&table, &values, "bathc_size=3", &error), error, "did you mean batch_size?");
    assert_fails(settings_parse_list(&table, &values, "zzz=3", &error), error, "zzz: no such name");
    assert_fails(settings_parse_list(&table, &values, "batch_size", &error), error, "'batch_size': write NAME=VALUE");
    assert_fails(settings_parse_list(&table, &values, "batch_size=3,", &error), error, "write NAME=VALUE");
    assert_fails(settings_parse_list(&table, &values, ",", &error), error, "write NAME=VALUE");
    assert_fails(settings_parse_list(&table, &values, "batch_size=99", &error), error, "out of bounds");
    assert_fails(settings_parse_list(&table, &values, "rnn_size=[1,2,mode=eval", &error), error, "not a list");
    assert_fails(settings_parse_list(&table, &values, "rnn_size=1,2", &error), error, "write NAME=VALUE");
    settings_free(&table, &values);
}

static void test_allowed(void **state)
{
    (void)state;
    char text[SETTING_TEXT_MAX];
    assert_string_equal(setting_allowed(&rows[FLAG], text), "true or false");
    assert_string_equal(setting_allowed(&rows[ANY], text), "integer");
    assert_string_equal(setting_allowed(&rows[RNN_SIZE], text), "[a,b,...] of at most 8 integers, 1 to 1000");
}

/* Doubles hold no odd number above 2^53. */
static void test_exact_integer_bounds(void **state)
{
    struct error error;
    int64_t value = 0;
    struct int_list list = {0};
    const struct setting number = {.name = "number", .type = SETTING_INT, .minimum = -0x1p53, .maximum = 0x1p53};
    const struct setting numbers = {.name = "numbers", .type = SETTING_INT_LIST, .maximum = 0x1p53};
    const struct setting large = {.name = "large", .type = SETTING_INT, .minimum = 1, .maximum = 1e19};
    (void)state;
    assert_ok(setting_parse(&number, &value, "9007199254740992", &error), error);
    assert_fails(setting_parse(&number, &value, "9007199254740993", &error), error, "out of bounds");
    assert_fails(setting_parse(&number, &value, "-9007199254740993", &error), error, "out of bounds");
    assert_true(value == INT64_C(9007199254740992));
    assert_fails(setting_parse(&numbers, &list, "[1,9007199254740993]", &error), error, "out of bounds");
    assert_ok(setting_parse(&large, &value, "9223372036854775807", &error), error);
    assert_true(value == INT64_MAX);
    assert_fails(setting_parse(&large, &value, "0", &error), error, "out of bounds");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_integer_bounds),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_bools),
        cmocka_unit_test(test_ints),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_double_digits),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_string_given_again),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_long_text_is_cut),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_parse_list),
        cmocka_unit_test(test_parse_list_refuses),
        cmocka_unit_test(test_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
