/* What drumming is like as a whole: distributions of how many drums, hits, loudnesses and times it has, and how far those of a
 * model's samples are from those of the data. All counts are integers, so that parts add up in any order. */
#ifndef DRUMLINE_DATA_QUALITY_DISTRIBUTIONS_H
#define DRUMLINE_DATA_QUALITY_DISTRIBUTIONS_H

#include "data/dataset/converter.h"
#include "data/dataset/windows.h"

enum distribution {
    DISTRIBUTION_DRUMS,      /* how many of the nine a window has */
    DISTRIBUTION_HITS,       /* hits a bar; 63 and more are one */
    DISTRIBUTION_CLASSES,    /* hits by drum */
    DISTRIBUTION_STEPS,      /* hits by the 16 steps of a bar */
    DISTRIBUTION_VELOCITIES, /* hits by velocity_bin */
    DISTRIBUTION_OFFSETS,    /* hits by offset_bin */
    NUM_DISTRIBUTIONS
};

enum { DISTRIBUTION_MAX_BINS = 64, MANY_DRUMS = 4 };

struct distribution_row {
    const char *name;  /* "drums" */
    const char *words; /* "drums a window" */
    int bins;
};
extern const struct distribution_row distribution_table[NUM_DISTRIBUTIONS];

struct distributions {
    uint64_t windows, silent, many_drums; /* silent: without a hit; many_drums: with at least MANY_DRUMS of the nine */
    uint64_t counts[NUM_DISTRIBUTIONS][DISTRIBUTION_MAX_BINS];
};

/* Distributions as numbers to sum, and how many they are. */
enum { DISTRIBUTIONS_NUMBERS = sizeof(struct distributions) / sizeof(uint64_t) };

/* Adds a window of `bars` bars of 16 steps. */
void distributions_add(struct distributions *distributions, const struct grid_cells *cells, uint32_t bars);

/* Adds all windows. */
void distributions_add_windows(struct distributions *distributions, const struct windows *windows);

/* to += from */
void distributions_merge(struct distributions *to, const struct distributions *from);

/* The Jensen-Shannon divergence of two of a kind, in bits: 0 where they are the same, 1 where they have nothing in common. NaN
 * where one of them is empty. */
double distributions_divergence(const struct distributions *a, const struct distributions *b, enum distribution kind);

/* How far `draw_size` windows of data are from the data: the mean over 20 draws of the divergence of windows that are taken by whole
 * performances, in a random order, until there are enough of them (of the last performance, those that are missing), from the
 * windows of the other performances. NaN where the windows are of one performance alone, or too few. Fails where memory is
 * short. */
bool distributions_floor(double floor[NUM_DISTRIBUTIONS], const struct windows *windows, size_t draw_size,
                         struct error *error);

#endif
