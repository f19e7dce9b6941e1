/* How the data's velocities are distributed given the model's: fitting `velocity_means` and `velocity_quantiles` of latents.h. */
#ifndef DRUMLINE_MODEL_LATENTS_VELOCITIES_H
#define DRUMLINE_MODEL_LATENTS_VELOCITIES_H

#include "model/latents/latents.h"

#include <stddef.h>

enum {
    VELOCITY_BINS = 8,       /* of the model's velocities, each with as many hits */
    VELOCITY_QUANTILES = 33, /* of the data's in each */

    VELOCITY_MODEL_LEVELS = 256, /* that the model's are counted in */
    VELOCITY_LEVELS = 128,       /* MIDI's */
    VELOCITY_FEW_HITS = 400,     /* a class with fewer is given what all classes have together */
};

/* Room for counts of classes * VELOCITY_MODEL_LEVELS * VELOCITY_LEVELS hits. */
size_t velocity_pairs_size(int classes);

/* Counts a hit of class `number` with the model's velocity and the data's, both 0 to 1. */
void velocity_pairs_add(uint64_t *pairs, int number, float model, float data);

/* Sets both from counted hits; the latents have room for VELOCITY_BINS and VELOCITY_QUANTILES. In each class, hits are ordered by
 * the model's velocity and parted into bins; quantiles that fall from one bin to the next are made to rise by isotonic regression
 * (pool adjacent violators: Ayer et al. 1955). Without any hit the model's velocities are left as they are. */
bool latents_fit_velocities(struct latents *latents, const uint64_t *pairs, struct error *error);

#endif
