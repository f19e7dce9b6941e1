/* Playing from a checkpoint into MIDI files: what drumline-generate does once it knows what is wanted.
 *
 * - sample: every output from a latent vector of its own, drawn from the density that was fitted to the training data and is
 *   stored with the model, or where there is none from N(0, 1).
 * - interpolate: the outputs go from one performance to another, along the arc between the means of their latent vectors,
 *   with both ends.
 * - reconstruct: every output from the mean of one performance's latent vector. With a config that changes its input
 *   (humanize, tap, add_closed_hh) this is what the model was trained for: giving back what was taken away.
 * - similar: every output from a point between a random latent vector and the mean of the input's.
 * - apply, transfer: a whole file is given what the model makes of it (apply.h).
 *
 * A config with hits_as_controls gets at each step the drums to hit, and has learned to put its own feel to them: they
 * are those of the first input in every mode, so that interpolation leads from the first performance's feel to the second's
 * over the same hits.
 *
 * What the inputs' windows lose before the encoder sees them is what the config says; note dropout is not applied, for it is
 * there to make training harder.
 *
 * Output i depends on the checkpoint, inputs, temperature, seed and i alone: not on how many outputs there are (but for
 * interpolation, where they share the way and the random numbers), and not on the number of threads. */
#ifndef DRUMLINE_PROGRAMS_GENERATE_GENERATE_H
#define DRUMLINE_PROGRAMS_GENERATE_GENERATE_H

#include "programs/generate/options.h"

/* Loads, generates, writes, and logs at level info what was written where. On failure *wrong_usage says whether the options
 * are at fault. */
bool generate(const struct generate_options *options, bool *wrong_usage, struct error *error);

#endif
