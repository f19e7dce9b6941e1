/* The command line of drumline-preprocess, as main.c parses it. */
#ifndef DRUMLINE_PROGRAMS_PREPROCESS_OPTIONS_H
#define DRUMLINE_PROGRAMS_PREPROCESS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

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

#endif
