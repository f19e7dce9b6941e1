/* Where the generator's MIDI files go: FOLDER/CONFIG_KIND_YYYY-MM-DD_HHMMSS-000-of-005.mid, in local time.
 *
 * Nothing is ever overwritten: where any of the names is taken, the whole set gets those of the next second that is free. */
#ifndef DRUMLINE_PROGRAMS_GENERATE_OUTPUT_H
#define DRUMLINE_PROGRAMS_GENERATE_OUTPUT_H

#include "base/error.h"
#include "data/grid.h"

#include <time.h>

struct generate_output {
    const char *folder;   /* not owned, as are the next two */
    const char *config;   /* a name that generate_output_name_is_safe */
    const char *kind;     /* "sample" */
    int count;            /* files of the set */
    int written;          /* so many of them, from number 0 on */
    time_t second;        /* what the names tell */
    char first_name[256]; /* of file 0, without the folder; once it is written */
};

/* True for letters, digits, '_', '-' and '.' that begin with none of the last two: what may stand in a file's name. */
bool generate_output_name_is_safe(const char *name);

/* Makes the folder if it is missing and finds names for `count` files. */
bool generate_output_start(struct generate_output *output, const char *folder, const char *config, const char *kind,
                           int count, struct error *error);

/* The path of file `number`; owned by the caller. */
char *generate_output_path(const struct generate_output *output, int number);

/* Writes the next file, whole or not at all. On failure the message also tells how many were written before it. */
bool generate_output_write(struct generate_output *output, const struct grid *grid, struct error *error);

#endif
