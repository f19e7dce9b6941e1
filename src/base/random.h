/* Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11), from
 * the Random123 library.
 *
 * Every number is a function of (seed, purpose, step, example) and of its place in that stream, never of the rank that
 * asks or of what was drawn before. So the same seed gives the same training on any number of ranks, and a resumed one
 * needs no saved state. */
#ifndef DRUMLINE_BASE_RANDOM_H
#define DRUMLINE_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* What a stream is for. The values are part of what a seed means: never renumber one, only add. */
enum random_purpose {
    RANDOM_INITIAL_PARAMETERS = 1, /* step: index of the tensor */
    RANDOM_EPOCH_ORDER = 2,        /* step: epoch */
    RANDOM_LATENT_NOISE = 3,       /* eps of z = mu + sigma * eps, in training */
    RANDOM_EVALUATION_NOISE = 4,   /* the same in evaluation; example: index of the window */
    RANDOM_NOTE_DROPOUT = 5,
    RANDOM_SCHEDULED_SAMPLING = 6,
    RANDOM_SAMPLED_LATENT = 7, /* generation: z ~ N(0, 1); step: which of the output's; example: index of the output */
    RANDOM_SAMPLED_OUTPUT = 8, /* generation: hits; step: window of the output; example: index of the output */
    RANDOM_DRUMMER = 9,        /* the made-up drummers of tools/ */
    RANDOM_BENCHMARK = 10,     /* drumline-bench's made-up windows; example: which */
    RANDOM_AUGMENTATION = 11,  /* of training windows, target and input alike */
    RANDOM_FEEL_NOISE = 12,    /* generation: added to velocities and offsets; likewise */
    RANDOM_SAMPLED_COMPONENT =
        13,                   /* generation: the part of a mixture that z is drawn from; example: index of the output */
    RANDOM_LATENT_FIT = 14,   /* first guesses of a mixture; step: number of components */
    RANDOM_QUALITY_DRAW = 16, /* windows of data beside which samples are judged; step: the draw */
    RANDOM_DROPOUT = 64       /* + index of the dropout layer, see model.h */
};

struct random_stream {
    uint32_t key[2];     /* the seed */
    uint32_t counter[4]; /* block, purpose, step, example */
    uint32_t block[4];   /* numbers of the current block */
    unsigned used;       /* how many of them were handed out */
};

void random_stream_start(struct random_stream *stream, uint64_t seed, uint32_t purpose, uint32_t step,
                         uint32_t example);

uint32_t random_bits(struct random_stream *stream);

/* In (0, 1), never 0 or 1: the odd multiples of 2^-24, 23 random bits. */
float random_uniform(struct random_stream *stream);

/* out[0..count): what so many calls of random_uniform return, computed 16 blocks at a time. */
void random_fill_uniform(float *out, size_t count, struct random_stream *stream);

/* In [0, bound), without bias (Lemire, "Fast random integer generation in an interval", 2019); bound > 0. */
uint32_t random_below(struct random_stream *stream, uint32_t bound);

/* out[0..count): independent N(0, 1) by Box-Muller, two numbers from each pair of uniforms. */
void random_fill_normal(float *out, size_t count, struct random_stream *stream);

/* mask[0..count): 1 with probability keep_prob (rounded to 1/65536), else 0. Takes whole groups of 16 blocks,
 * eight elements from each block, so that a vector unit can compute a group at once; the values are the same on every
 * machine. Begins with a fresh block. */
void random_fill_mask(uint8_t *mask, size_t count, double keep_prob, struct random_stream *stream);

#endif
