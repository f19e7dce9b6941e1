/* What drumline-preprocess does: the ranks of a job turn a folder of MIDI performances into a data set. */
#ifndef DRUMLINE_PROGRAMS_PREPROCESS_PREPROCESS_H
#define DRUMLINE_PROGRAMS_PREPROCESS_PREPROCESS_H

#include "data/music/grid.h"
#include "dist/comm.h"
#include "programs/preprocess/options.h"

/* Checks what single bounds can't, and parses --beat ("4-4" where it was not given) and
 * --channel. */
bool preprocess_options_check(const struct preprocess_options *options, struct time_signature *beat, int *channel,
                              struct error *error);

/* Makes the data set. What was there stays as it is until the new one is complete. Collective; the error is the same on every
 * rank. */
bool preprocess_run(const struct preprocess_options *options, struct comm *comm, struct error *error);

#endif
