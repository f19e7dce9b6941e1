/* Fitting what model/latents/latents.h describes to the means of a data set's windows. */
#ifndef DRUMLINE_MODEL_LATENTS_FIT_H
#define DRUMLINE_MODEL_LATENTS_FIT_H

#include "model/latents/latents.h"

#include <stddef.h>

enum {
    LATENTS_STYLE_WINDOWS = 100,    /* that a style must have */
    LATENTS_ATTRIBUTE_WINDOWS = 50, /* that must have an attribute */
    LATENTS_MAX_FITTED = 16384,     /* windows that are of use; of more, take so many evenly */
};

/* What is fitted to. Nothing is owned. */
struct latent_samples {
    int size;                    /* Z */
    size_t count;                /* N windows */
    const float *mu;             /* [N, Z] */
    const uint32_t *performance; /* [N]: windows of one performance are held out together */

    int num_styles;
    const char *const *style_names;
    const int *styles[2]; /* [N] each: up to two styles of a window, a wide and a narrow one; -1: none */

    int num_attributes;
    const char *const *attribute_names;
    const double *attributes; /* [N, A]; NaN where the window has none */
};

/* Callbacks of a fit under way. */
struct latents_report {
    void (*say)(void *context, const char *text); /* one sentence about what was found or refused */
    bool (*must_stop)(void *context);             /* asked between parts of the fit, which fails then; NULL: never */
    void *context;
};

/* Fits the density, mixture, styles and attributes, in this order; the same bits for the same samples in the same
 * order. Styles below LATENTS_STYLE_WINDOWS windows are refused, and so are those for which there is no room and those
 * with names of LATENTS_NAME_SIZE bytes or more: of either the five largest are reported with their counts, and how
 * many others there are. Attributes that do not vary, or that fewer than LATENTS_ATTRIBUTE_WINDOWS windows have, are
 * refused and reported. No mixture is stored where no held-out window likes it better. Room is made for a temperature,
 * for `classes` residuals and, where these are not 0, for what latents_fit_velocities finds: all zeros. Fails where the
 * samples have no density (model/latents/gaussian.h). Free with latents_free. */
bool latents_fit(struct latents *latents, const struct latent_samples *samples, int classes,
                 const struct latents_report *report, struct error *error);

#endif
