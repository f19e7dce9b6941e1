#include "base/cli/options.h"
#include "base/log.h"
#include "base/version.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

struct values {
    char *input_dir;
    bool recursive, notes;
    int64_t num_steps;
    double temperature;
};

static const struct setting rows[] = {
    {"input_dir",   SETTING_STRING, offsetof(struct values, input_dir),   NULL,   0, 0,    NULL, "DIR",
     "Folder that holds the performances, or that holds folders that do, to whatever depth --recursive is asked for."       },
    {"recursive",   SETTING_BOOL,   offsetof(struct values, recursive),   NULL,   0, 0,    NULL, NULL,  "Look below too."   },
    {"notes",       SETTING_BOOL,   offsetof(struct values, notes),       "true", 0, 0,    NULL, NULL,  "Notes."            },
    {"num_steps",   SETTING_INT,    offsetof(struct values, num_steps),   "100",  1, 1000, NULL, NULL,  "Steps of training."},
    {"temperature", SETTING_DOUBLE, offsetof(struct values, temperature), "1",    0, 10,   NULL, NULL,  "How wild."         },
};
static const struct options_group groups[] = {
    {"Input",    "input_dir"},
    {"Training", "num_steps"},
    {NULL,       NULL       }
};
static const struct program program = {
    .name = "drumline-example",
    .summary = "Shows how options work.",
    .usage = "--input_dir DIR [--num_steps N]",
    .examples = "drumline-example --input_dir midi\n",
    .table = {rows, sizeof rows / sizeof *rows},
    .groups = groups,
};

enum { MAX_WORDS = 16 };

/* A command line that was parsed, with what came of it. */
struct parsed {
    char *argv[MAX_WORDS + 1];
    int argc;
    struct values values;
    char **operands;
    int num_operands;
    struct error error;
    enum options_result result;
    char *printed; /* owned */
};

/* Parses words that are separated by '~'. */
static struct parsed *parse(const char *line, bool with_operands)
{
    static struct parsed parsed;
    static char words[1000];
    settings_free(&program.table, &parsed.values);
    free(parsed.printed);
    parsed = (struct parsed){.argv = {"drumline-example"}, .argc = 1};
    snprintf(words, sizeof words, "%s", line);
    for (char *word = *words ? words : NULL; word && parsed.argc < MAX_WORDS;) {
        char *end = strchr(word, '~');
        if (end)
            *end = '\0';
        parsed.argv[parsed.argc++] = word;
        word = end ? end + 1 : NULL;
    }
    struct capture capture = capture_start(STDOUT_FILENO);
    parsed.result = options_parse(&program, parsed.argc, parsed.argv, &parsed.values,
                                  with_operands ? &parsed.operands : NULL, &parsed.num_operands, &parsed.error);
    parsed.printed = capture_end(&capture);
    return &parsed;
}

static const struct values *parse_well(const char *line)
{
    const struct parsed *parsed = parse(line, false);
    if (parsed->result != OPTIONS_RUN)
        fail_msg("%s: %s", line, parsed->error.message);
    return &parsed->values;
}

static void assert_wrong(const char *line, const char *reason)
{
    const struct parsed *parsed = parse(line, false);
    assert_int_equal(parsed->result, OPTIONS_WRONG);
    assert_contains(parsed->error.message, reason);
    assert_string_equal(parsed->printed, "");
}

static void test_nothing_given(void **state)
{
    (void)state;
    const struct values *values = parse_well("");
    assert_null(values->input_dir);
    assert_true(!values->recursive && values->notes && values->num_steps == 100);
    assert_true(values->temperature == 1.0);
    assert_int_equal(log_get_level(), LOG_LEVEL_INFO);
}

static void test_spellings(void **state)
{
    (void)state;
    assert_string_equal(parse_well("--input_dir=a b")->input_dir, "a b");
    assert_string_equal(parse_well("--input-dir~a")->input_dir, "a");
    assert_string_equal(parse_well("--input-dir=a=b-c")->input_dir, "a=b-c");
    assert_string_equal(parse_well("--input_dir=--x")->input_dir, "--x");
    assert_string_equal(parse_well("--input_dir~-")->input_dir, "-");
    assert_string_equal(parse_well("--input_dir=a%sb\\'\"")->input_dir, "a%sb\\'\"");
    assert_int_equal(parse_well("--num-steps~7")->num_steps, 7);
    assert_int_equal(parse_well("--num_steps=7~--num_steps=8")->num_steps, 8);
    assert_true(parse_well("--temperature~2.5")->temperature == 2.5);
    assert_null(parse_well("--input_dir=a~--input_dir=")->input_dir);
    parse_well("--log=debug");
    assert_int_equal(log_get_level(), LOG_LEVEL_DEBUG);
}

/* A list that a space has cut in two, as people write it after Magenta's README. */
static void test_lists_with_spaces(void **state)
{
    (void)state;
    assert_string_equal(parse_well("--input_dir=a=1,~b=2")->input_dir, "a=1,b=2");
    assert_string_equal(parse_well("--input_dir~a=1,~b=2,~c=3")->input_dir, "a=1,b=2,c=3");
    const struct values *values = parse_well("--input_dir=a=1,~--num_steps=7");
    assert_string_equal(values->input_dir, "a=1,");
    assert_int_equal(values->num_steps, 7);
    assert_string_equal(parse_well("--input_dir=a,")->input_dir, "a,");
}

static void test_home_folder(void **state)
{
    struct values values = {0};
    struct error error;
    char *argv[] = {(char[]){"x"}, (char[]){"--input_dir=~/midi"}, NULL};
    (void)state;
    assert_int_equal(setenv("HOME", "/home/somebody", 1), 0);
    assert_int_equal(options_parse(&program, 2, argv, &values, NULL, NULL, &error), OPTIONS_RUN);
    assert_string_equal(values.input_dir, "/home/somebody/midi");
    settings_free(&program.table, &values);
}

static void test_flags(void **state)
{
    (void)state;
    assert_true(parse_well("--recursive")->recursive);
    assert_true(parse_well("--recursive=True")->recursive);
    assert_false(parse_well("--recursive~--norecursive")->recursive);
    assert_false(parse_well("--recursive~--no-recursive")->recursive);
    assert_false(parse_well("--recursive=0")->recursive);
    assert_false(parse_well("--nonotes")->notes);
    assert_true(parse_well("--nonotes~--notes")->notes);
}

static void test_wrong(void **state)
{
    (void)state;
    assert_wrong("--inputdir=a", "--inputdir: no such option; did you mean --input_dir?");
    assert_wrong("--verison", "did you mean --version?");
    assert_wrong("--zzzzzzz", "--zzzzzzz: no such option");
    assert_wrong("--nonum_steps", "no such option");
    assert_wrong("--norecursive=1", "takes no value");
    assert_wrong("--num_steps", "--num_steps: its value is missing");
    assert_wrong("--num_steps~--recursive", "--num_steps: its value is missing");
    assert_wrong("--num_steps=0", "--num_steps=0: out of bounds; allowed: integer, 1 to 1000");
    assert_wrong("--num_steps~x", "not a whole number");
    assert_wrong("--num_steps~-5", "--num_steps=-5: out of bounds");
    assert_wrong("--recursive=2", "not a boolean");
    assert_wrong("--log=loud", "--log=loud: no such choice; allowed: one of error, warning, info, debug");
    assert_wrong("--help=html", "write --help or --help=markdown");
    assert_wrong("-r", "options are written --NAME=VALUE");
    assert_wrong("--=3", "no such option");
    assert_wrong("word", "'word': is not an option's value");
    assert_wrong("--recursive~True", "'True': is not an option's value");
}

static void test_operands(void **state)
{
    (void)state;
    const struct parsed *parsed = parse("a~--num_steps~3~b~--recursive~-~--~--c", true);
    assert_int_equal(parsed->result, OPTIONS_RUN);
    assert_int_equal(parsed->num_operands, 4);
    assert_string_equal(parsed->operands[0], "a");
    assert_string_equal(parsed->operands[1], "b");
    assert_string_equal(parsed->operands[2], "-");
    assert_string_equal(parsed->operands[3], "--c");
    assert_ptr_equal(parsed->operands, parsed->argv + parsed->argc - 4);
    assert_int_equal(parsed->values.num_steps, 3);
    assert_int_equal(parse("", true)->num_operands, 0);
}

static void test_version(void **state)
{
    (void)state;
    const struct parsed *parsed = parse("--version", false);
    char expected[64];
    snprintf(expected, sizeof expected, "drumline-example %s\n", drumline_version());
    assert_int_equal(parsed->result, OPTIONS_DONE);
    assert_string_equal(parsed->printed, expected);
}

/* Help fits 100 columns and holds every option with its bounds and default, under its group. */
static void test_help(void **state)
{
    (void)state;
    const struct parsed *parsed = parse("--help", false);
    assert_int_equal(parsed->result, OPTIONS_DONE);
    for (const char *line = parsed->printed; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 100);
    const char *input = strstr(parsed->printed, "\nInput:\n"), *training = strstr(parsed->printed, "\nTraining:\n");
    assert_true(input && training && input < training);
    assert_true(strstr(input, "--recursive") && strstr(input, "--recursive") < training);
    assert_contains(training, "--num_steps=N               Steps of training. (integer, 1 to 1000; default 100)");
    assert_contains(training, "--log=LEVEL");
    assert_contains(training, "drumline-example --input_dir midi\n");
    assert_int_equal(parse("-h", false)->result, OPTIONS_DONE);
    assert_int_equal(parse("--help~word", false)->result, OPTIONS_DONE);
}

/* Magenta's commands say --log=INFO and the like. */
static void test_log_levels_of_magenta(void **state)
{
    (void)state;
    static const struct {
        const char *option;
        enum log_level level;
    } cases[] = {
        {"--log=DEBUG",   LOG_LEVEL_DEBUG  },
        {"--log=INFO",    LOG_LEVEL_INFO   },
        {"--log=WARN",    LOG_LEVEL_WARNING},
        {"--log~Warn",    LOG_LEVEL_WARNING},
        {"--log=Warning", LOG_LEVEL_WARNING},
        {"--log=ERROR",   LOG_LEVEL_ERROR  },
        {"--log=FATAL",   LOG_LEVEL_ERROR  },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        parse_well(cases[i].option);
        assert_int_equal(log_get_level(), cases[i].level);
    }
    assert_wrong("--log=WARNINGS", "--log=WARNINGS: no such choice; allowed: one of error, warning, info, debug");
    log_set_level(LOG_LEVEL_INFO);
}

static void test_markdown_help(void **state)
{
    (void)state;
    const struct parsed *parsed = parse("--help=markdown", false);
    assert_int_equal(parsed->result, OPTIONS_DONE);
    assert_contains(parsed->printed, "## drumline-example\n");
    assert_contains(parsed->printed, "| `--num_steps=N` | Steps of training. | integer, 1 to 1000 | `100` |\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_given), cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_flags),         cmocka_unit_test(test_lists_with_spaces),
        cmocka_unit_test(test_home_folder),   cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_operands),      cmocka_unit_test(test_version),
        cmocka_unit_test(test_help),          cmocka_unit_test(test_log_levels_of_magenta),
        cmocka_unit_test(test_markdown_help),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    parse("", false);
    return failed;
}
