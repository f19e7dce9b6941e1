/* Tables of named, typed, bounded values. A row describes a member of a struct; from the rows follow parsing, bounds, help,
 * the dump into a checkpoint and the reading back. Command-line flags (base/cli/options.h) and hparams (model/vae/hparams.h) are
 * both such tables. */
#ifndef DRUMLINE_BASE_CLI_SETTINGS_H
#define DRUMLINE_BASE_CLI_SETTINGS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { SETTING_LIST_MAX = 8, SETTING_TEXT_MAX = 4352 };

struct int_list {
    int count;
    int64_t values[SETTING_LIST_MAX];
};

enum setting_type {                   /* the member's C type */
                    SETTING_BOOL,     /* bool: true false 1 0 yes no, in any case */
                    SETTING_INT,      /* int64_t */
                    SETTING_DOUBLE,   /* double, finite */
                    SETTING_STRING,   /* char *, owned by the struct, NULL where not given */
                    SETTING_CHOICE,   /* int: index into choices */
                    SETTING_INT_LIST, /* struct int_list: [2,3], or a bare 2 */
};

struct setting {
    const char *name; /* spelled with '_' */
    enum setting_type type;
    size_t offset;            /* offsetof the member */
    const char *default_text; /* parsed as a given value would be; NULL: zero, empty, not given */
    double minimum, maximum;  /* inclusive, of a number or of each element; both 0: any */
    const char *choices;      /* "train|eval", for SETTING_CHOICE; else what `--name` alone means, NULL: nothing */
    const char *argument;     /* what help calls the value: "DIR"; NULL: from the type */
    const char *help;         /* one sentence or two */
};

/* Choices of a flag whose default depends on other things. On the command line it is written as a SETTING_BOOL is: --x, --nox,
 * --x=true. */
#define SETTING_AUTO_CHOICES "auto|true|false"
enum setting_auto { SETTING_AUTO, SETTING_TRUE, SETTING_FALSE };

/* A row for the member `name` of `owner`: the option has the member's name. */
#define SETTING_ROW(owner, name, type, default_text, minimum, maximum, choices, argument, help)                        \
    {                                                                                                                  \
#name, type, offsetof(owner, name), default_text, minimum, maximum, choices, argument, help                    \
    }

struct settings_table {
    const struct setting *rows;
    size_t count;
};

/* Fills *values with the defaults. The struct must be zeroed or have been freed by settings_free. */
void settings_default(const struct settings_table *table, void *values);

/* Frees the strings. */
void settings_free(const struct settings_table *table, void *values);

/* The row of that name, with '-' and '_' the same; NULL where there is none. */
const struct setting *settings_find(const struct settings_table *table, const char *name);

/* The name nearest to `name` by edit distance: for "did you mean". NULL where none is near. */
const char *settings_nearest(const struct settings_table *table, const char *name);

/* Parses `text` into the member. Fails with "NAME=TEXT: why, what is allowed". */
bool setting_parse(const struct setting *row, void *values, const char *text, struct error *error);

/* Writes the member as setting_parse reads it (doubles with all their digits). Returns `text`. */
const char *setting_format(const struct setting *row, const void *values, char text[SETTING_TEXT_MAX]);

/* What is allowed, for help and messages: "integer, 1 to 64", "one of train, eval". Returns `text`. */
const char *setting_allowed(const struct setting *row, char text[SETTING_TEXT_MAX]);

/* Parses "a=1,b=[2,3],c=x". Unknown names are refused with the nearest valid one. Empty text is no change. */
bool settings_parse_list(const struct settings_table *table, void *values, const char *text, struct error *error);

#endif
