/* Playing from a checkpoint into MIDI files: what drumline-generate does once it knows what is wanted.
 *
 * - sample: every output from a latent vector of its own, drawn from the density that was fitted to the training data and is
 *   stored with the model, or where there is none from N(0, 1).
 * - interpolate: the outputs go from one performance to another, along the arc between the means of their latent vectors,
 *   with both ends.
 * - reconstruct: every output from the mean of one performance's latent vector. With a config that changes its input
 *   (humanize, tap, add_closed_hh) this is what the model was trained for: giving back what was taken away.
 *
 * A config with hits_as_controls gets at each step the drums to hit, and has learned to put its own feel to them: they
 * are those of the first input in every mode, so that interpolation leads from the first performance's feel to the second's
 * over the same hits.
 *
 * What the inputs' windows lose before the encoder sees them is what the config says; note dropout is not applied, for it is
 * there to make training harder.
 *
 * Output i depends on the checkpoint, inputs, temperature, seed and i alone: not on how many outputs there are (but for
 * interpolation, where they share the way), and not on the number of threads. */
#ifndef DRUMLINE_PROGRAMS_GENERATE_GENERATE_H
#define DRUMLINE_PROGRAMS_GENERATE_GENERATE_H

#include "base/error.h"

#include <stdint.h>

enum generate_mode { GENERATE_SAMPLE, GENERATE_INTERPOLATE, GENERATE_RECONSTRUCT };
#define GENERATE_MODE_CHOICES "sample|interpolate|reconstruct"

/* What latent vectors of samples are drawn from. */
enum generate_latent { GENERATE_LATENT_AUTO, GENERATE_LATENT_PRIOR, GENERATE_LATENT_FITTED };
#define GENERATE_LATENT_CHOICES "auto|prior|fitted"

/* What a step is fed for drums that are not hit. */
enum generate_feedback { GENERATE_FEEDBACK_ZERO, GENERATE_FEEDBACK_RAW };
#define GENERATE_FEEDBACK_CHOICES "zero|raw"

struct generate_options {
    char *run_dir, *checkpoint_file, *config;
    char *models_dir;
    const char *program; /* argv[0] */
    int checkpoint;      /* enum run_checkpoint_choice: with run_dir */
    int mode;            /* enum generate_mode */
    int64_t num_outputs;
    char *input_midi[2];
    int64_t input_bar[2]; /* from 1; 0: not given */
    int latent;           /* enum generate_latent */
    double temperature;   /* 0: by the latent density */
    int keep_hits;        /* enum setting_auto */
    int feedback;         /* enum generate_feedback */
    double velocity_noise, timing_noise;
    double qpm, bpm; /* two names of one; 0: not given */
    int64_t seed;    /* -1: not given */
    int64_t threads;
    char *output_dir;
    char *drum_map;         /* of the inputs; NULL: auto */
    char *output_drum_map;  /* NULL: general */
    int64_t output_channel; /* from 1; 0: 10 */
    bool wrap_pick_up;
    bool png, svg, wav, ogg, dark;
    char *soundfont;
    char *channel, *track; /* of the inputs; NULL: auto, any */
};

/* Errors that are visible from the options alone. */
bool generate_check(const struct generate_options *options, struct error *error);

/* Loads, generates, writes, and logs at level info what was written where. On failure *wrong_usage says whether the options
 * are at fault. */
bool generate(const struct generate_options *options, bool *wrong_usage, struct error *error);

#endif
