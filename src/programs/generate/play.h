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

    /* Those of outputs first .. first + count - 1, into z [count, Z]; called by several threads. */
    void (*make_latents)(void *context, float *z, int first, int count);
    void *context;

    int count; /* outputs */
    int threads;
    struct inference_request request; /* but for batch and first_output, which are set here */
    float qpm;
    uint32_t bars;                     /* of an output */
    const struct transform *transform; /* whose converter makes grids */
    struct generate_output *output;    /* begun; NULL: played only */
};

/* Plays and writes all outputs. On failure the message says how many were written. */
bool generate_play(const struct generate_work *work, struct error *error);

#endif
