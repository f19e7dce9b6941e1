/* Playing many windows with all cores: each thread draws, plays and writes a piece of the set at a time.
 *
 * Neither the music nor the names of the files depend on the number of threads (model/inference/inference_decoder.h). Files get their names in the
 * order of their numbers, so that a failure leaves the set's beginning. */
#ifndef DRUMLINE_PROGRAMS_GENERATE_PLAY_H
#define DRUMLINE_PROGRAMS_GENERATE_PLAY_H

#include "data/dataset/converter.h"
#include "model/inference/inference_decoder.h"
#include "programs/generate/output.h"

struct generate_work {
    const struct inference_decoder *decoder;

    /* Of window `window` of outputs first .. first + count - 1, into z [count, Z]; called by several threads, each with a
     * scratch of its own, in which it may encode. */
    void (*make_latents)(void *context, float *z, int first, int count, int window, struct inference_scratch *scratch);
    void *context;

    int count;       /* outputs */
    int num_windows; /* of each output, one decoded on from the last step of the other; 0: one */
    int threads;

    /* But for batch, first_output, window and before, which are set here. Where outputs have controls or kept music of their
     * own, by a stride, these are output 0's. */
    struct inference_request request;

    float qpm;
    uint32_t bars;                     /* of an output, up to those of its windows; what is longer is cut off */
    const struct transform *transform; /* whose converter makes grids */
    struct generate_output *output;    /* begun; NULL: not written */

    /* What is played of output `number`, rows [T, D]; called by several threads. NULL: nothing is to be done with it. */
    void (*take)(void *context, int number, const float *rows);
};

/* Plays and writes all outputs. On failure the message says how many were written. */
bool generate_play(const struct generate_work *work, struct error *error);

#endif
