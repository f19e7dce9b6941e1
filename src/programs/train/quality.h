/* How well a model gives back the windows of a split: compared cell by cell as the decoder is taught, runs freely and keeps the
 * hits that it is given, from the mean of the latent vector. What was decoded is taken as its MIDI file
 * holds it: velocities from 1 to 127, onsets on ticks. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_QUALITY_H
#define DRUMLINE_PROGRAMS_TRAIN_QUALITY_H

#include "data/quality/comparison.h"
#include "model/inference/inference_decoder.h"
#include "programs/train/evaluation.h"

enum decoding {
    DECODING_TAUGHT, /* each step is fed the target's step before it */
    DECODING_FREE,   /* each step is fed what was decoded before it */
    DECODING_KEPT,   /* the same, with exactly the target's hits */
    NUM_DECODINGS
};

/* "tf_", "", "keep_": what stands before the metrics of quality_table in metrics.jsonl. */
const char *decoding_prefix(enum decoding decoding);

enum window_group { WINDOWS_OF_BEATS, OTHER_WINDOWS, NUM_WINDOW_GROUPS };

struct quality_sums {
    uint64_t windows[NUM_WINDOW_GROUPS];
    struct comparison comparisons[NUM_DECODINGS][NUM_WINDOW_GROUPS];
};

struct quality_options {
    bool keeps_hits;                /* else DECODING_KEPT is left out, and zero */
    const struct feel_noise *noise; /* of inference_request, but for DECODING_TAUGHT */
    uint64_t seed;
    int threads;
};

/* Of all windows, which the ranks share; the same on each rank, for any number of them and of threads. `decoder` encodes.
 * Collective. */
bool quality_measure(struct quality_sums *sums, const struct evaluation *evaluation,
                     const struct inference_decoder *decoder, const struct quality_options *options, struct comm *comm,
                     struct error *error);

#endif
