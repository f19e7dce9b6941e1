/* Which performances are for training, which for validation and which for the test; and what a folder's table says of each.
 *
 * A table is a CSV file as the Groove set's info.csv is (RFC 4180, with a line of column names): `midi_filename` must be there,
 * `split`, `style`, `drummer`, `time_signature` and `beat_type` may be. Files that no table lists, or that it gives no split, are divided eight
 * to one to one among training, validation and test by a hash, so that a file keeps its split however the folder grows, and on
 * every machine. */
#ifndef DRUMLINE_DATA_DATASET_SPLITS_H
#define DRUMLINE_DATA_DATASET_SPLITS_H

#include "base/error.h"
#include "data/music/grid.h"

#include <stddef.h>

enum split { SPLIT_TRAIN, SPLIT_VALIDATION, SPLIT_TEST, NUM_SPLITS };

/* "train", "validation", "test". */
const char *split_name(enum split split);
bool split_parse(enum split *split, const char *name);

/* The split of a path (relative to the input folder) that is in no info.csv: SHA-256's first eight bytes, big-endian,
 * modulo 10; 0 to 7 train, 8 validation, 9 test. */
enum split split_by_hash(const char *path);

/* The split of a file by the first eight bytes of a hash, as a number: modulo 10, as above. */
enum split split_of_number(uint64_t number);

/* What a performance is, as the Groove set's column `beat_type` says: a beat that goes on, or a fill between beats. */
enum beat_type { BEAT_TYPE_UNKNOWN, BEAT_TYPE_BEAT, BEAT_TYPE_FILL, NUM_BEAT_TYPES };

/* "", "beat", "fill". */
const char *beat_type_name(enum beat_type type);

/* What is neither "beat" nor "fill" is unknown. */
enum beat_type beat_type_parse(const char *name);

struct performance_info {
    char *path;                           /* relative to the input folder */
    char *owned_path;                     /* the same where it is not part of a table's text, else NULL; owned */
    char *style;                          /* "" where unknown */
    char *drummer;                        /* "" where unknown */
    enum split split;                     /* NUM_SPLITS where the table has no such column */
    struct time_signature time_signature; /* 0/0 where unknown */
    enum beat_type beat_type;
};

struct splits {
    struct performance_info *rows; /* [count], owned; by path */
    size_t count, capacity;
    char **texts; /* [num_texts], the tables, which most strings of the rows lie in; owned */
    size_t num_texts;
    bool is_groove; /* a table has the Groove set's columns `drummer` and `beat_type`, as E-GMD's has */
    char name[256]; /* of the tables that were read: "info.csv" */
};

/* Reads the tables of a folder: its CSV files with a column `midi_filename`, or where it has none, those of the folders
 * just below it, whose paths count from there. No table is an empty one. Fails with file, line and reason where one can't be
 * read as such a table: a quote left open, a row of another length, a split of another name, a path twice, an info.csv without
 * `midi_filename`, or that is no file. A table that the system can't read is a failure too, and so is, without
 * `skip_unreadable`, what may be or hold one: a CSV that leads nowhere, a folder that can't be read. */
bool splits_read(struct splits *splits, const char *folder, bool skip_unreadable, struct error *error);
void splits_free(struct splits *splits);

/* The row of `path`, NULL where there is none. */
const struct performance_info *splits_find(const struct splits *splits, const char *path);

#endif
