/* Any text as --hparams, and as the words of a command line: what is accepted is within its bounds, and is read back the same from what
 * it is written as. */
#include "base/cli/options.h"
#include "model/vae/hparams.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct setting *row_of(size_t i)
{
    return &hparams_table.rows[i];
}

static void check_hparams(const char *text)
{
    struct hparams hparams = {0}, again = {0};
    struct error error = {.message = ""};
    const struct config *config = config_find("groovae_4bar", &error);
    if (!hparams_make(&hparams, config, text, &error)) {
        fuzz_require(error.message[0] != '\0', "a refusal has a message");
        return;
    }
    again = hparams;
    for (size_t i = 0; i < hparams_table.count; i++) {
        char value[SETTING_TEXT_MAX], other[SETTING_TEXT_MAX];
        setting_format(row_of(i), &hparams, value);
        fuzz_require(setting_parse(row_of(i), &again, value, &error), "what is written is read");
        fuzz_require(strcmp(setting_format(row_of(i), &again, other), value) == 0, "what is read is what was written");
    }
}

struct values {
    bool flag;
    int64_t number;
    double real;
    char *text;
    int choice;
    struct int_list list;
};

#define ROW(name, type, text, minimum, maximum, choices)                                                               \
    SETTING_ROW(struct values, name, type, text, minimum, maximum, choices, NULL, "Help.")

static const struct setting rows[] = {
    ROW(flag, SETTING_BOOL, NULL, 0, 0, NULL),           ROW(number, SETTING_INT, "3", -5, 1000, NULL),
    ROW(real, SETTING_DOUBLE, "0.5", 0, 1, NULL),        ROW(text, SETTING_STRING, NULL, 0, 0, "alone"),
    ROW(choice, SETTING_CHOICE, "one", 0, 0, "one|two"), ROW(list, SETTING_INT_LIST, "[1,2]", 1, 64, NULL),
};

static const struct program program = {
    .name = "fuzz", .summary = "tries words", .usage = "[OPTION]...", .table = {rows, sizeof rows / sizeof *rows}
};

/* Each line is a word. */
static void check_options(char *text)
{
    enum { MOST_WORDS = 32 };
    struct values values = {0};
    struct error error = {.message = ""};
    char name[] = "fuzz", *words[MOST_WORDS + 1] = {name}, **operands, *rest;
    int count = 1, num_operands;
    for (char *word = strtok_r(text, "\n", &rest); word && count < MOST_WORDS; word = strtok_r(NULL, "\n", &rest))
        words[count++] = word;
    enum options_result result = options_parse(&program, count, words, &values, &operands, &num_operands, &error);
    if (result == OPTIONS_RUN) {
        fuzz_require(values.number >= -5 && values.number <= 1000, "a number is within its bounds");
        fuzz_require(values.real >= 0 && values.real <= 1, "a real is within its bounds");
        fuzz_require(values.choice == 0 || values.choice == 1, "a choice is one of them");
        fuzz_require(values.list.count >= 0 && values.list.count <= SETTING_LIST_MAX, "a list has room");
        fuzz_require(num_operands >= 0 && num_operands < count, "operands are words");
    }
    settings_free(&program.table, &values);
}

/* The first byte chooses. What --help prints is of no use here. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static bool is_quiet = false;
    if (!is_quiet)
        is_quiet = freopen("/dev/null", "w", stdout) != NULL;
    if (size == 0)
        return 0;
    char *text = fuzz_text(bytes + 1, size - 1);
    if (bytes[0] & 1)
        check_options(text);
    else
        check_hparams(text);
    free(text);
    return 0;
}
