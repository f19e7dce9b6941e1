/* Decoding many windows with all ranks and all their threads, to look at the music: what evaluation measures of it. Which rank and
 * thread decodes a window does not change the window. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_DECODING_H
#define DRUMLINE_PROGRAMS_TRAIN_DECODING_H

#include "data/music/grid.h"
#include "model/inference/inference_decoder.h"
#include "programs/train/evaluation.h"

/* Hits are drawn at a temperature so low that they are those whose probability is above 1/2. */
#define DECODING_THRESHOLD 1e-6f

/* What one thread has: a piece of `count` windows from `first` on, window by window. */
struct decoding_piece {
    size_t first;
    int count;       /* up to DECODING_PIECE */
    float *z;        /* [count, Z] */
    float *music;    /* [count, T, D] */
    float *input;    /* [T, D] */
    float *target;   /* [count, T, D] */
    float *controls; /* [count, T, C]; NULL where C is 0 */
    struct inference_scratch *scratch;
    void *sums; /* the thread's own, sums_size bytes, zeros at first */
};
enum { DECODING_PIECE = 48 };

struct decoding_work {
    const struct inference_decoder *decoder;
    size_t first, count; /* this rank's windows */
    int threads;
    size_t num_numbers; /* uint64_t in sums */

    /* Decodes and measures a piece, and adds to piece->sums. Called by several threads. */
    bool (*measure)(const void *context, struct decoding_piece *piece, struct error *error);
    const void *context;
};

/* sums [num_numbers] of all threads of this process. */
bool decoding_run(uint64_t *sums, const struct decoding_work *work, struct error *error);

#endif
