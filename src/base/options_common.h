/* The options that every program has; shared by the two halves of base/options.h, parsing and help. */
#ifndef DRUMLINE_BASE_OPTIONS_COMMON_H
#define DRUMLINE_BASE_OPTIONS_COMMON_H

#include "base/settings.h"

extern const struct settings_table options_common_table;

#endif
