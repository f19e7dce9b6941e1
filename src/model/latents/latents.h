/* What is known of a model's latent space: how the means `mu` of its training data's windows are distributed, and which way
 * leads to more or less of an attribute. --mode=latents of drumline-train fits it (model/latents/fit.h), a checkpoint stores it in
 * /latents (docs/formats.md), drumline-generate draws from it.
 *
 * Encodings of data are not distributed as the prior N(0, 1), and what is decoded from where no data lie is unlike the data;
 * samples drawn from a fitted density are closer to it (ex-post density estimation: Ghosh et al., "From Variational to
 * Deterministic Autoencoders", ICLR 2020).
 *
 * - One Gaussian of all windows: z = mean + factor * n, n ~ N(0, 1).
 * - A mixture, in that Gaussian's coordinates: component k, of probability weights[k], has n ~ N(means[k], scales[k]^2), each
 *   number by itself. So a component takes 2 Z numbers, and what the numbers of a z have in common is the factor's.
 * - A Gaussian for each style.
 * - Attributes: z + a * direction has `a` standard deviations more of one.
 * - Residuals: by how much the model's velocities and offsets differ from the data's, class by class.
 * - Velocities: how the data's were distributed given the model's, class by class. The model's are parted into bins; of each the
 *   mean of the model's and the quantiles of the data's are known.
 *
 * - The temperature at which samples are most like the data.
 *
 * All but the first may be missing. */
#ifndef DRUMLINE_MODEL_LATENTS_LATENTS_H
#define DRUMLINE_MODEL_LATENTS_LATENTS_H

#include "base/error.h"
#include "base/representation.h"
#include "model/nn/tensors.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LATENTS_MAX_COMPONENTS = 64,
    LATENTS_MAX_STYLES = 256,
    LATENTS_MAX_ATTRIBUTES = 64,
    LATENTS_NAME_SIZE = 64,
    LATENTS_MAX_STYLE_FLOATS = 1 << 21, /* of all styles' factors: 8 MiB */
    LATENTS_MAX_VELOCITY_BINS = 64,
    LATENTS_MAX_VELOCITY_QUANTILES = 257,
};

/* What there is; 0: none. */
struct latent_counts {
    int size;                              /* Z; 0: nothing at all */
    int components;                        /* K */
    int styles;                            /* S */
    int attributes;                        /* A */
    int classes;                           /* C */
    int velocity_bins, velocity_quantiles; /* V, Q; 0 without classes */
    int temperatures;                      /* 1: there is one; else 0 */
};

struct latents {
    struct latent_counts counts;
    char (*style_names)[LATENTS_NAME_SIZE];     /* [S], owned */
    char (*attribute_names)[LATENTS_NAME_SIZE]; /* [A], owned */

    float *values; /* the tensors of latents_table, owned; all that follow lie in it */
    float *mean;   /* [Z] */
    float *factor; /* [Z, Z]: lower triangular, factor * factor^T is the covariance */

    float *weights; /* [K], their sum is 1 */
    float *means;   /* [K, Z] */
    float *scales;  /* [K, Z], above 0 */

    float *style_windows; /* [S]: how many windows each was fitted to */
    float *style_means;   /* [S, Z] */
    float *style_factors; /* [S, Z (Z + 1) / 2]: the rows of a lower triangle, one after another */

    float *attribute_means;      /* [A]: over the windows that have the attribute */
    float *attribute_sd;         /* [A] */
    float *attribute_directions; /* [A, Z]: by regression, one standard deviation each */
    float *
        attribute_differences; /* [A, Z]: of means, of the windows in the attribute's highest and in its lowest quarter */

    float *velocity_sd; /* [C]: of 0 to 1 */
    float *offset_sd;   /* [C] */

    float *velocity_means; /* [C, V]: of the model's velocities, 0 to 1, in each bin; not falling */
    float *
        velocity_quantiles; /* [C * V, Q]: of the data's in the bin, at 0, 1 / (Q - 1), ... 1; not falling along Q nor V */

    float *temperature; /* [1]: at which samples are most like the data; 0: not measured */
};

/* The datasets below /latents, in the order of the members; none of those whose count is 0. */
void latents_table(struct tensor_table *table, const struct latent_counts *counts);

/* Room for all of it, all zeros. Fails also where a count is out of bounds. */
bool latents_make(struct latents *latents, const struct latent_counts *counts, struct error *error);
void latents_free(struct latents *latents);

/* That what was read can be drawn from: weights that are probabilities, scales and deviations that are not negative, names that
 * are there and differ. */
bool latents_check(const struct latents *latents, struct error *error);

/* Names as one text, a line each, as they are stored; the caller's. And back: fails where there are not `count` names, or one is
 * empty or too long. */
char *latents_join_names(char (*names)[LATENTS_NAME_SIZE], int count);
bool latents_split_names(char (*names)[LATENTS_NAME_SIZE], int count, const char *text, struct error *error);

/* How many names such a text has. */
int latents_count_names(const char *text);

/* The number of a style or an attribute, -1 where there is none of that name. Upper and lower case do not matter. */
int latents_find_style(const struct latents *latents, const char *name);
int latents_find_attribute(const struct latents *latents, const char *name);

/* The temperature for samples from any of the densities, unless another is asked for: the one that is stored, else 0.9. */
float latents_temperature(const struct latents *latents);

/* [C]: where the residuals of an output head's columns are, NULL where there are none. */
float *latents_residual_sd(const struct latents *latents, const struct representation_head *head);

/* What samples are drawn from. */
enum latent_density { LATENT_PRIOR, LATENT_GAUSSIAN, LATENT_MIXTURE, LATENT_STYLE };

/* Turns standard normal vectors z [count, Z] into draws, in place. `style` is for LATENT_STYLE. Row i depends on what it was, and
 * with LATENT_MIXTURE on seed, point (of those that one output draws) and first + i. `latents` may be empty for LATENT_PRIOR. */
void latents_apply(float *z, int count, const struct latents *latents, enum latent_density density, int style,
                   uint64_t seed, uint32_t point, uint32_t first);

/* z [Z] += amount * direction of an attribute. */
void latents_move(float *z, const struct latents *latents, int attribute, double amount);

#endif
