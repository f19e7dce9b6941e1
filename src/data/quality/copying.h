/* Whether drumming is copied: how many windows differ from one of the training data in less than two cells a bar. */
#ifndef DRUMLINE_DATA_QUALITY_COPYING_H
#define DRUMLINE_DATA_QUALITY_COPYING_H

#include "data/dataset/converter.h"
#include "data/dataset/windows.h"

enum {
    COPY_DISTANCE = 2, /* cells a bar: a window at a smaller distance is a copy */
    PATTERN_WORDS = 3, /* of a bar's 144 cells as bits */
    PATTERN_MAX_BARS = 64,
};

/* The hits of windows as bits, which bars that lie in several windows share. */
struct patterns {
    int bars; /* of a window */
    size_t count;
    const uint64_t **windows; /* [count], owned: PATTERN_WORDS * bars words each, inside words */
    uint64_t *words;          /* owned */
};

/* Of windows that begin at every bar or less often. Fails where memory is short. */
bool patterns_make(struct patterns *patterns, const struct windows *windows, struct error *error);
void patterns_free(struct patterns *patterns);

/* bits [PATTERN_WORDS * bars] of the hits [16 * bars, 9] */
void pattern_of(uint64_t *bits, const uint8_t *hits, int bars);

/* The least number of cells in which a window's bits differ from a pattern of the set, if that is below `limit`; else limit. */
int patterns_nearest(const struct patterns *patterns, const uint64_t *bits, int limit);

/* Whether the window's hits [16 * bars, 9] are at less than COPY_DISTANCE a bar from one of the set. */
bool patterns_have(const struct patterns *patterns, const uint8_t *hits);

#endif
