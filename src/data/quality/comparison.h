/* How near a model's drumming comes to the performance that it should give back, cell by cell and drum by drum.
 *
 * All sums are integers, so that those of windows, threads and ranks add up to the same numbers in any order: velocities in MIDI
 * units, times in nanoseconds, squares of times in 2^-36 sixteenths squared. */
#ifndef DRUMLINE_DATA_QUALITY_COMPARISON_H
#define DRUMLINE_DATA_QUALITY_COMPARISON_H

#include "data/dataset/converter.h"

enum { OFFSET_BINS = 33, VELOCITY_BINS = 32 };

/* The bin of an offset: 33 equal ones over [-1, 1], the middle one around 0. */
int offset_bin(float offset);

/* The bin of a velocity: 32 equal ones over [1, 127], the last with its end. */
int velocity_bin(uint8_t velocity);

enum comparison_side { SIDE_TARGET, SIDE_MADE, NUM_SIDES };

/* Of one drum. "Both": cells hit in the target and in what was made. Quantized: as if what was made had offset 0. */
struct drum_comparison {
    uint64_t cells, true_positives, false_positives, false_negatives;
    uint64_t velocity_error;                  /* absolute, over both */
    uint64_t timing_error, quantized_error;   /* absolute, over both; a cell's is at most 10^15 */
    uint64_t timing_square, quantized_square; /* over both */
    uint64_t offsets[NUM_SIDES][OFFSET_BINS]; /* all hits of that side */
    uint64_t velocities[NUM_SIDES][VELOCITY_BINS];
};

struct comparison {
    struct drum_comparison drums[NUM_DRUMS];
};

/* A comparison as numbers to sum, and how many they are. */
enum { COMPARISON_NUMBERS = sizeof(struct comparison) / sizeof(uint64_t) };

/* Adds `num_steps` steps of a performance at `qpm` quarter notes a minute. */
void comparison_add(struct comparison *comparison, const struct grid_cells *target, const struct grid_cells *made,
                    uint32_t num_steps, double qpm);

/* to += from */
void comparison_merge(struct comparison *to, const struct comparison *from);

/* What is computed of a comparison. */
enum quality {
    QUALITY_PRECISION,
    QUALITY_RECALL,
    QUALITY_F1,               /* 2 TP / (2 TP + FP + FN); 0 where that is 0 / 0 */
    QUALITY_CELL_ACCURACY,    /* share of cells that are as in the target */
    QUALITY_SILENCE_ACCURACY, /* what silence would have */
    QUALITY_VELOCITY_MAE,     /* MIDI units, over cells hit in both; all that follow but the last two likewise */
    QUALITY_TIMING_MAE_MS,
    QUALITY_QUANTIZED_MAE_MS, /* of offsets 0 on the same cells */
    QUALITY_TIMING_MAE_RATIO, /* of the two */
    QUALITY_TIMING_MSE,       /* sixteenths squared */
    QUALITY_QUANTIZED_MSE,
    QUALITY_TIMING_MSE_RATIO,
    QUALITY_TIMING_CELLS, /* how many they are */
    QUALITY_TIMING_KL, /* nats: KL(data, model) of histograms of all hits' offsets, each bin with one hit more, mean over drums
                             weighted by the data's hits */
    QUALITY_VELOCITY_KL, /* the same of velocities */
    NUM_QUALITIES
};

struct quality_row {
    const char *name;  /* "timing_mae_ms": in metrics.jsonl, after "val_" and the kind of decoding */
    const char *words; /* "timing MAE, ms": in tables */
    int digits;        /* decimals in tables */
};
extern const struct quality_row quality_table[NUM_QUALITIES];

enum { ALL_DRUMS = (1 << NUM_DRUMS) - 1 };

/* Over the drums whose bits are set; NaN where it is not defined, say an error over no cell. */
double quality_of(const struct comparison *comparison, enum quality quality, uint32_t drums);

#endif
