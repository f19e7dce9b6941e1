/* At which temperature samples of a model are most like its data: what drumline-generate and evaluations sample at unless they are
 * told otherwise. A model that is unsure of its hits needs a higher one for as many different drums as the data have; a sure one
 * has too many of them at 1. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_SAMPLE_TEMPERATURE_H
#define DRUMLINE_PROGRAMS_TRAIN_SAMPLE_TEMPERATURE_H

#include "data/dataset/converter.h"
#include "data/dataset/windows.h"
#include "model/inference/inference_decoder.h"
#include "model/latents/latents.h"
#include "programs/train/watchdog.h"

/* Nothing is owned. */
struct sample_temperature_work {
    const struct inference_decoder *decoder;
    const struct representation *representation;
    const struct transform *transform;
    const struct windows *windows; /* of the data */
    int threads;
    struct watchdog *watchdog;        /* NULL: none */
    bool (*must_stop)(void *context); /* asked by each thread after some samples, which fails then; NULL: never */
    void *context;
};

/* Sets latents->temperature to the one of 0.8, 0.9, 1 and 1.1 at which the Jensen-Shannon divergences of 512 samples from the windows
 * have the smallest sum, over drums a window, hits a bar, drums and steps of the bar. Samples are drawn as drumline-generate
 * draws them, with noise, all of them by this process. The same for any number of threads. */
bool sample_temperature_choose(struct latents *latents, const struct sample_temperature_work *work,
                               struct error *error);

#endif
