/* Which performances are for training, which for validation and which for the test; and what a folder's info.csv tells
 * of each.
 *
 * info.csv is the groove data set's table (RFC 4180, with a line of column names): `midi_filename` and `split` must be
 * there, `style`, `drummer` and `time_signature` may be. Where there is none, and for files it does not list, eight in
 * ten are for training, one for validation, one for the test, by a hash of the path, so that a file keeps its split
 * however the folder grows, and on every machine. */
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

struct performance_info {
    char *path;    /* relative to the folder of info.csv */
    char *style;   /* "" where unknown */
    char *drummer; /* "" where unknown */
    enum split split;
    struct time_signature time_signature; /* 0/0 where unknown */
};

struct splits {
    struct performance_info *rows; /* [count], owned; by path */
    size_t count;
    char *text;     /* the file, which the rows' strings lie in; owned */
    bool is_groove; /* the table has the Groove set's columns `drummer` and `beat_type`, as E-GMD's has */
};

/* Reads FOLDER/info.csv; none is an empty table. Fails with file, line and reason where it can't be read as such a
 * table: a quote left open, a row of another length, a column missing, a split of another name, a path twice. */
bool splits_read(struct splits *splits, const char *folder, struct error *error);
void splits_free(struct splits *splits);

/* The row of `path`, NULL where there is none. */
const struct performance_info *splits_find(const struct splits *splits, const char *path);

#endif
