/* The command line of a program, from one table of settings. Parsed with popt.
 *
 * In an option's name '-' and '_' are the same; `--x=y` and `--x y` both work; a flag (SETTING_BOOL) is given as `--x`,
 * `--x=True` or `--nox`, one of SETTING_AUTO_CHOICES as `--x`, `--nox` or `--x=auto`, and one whose value is optional only as `--x` or `--x=y`. Of an option that is given twice, the last
 * value counts. `--` ends the options. Every program also gets --help (--help=markdown: as options_print_help with markdown),
 * --version and --log=LEVEL. */
#ifndef DRUMLINE_BASE_CLI_OPTIONS_H
#define DRUMLINE_BASE_CLI_OPTIONS_H

#include "base/cli/settings.h"

/* A heading of help: it stands before the row of that name. */
struct options_group {
    const char *title;
    const char *first; /* a row's name */
};

struct program {
    const char *name;           /* "drumline-train" */
    const char *summary;        /* one line: what it does */
    const char *usage;          /* the arguments after the name, as in a man page's synopsis */
    const char *examples;       /* lines ready to be copied, each ending in '\n'; may be NULL */
    const char *other_statuses; /* exit statuses other than 0, 1 and 2: ", 3 halted"; may be NULL */
    struct settings_table table;
    const struct options_group *groups; /* ended by a title of NULL; may be NULL: all rows under "Options" */
};

enum options_result {
    OPTIONS_RUN,    /* go on */
    OPTIONS_DONE,   /* --help or --version was printed to standard output: exit 0 */
    OPTIONS_WRONG,  /* the error is set: print it, exit 2 */
    OPTIONS_FAILED, /* --help or --version could not be printed, the error is set: print it, exit 1 */
};

/* Exit statuses of every program. EXIT_SUCCESS and EXIT_FAILURE are 0 and 1. */
enum { EXIT_USAGE = 2 };

/* Fills *values with the defaults and then with what is given, and sets the log's program name and level. Words that
 * belong to no option are refused unless `operands` is not NULL: then *operands points into argv at *num_operands words. */
enum options_result options_parse(const struct program *program, int argc, char **argv, void *values, char ***operands,
                                  int *num_operands, struct error *error);

/* The exit status of a program that has nothing more to do; EXIT_SUCCESS for OPTIONS_RUN. */
int options_status(enum options_result result);

/* The whole of --help, or with `markdown` the same as a section of docs/reference.md. */
void options_print_help(const struct program *program, bool markdown);

#endif
