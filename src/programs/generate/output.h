/* Where the generator's MIDI files go: FOLDER/CONFIG_KIND_YYYY-MM-DD_HHMMSS-000-of-005.mid, in local time.
 *
 * Nothing is ever overwritten: where any of the names is taken, the whole set gets those of the next second that is free. */
#ifndef DRUMLINE_PROGRAMS_GENERATE_OUTPUT_H
#define DRUMLINE_PROGRAMS_GENERATE_OUTPUT_H

#include "base/io/atomic_file.h"
#include "data/music/grid.h"

#include <time.h>

struct generate_output {
    const char *folder;   /* not owned, as are the next two */
    const char *config;   /* a name that generate_output_name_is_safe */
    const char *kind;     /* "sample" */
    const char *command;  /* that makes the set again, not owned; NULL: the files don't say */
    char model_hash[32];  /* likewise */
    int count;            /* files of the set */
    struct drum_map map;  /* that they are written with */
    uint8_t channel;      /* the same, from 0 */
    bool wrap_pick_up;    /* hits before the first beat go to the loop's end, else onto that beat */
    int num_silent;       /* files without a hit, of those that are written */
    int written;          /* so many of them have their names, from number 0 on */
    time_t first_second;  /* the time in the names when the set was started */
    time_t second;        /* the time in them now */
    char first_name[256]; /* of file 0, without the folder; once it is written */
};

/* True for letters, digits, '_', '-' and '.' that begin with none of the last two: what may stand in a file's name. */
bool generate_output_name_is_safe(const char *name);

/* Makes the folder if it is missing, removes what killed programs left half-written in it, and finds names for `count`
 * files. Other programs may be writing sets to the same folder. */
bool generate_output_start(struct generate_output *output, const char *folder, const char *config, const char *kind,
                           int count, const struct drum_map *map, struct error *error);

/* The path of file `number`; owned by the caller. */
char *generate_output_path(const struct generate_output *output, int number);

/* The path of a file about the whole set: FOLDER/CONFIG_KIND_YYYY-MM-DD_HHMMSS_WHAT.SUFFIX; owned by the caller. */
char *generate_output_set_path(const struct generate_output *output, const char *what, const char *suffix);

/* Writes the next file, whole or not at all, and flushes it to the disk. On failure the message also says how many were
 * written before it. */
bool generate_output_write(struct generate_output *output, const struct grid *grid, struct error *error);

/* The same with the bytes of a MIDI file. */
bool generate_output_write_bytes(struct generate_output *output, const uint8_t *bytes, size_t size,
                                 struct error *error);

/* What file `number` says of how it was made (programs/common/provenance.h); owned by the caller. NULL: nothing. */
char *generate_output_text(const struct generate_output *output, int number);

/* The same in parts, for many files. Staged files have no names yet: flush them (atomic_file_flush_all), name them in the
 * order of their numbers, and when all are named flush the folder (atomic_file_flush_folder). A file of its name is thus
 * whole at any moment, also after a crash of the machine. */

/* Writes file `number` under a temporary name. Any number of threads may stage files at once, and beside one that names. */
bool generate_output_stage(struct atomic_file *file, const struct generate_output *output, int number,
                           const struct grid *grid, struct error *error);

/* Puts before the message of a failure how many files have their names, and returns false. */
bool generate_output_failed(const struct generate_output *output, struct error *error);

/* Names the next files[0..count), which are flushed. On failure those that have no name yet are abandoned, and the message
 * also says how many have. */
bool generate_output_name(struct generate_output *output, struct atomic_file *files, int count, struct error *error);

#endif
