/* What turns the decoder's outputs into music, and their distance from it into a loss: one small interface, so that other
 * kinds of music (melodies, trios) are other tables of functions. */
#ifndef DRUMLINE_MODEL_VAE_OUTPUT_HEAD_H
#define DRUMLINE_MODEL_VAE_OUTPUT_HEAD_H

#include "base/random.h"
#include "model/nn/pass.h"

/* What is summed over windows, in double, and summed over ranks before anyone divides. */
enum loss_sum {
    SUM_WINDOWS,       /* how many */
    SUM_HITS,          /* Bernoulli cross entropy of the hits, nats */
    SUM_VELOCITIES,    /* squared error */
    SUM_OFFSETS,       /* squared error */
    SUM_KL,            /* nats */
    SUM_KL_ABOVE_FREE, /* max(0, KL - free nats) */
    SUM_TRUE_HITS,     /* hits foretold (probability above 1/2, teacher forcing) that are there */
    SUM_FALSE_HITS,    /* foretold, not there */
    SUM_MISSED_HITS,   /* there, not foretold */
    SUM_COUNT
};

struct output_head {
    const char *name;
    int depth; /* D: numbers a step */

    /* Adds the loss of `rows` rows to sums and, where `d_outputs` is not NULL, sets it to scale * gradient.
     * outputs, target [rows, D]; d_outputs may be outputs. */
    void (*loss)(double sums[SUM_COUNT], float *d_outputs, const float *outputs, const float *target, int rows,
                 float scale);

    /* Draws one step of music, music [D], from outputs [D]. */
    void (*sample)(float *music, const float *outputs, float temperature, struct random_stream *stream);
};

/* Hits, velocities and offsets of nine drums: D = 27. Hits are Bernoulli(sigmoid(logit / temperature)), velocity sigmoid,
 * offset tanh (Gillick et al. 2019, section 3). */
extern const struct output_head groove_head;

#endif
