#include "base/cli/options.h"
#include "base/cli/options_common.h"
#include "base/log.h"
#include "base/text.h"
#include "base/version.h"

#include <popt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SHOWN_TEXT = 120 };

/* The options that every program has. */
struct common_options {
    char *help; /* the format to print help in: "text", "markdown" */
    bool version;
    int log;
};

static const struct setting common_rows[] = {
    {"help",    SETTING_STRING, offsetof(struct common_options, help),    NULL,   0, 0, "text",            "",
     "Print this page; as Markdown with --help=markdown."                                                                               },
    {"version", SETTING_BOOL,   offsetof(struct common_options, version), NULL,   0, 0, NULL,              NULL,    "Print the version."},
    {"log",     SETTING_CHOICE, offsetof(struct common_options, log),     "info", 0, 0, LOG_LEVEL_CHOICES, "LEVEL",
     "Verbosity on stderr, in upper or lower case; Magenta's WARN and FATAL are warning and error."                                     },
};
const struct settings_table options_common_table = {common_rows, sizeof common_rows / sizeof *common_rows};

/* The command line in one spelling: every option as "--name=value", and apart from them the other words. */
struct words {
    const char **options; /* [num_options], ended by NULL for popt; [0] is the program's name; the others are owned */
    int num_options;
    char **operands; /* pointers into argv */
    int num_operands;
};

static void *must_allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory) {
        fprintf(stderr, "drumline: no memory for the command line\n");
        abort();
    }
    return memory;
}

static void free_words(struct words *words)
{
    for (int i = 1; i < words->num_options; i++)
        free((char *)words->options[i]);
    free(words->options);
    free(words->operands);
}

static const struct setting *find_row(const struct program *program, const char *name)
{
    const struct setting *row = settings_find(&program->table, name);
    return row ? row : settings_find(&options_common_table, name);
}

/* Whether it is given without a value, and turned off by `--noNAME`. */
static bool is_flag(const struct setting *row)
{
    return row->type == SETTING_BOOL ||
           (row->type == SETTING_CHOICE && strcmp(row->choices, SETTING_AUTO_CHOICES) == 0);
}

/* The row that `--noNAME` or `--no_NAME` turns off, NULL where there is none. */
static const struct setting *find_negated(const struct program *program, const char *name)
{
    if (strncmp(name, "no", 2) != 0)
        return NULL;
    const struct setting *row = find_row(program, name + 2);
    if (!row && (name[2] == '_' || name[2] == '-'))
        row = find_row(program, name + 3);
    return row && is_flag(row) ? row : NULL;
}

static bool refuse_unknown(const struct program *program, const char *name, struct error *error)
{
    const char *nearest = settings_nearest(&program->table, name);
    if (!nearest)
        nearest = settings_nearest(&options_common_table, name);
    if (nearest)
        return error_set(error, "--%.*s: no such option; did you mean --%s?", SHOWN_TEXT, name, nearest);
    return error_set(error, "--%.*s: no such option", SHOWN_TEXT, name);
}

/* "--NAME=VALUE". A path that begins with ~/ lies in the home folder, where a shell has not said so already. A text that ends in a comma is a list that a space has cut in two, as in `--hparams=a=1, b=2`: the next words
 * belong to it. */
static char *join_list(const struct setting *row, const char *value, int argc, char **argv, int *index)
{
    const char *home = getenv("HOME");
    bool in_home = row->type == SETTING_STRING && strncmp(value, "~/", 2) == 0 && home;
    char *word = format_text("--%s=%s%s", row->name, in_home ? home : "", in_home ? value + 1 : value);
    while (row->type == SETTING_STRING && word[strlen(word) - 1] == ',' && *index + 1 < argc &&
           strncmp(argv[*index + 1], "--", 2) != 0) {
        char *longer = format_text("%s%s", word, argv[++*index]);
        free(word);
        word = longer;
    }
    return word;
}

/* Turns the option at argv[*index] into one word, taking the next one as its value where it has none of its own. */
static bool take_option(struct words *words, const struct program *program, int argc, char **argv, int *index,
                        struct error *error)
{
    const char *given = argv[*index] + 2;
    size_t length = strcspn(given, "=");
    const char *value = given[length] == '=' ? given + length + 1 : NULL;
    char *name = format_text("%.*s", (int)(length < 1000 ? length : 1000), given);
    const struct setting *row = find_row(program, name);
    const struct setting *negated = row ? NULL : find_negated(program, name);
    bool ok = true;
    if (!row && !negated) {
        ok = refuse_unknown(program, name, error);
    } else if (negated && value) {
        ok = error_set(error, "--%s takes no value; write --%s=%.*s", name, negated->name, SHOWN_TEXT, value);
    } else if (negated) {
        row = negated;
        value = "false";
    } else if (!value && is_flag(row)) {
        value = "true";
    } else if (!value && row->type != SETTING_CHOICE && row->choices) {
        value = row->choices;
    } else if (!value && (*index + 1 >= argc || strncmp(argv[*index + 1], "--", 2) == 0)) {
        ok = error_set(error, "--%s: its value is missing; write --%s=VALUE", row->name, row->name);
    } else if (!value) {
        value = argv[++*index];
    }
    if (ok)
        words->options[words->num_options++] = join_list(row, value, argc, argv, index);
    free(name);
    return ok;
}

static bool normalise(struct words *words, const struct program *program, int argc, char **argv, struct error *error)
{
    words->options = must_allocate((size_t)argc + 2, sizeof *words->options);
    words->operands = must_allocate((size_t)argc + 1, sizeof *words->operands);
    words->options[words->num_options++] = program->name;
    bool only_operands = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (only_operands || word[0] != '-' || word[1] == '\0') {
            words->operands[words->num_operands++] = argv[i];
        } else if (strcmp(word, "--") == 0) {
            only_operands = true;
        } else if (strcmp(word, "-h") == 0) {
            words->options[words->num_options++] = format_text("--help=text");
        } else if (word[1] != '-') {
            return error_set(error, "%.*s: no such option; options are written --NAME=VALUE (%s --help lists them)",
                             SHOWN_TEXT, word, program->name);
        } else if (!take_option(words, program, argc, argv, &i, error)) {
            return false;
        }
    }
    return true;
}

/* The choice of --log for one of its names or Magenta's, in any case; any other text is returned as it is. */
static const char *log_level_choice(const char *text)
{
    static const char *const names[][2] = {
        {"fatal",   "error"  },
        {"error",   "error"  },
        {"warn",    "warning"},
        {"warning", "warning"},
        {"info",    "info"   },
        {"debug",   "debug"  },
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(text, names[i][0]) == 0)
            return names[i][1];
    return text;
}

/* Sets one row's value, which popt has taken apart. Values of the common rows go to `common`, the others to `values`. */
static bool set_option(const struct program *program, int number, const char *text, void *values,
                       struct common_options *common, struct error *error)
{
    size_t index = (size_t)number - 1;
    bool is_common = index >= program->table.count;
    const struct setting *row = is_common ? &common_rows[index - program->table.count] : &program->table.rows[index];
    if (is_common && strcmp(row->name, "log") == 0)
        text = log_level_choice(text);
    if (setting_parse(row, is_common ? (void *)common : values, text, error))
        return true;
    struct error reason = *error;
    return error_set(error, "--%s", reason.message);
}

/* popt's table: number N stands for row N - 1, the common rows after the program's. Owned by the caller. */
static struct poptOption *make_popt_table(const struct program *program)
{
    size_t count = program->table.count + options_common_table.count;
    struct poptOption *table = must_allocate(count + 1, sizeof *table);
    for (size_t i = 0; i < count; i++) {
        bool is_common = i >= program->table.count;
        table[i].longName = is_common ? common_rows[i - program->table.count].name : program->table.rows[i].name;
        table[i].argInfo = POPT_ARG_STRING;
        table[i].val = (int)i + 1;
    }
    return table;
}

static bool parse_options(const struct program *program, const struct words *words, void *values,
                          struct common_options *common, struct error *error)
{
    struct poptOption *table = make_popt_table(program);
    poptContext context = poptGetContext(program->name, words->num_options, words->options, table, 0);
    bool ok = context != NULL;
    if (!ok)
        error_set(error, "no memory for the command line");
    int number = 0;
    while (ok && (number = poptGetNextOpt(context)) > 0) {
        char *text = poptGetOptArg(context);
        ok = set_option(program, number, text ? text : "", values, common, error);
        free(text);
    }
    if (ok && number < -1)
        ok = error_set(error, "%s: %s", poptBadOption(context, 0), poptStrerror(number));
    poptFreeContext(context);
    free(table);
    return ok;
}

/* Moves the operands to argv's end, where they stay as long as argv does. */
static bool hand_over_operands(const struct words *words, int argc, char **argv, char ***operands, int *num_operands,
                               struct error *error)
{
    if (operands) {
        *operands = argv + argc - words->num_operands;
        *num_operands = words->num_operands;
        memcpy(*operands, words->operands, (size_t)words->num_operands * sizeof *words->operands);
        return true;
    }
    if (words->num_operands == 0)
        return true;
    return error_set(error, "'%.*s': is not an option's value; write --NAME=VALUE", SHOWN_TEXT, words->operands[0]);
}

/* OPTIONS_RUN where neither --help nor --version asks for something else than a run. A full disk is only seen when what was
 * printed leaves the buffer. */
static enum options_result print_instead(const struct program *program, const struct common_options *common,
                                         struct error *error)
{
    if (!common->help && !common->version)
        return OPTIONS_RUN;
    if (common->help)
        options_print_help(program, strcmp(common->help, "markdown") == 0);
    else
        printf("%s %s\n", program->name, drumline_version());
    if (fflush(stdout) == 0 && !ferror(stdout))
        return OPTIONS_DONE;
    error_set(error, "standard output can't be written");
    return OPTIONS_FAILED;
}

enum options_result options_parse(const struct program *program, int argc, char **argv, void *values, char ***operands,
                                  int *num_operands, struct error *error)
{
    struct words words = {0};
    struct common_options common = {0};
    enum options_result result = OPTIONS_WRONG;
    log_set_program(program->name);
    settings_default(&program->table, values);
    settings_default(&options_common_table, &common);
    if (!normalise(&words, program, argc, argv, error) || !parse_options(program, &words, values, &common, error))
        goto done;
    if (common.help && strcmp(common.help, "text") != 0 && strcmp(common.help, "markdown") != 0) {
        error_set(error, "--help=%.*s: no such format; write --help or --help=markdown", SHOWN_TEXT, common.help);
        goto done;
    }
    log_set_level((enum log_level)common.log);
    result = print_instead(program, &common, error);
    if (result == OPTIONS_RUN && !hand_over_operands(&words, argc, argv, operands, num_operands, error))
        result = OPTIONS_WRONG;
done:
    settings_free(&options_common_table, &common);
    free_words(&words);
    return result;
}

int options_status(enum options_result result)
{
    return result == OPTIONS_WRONG ? EXIT_USAGE : result == OPTIONS_FAILED ? EXIT_FAILURE : EXIT_SUCCESS;
}
