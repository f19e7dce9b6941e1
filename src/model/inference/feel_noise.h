/* What is added to the model's velocities and timing, so that they are as uneven as the data's: a model trained by squared error plays the
 * mean of what a drummer might do.
 *
 * Timing, and velocities where nothing more is known, get a normal number of the drum's residual standard deviation.
 *
 * Velocities are not normally distributed: in Groove one hit in seven is at 126 or 127. So where the model file says
 * how the data's velocities were distributed given the model's (latents.h), a velocity is drawn from that: with v the
 * model's, between the means m[k] and m[k + 1] of two bins, bin k + 1 is taken with probability
 * (v - m[k]) / (m[k + 1] - m[k]), else bin k, and of it the quantile of a uniform number. A bin's quantiles are at
 * least those of the bins below it; so with an amount of up to 1, of two hits for which the same numbers are drawn the
 * one that the model plays louder is never the softer one.
 *
 * Without noise a velocity is, where that is known, the median of the data's for the model's: the mean, which the model has learned, lies
 * further from most of what drummers play, and is less varied. Between (0, 0), the bins' (m[k], median) and (1, 1) it is
 * interpolated. */
#ifndef DRUMLINE_MODEL_INFERENCE_FEEL_NOISE_H
#define DRUMLINE_MODEL_INFERENCE_FEEL_NOISE_H

#include "base/random.h"
#include "base/representation.h"
#include "model/latents/latents.h"

struct feel_noise {
    int depth, classes;
    int bins, quantiles;   /* of each class's velocities; 0: their noise is normal */
    bool draws;            /* something is random */
    float velocity_amount; /* with bins: 1 is all of it, 0.5 halfway from the median to the velocity drawn */

    size_t num_floats;
    float *values;     /* [num_floats], owned; what follows lies in it */
    float *sd;         /* [depth]: of the normal noise of each column, 0 where there is none */
    float *means;      /* [classes, bins] */
    float *velocities; /* [classes, bins, quantiles] */
};

/* `velocity` and `timing` times as much noise as residual_sd [D] (checkpoint_read_residuals) and `latents`, which may be empty,
 * say. Both 0, and nothing known of velocities: *noise is empty, and `values` NULL. Free with feel_noise_free. */
bool feel_noise_make(struct feel_noise *noise, const struct representation *representation, const float *residual_sd,
                     const struct latents *latents, double velocity, double timing, struct error *error);
void feel_noise_free(struct feel_noise *noise);

/* Memory for the numbers of a copy of a struct that another process made, so that it can be given them. */
bool feel_noise_make_room(struct feel_noise *noise, struct error *error);

/* Draws the velocities [classes] of hits, or sets them to medians: those whose `gate` [classes] is above 0, in place.
 * Always takes as many numbers of the stream. */
void feel_noise_draw_velocities(float *velocities, const float *gate, const struct feel_noise *noise,
                                struct random_stream *stream);

#endif
