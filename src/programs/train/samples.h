/* Samples of a model against the data: how their distributions differ from the train split's, beside data's own, and how many
 * are copies of training data. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_SAMPLES_H
#define DRUMLINE_PROGRAMS_TRAIN_SAMPLES_H

#include "data/quality/distributions.h"
#include "model/inference/inference_decoder.h"
#include "programs/train/evaluation.h"

struct samples_request {
    const struct inference_decoder *decoder;
    const float *z; /* [count, Z], the same on all ranks */
    size_t count;
    const struct feel_noise *noise; /* of inference_request */
    float temperature;
    uint64_t seed;
    int threads;
};

struct samples_quality {
    struct distributions samples, train,
        split; /* split: the windows of the evaluation; empty where that is of the train split */
    double floor[NUM_DISTRIBUTIONS];
    uint64_t copies,
        split_copies; /* samples, and windows of the split, that are near to one of the train split's at any bar */
};

/* The same on each rank, for any number of them and of threads. The windows of the train split do not overlap, but for copies,
 * which are looked for at every bar. Collective. */
bool samples_measure(struct samples_quality *quality, const struct samples_request *request,
                     const struct evaluation *evaluation, struct comm *comm, struct error *error);

/* The standard error of a share: sqrt(p (1 - p) / count). */
double samples_standard_error(double share, uint64_t count);

#endif
