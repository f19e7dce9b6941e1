/* The options that every program has; shared by the two halves of base/cli/options.h, parsing and help. */
#ifndef DRUMLINE_BASE_CLI_OPTIONS_COMMON_H
#define DRUMLINE_BASE_CLI_OPTIONS_COMMON_H

#include "base/cli/settings.h"

extern const struct settings_table options_common_table;

#endif
