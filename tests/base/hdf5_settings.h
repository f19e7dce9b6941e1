/* Settings of each type, to be stored in a file and read again. */
#ifndef DRUMLINE_TESTS_BASE_HDF5_SETTINGS_H
#define DRUMLINE_TESTS_BASE_HDF5_SETTINGS_H

#include "base/cli/settings.h"

#include <stddef.h>

struct values {
    bool flag;
    int64_t count;
    double rate;
    char *name;
    int mode;
    struct int_list sizes;
};

static const struct setting rows[] = {
    {"flag",          SETTING_BOOL,     offsetof(struct values, flag),  NULL,    0, 0,    NULL,         NULL, ""},
    {"batch_size",    SETTING_INT,      offsetof(struct values, count), "32",    1, 64,   NULL,         NULL, ""},
    {"learning_rate", SETTING_DOUBLE,   offsetof(struct values, rate),  "0.001", 0, 1,    NULL,         NULL, ""},
    {"name",          SETTING_STRING,   offsetof(struct values, name),  NULL,    0, 0,    NULL,         NULL, ""},
    {"mode",          SETTING_CHOICE,   offsetof(struct values, mode),  "eval",  0, 0,    "train|eval", NULL, ""},
    {"rnn_size",      SETTING_INT_LIST, offsetof(struct values, sizes), "[256]", 1, 1000, NULL,         NULL, ""},
};
static const struct settings_table table = {rows, sizeof rows / sizeof *rows};

#endif
