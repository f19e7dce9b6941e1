/* The windows of a split, encoded and decoded again by several threads: what programs/train/latents.h fits to. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_LATENT_WINDOWS_H
#define DRUMLINE_PROGRAMS_TRAIN_LATENT_WINDOWS_H

#include "data/dataset/batch.h"
#include "model/inference/inference_decoder.h"
#include "programs/train/watchdog.h"

/* Some of a split's windows. Nothing is owned. */
struct latent_windows {
    const struct inference_decoder *decoder; /* which encodes */
    const struct windows *windows;
    const struct transform *transform;
    const uint32_t *numbers; /* [count]: which windows */
    size_t count;
    int threads;
    struct watchdog *watchdog;        /* NULL: none */
    bool (*must_stop)(void *context); /* asked by each thread after some windows, which fails then; NULL: never */
    void *context;
};

/* mu [count, Z] and attributes [count, NUM_ATTRIBUTES] (data/music/attributes.h) of the targets. The same bits for any number of threads. */
bool latent_windows_encode(float *mu, double *attributes, const struct latent_windows *work, struct error *error);

/* What the model's decoded values are beside the target's, where the target has a hit. */
struct latent_residuals {
    double *squares, *counts; /* [D]: sums of squared differences, and of how many; 0 in columns that no hit gates */
    uint64_t *velocities;     /* hits of each class, counted by velocity_pairs_add (model/latents/velocities.h) */
};

/* Adds to them. Hits are kept, and each window is decoded from its mu [count, Z]. */
bool latent_windows_residuals(const struct latent_residuals *residuals, const float *mu,
                              const struct latent_windows *work, struct error *error);

#endif
