/* The command line of a program that runs on several ranks: parsed by rank 0 first, so that help and mistakes are printed
 * once. */
#ifndef DRUMLINE_PROGRAMS_COMMON_RANK_OPTIONS_H
#define DRUMLINE_PROGRAMS_COMMON_RANK_OPTIONS_H

#include "base/cli/options.h"
#include "dist/comm.h"

/* What options_parse and then `check` (on the parsed values; may be NULL) say, the same on every rank. Wrong is also
 * what differs between ranks, but for the options that `own` names (NULL-ended; may be NULL). What is wrong has been logged.
 * Collective. */
enum options_result rank_options_parse(struct comm *comm, const struct program *program, int argc, char **argv,
                                       void *values, bool (*check)(const void *values, struct error *error),
                                       const char *const *own);

#endif
