/* What drumline-preprocess does: the ranks of a job turn a folder of MIDI performances into a data set. */
#ifndef DRUMLINE_PROGRAMS_PREPROCESS_PREPROCESS_H
#define DRUMLINE_PROGRAMS_PREPROCESS_PREPROCESS_H

#include "base/cli/options.h"
#include "data/music/grid.h"
#include "dist/comm.h"

enum split_by { SPLIT_BY_CONTENT, SPLIT_BY_PATH };

struct preprocess_options {
    char *input_dir, *output_dir, *log_dir;
    char *output_file; /* another name of output_dir */
    bool recursive, is_beat, overwrite;
    char *beat;
    char *drum_map;        /* NULL: auto */
    char *channel, *track; /* NULL: auto, any */
    bool strict, skip_unreadable;
    int split_by; /* enum split_by */
    int64_t min_bars;
    int representation; /* row of representation_table */
};

/* Checks what single bounds can't, and parses --beat ("4-4" where it was not given) and
 * --channel. */
bool preprocess_options_check(const struct preprocess_options *options, struct time_signature *beat, int *channel,
                              struct error *error);

/* Makes the data set. What was there stays as it is until the new one is complete. Collective; the error is the same on every
 * rank. */
bool preprocess_run(const struct preprocess_options *options, struct comm *comm, struct error *error);

#endif
