/* The distribution of a model's latent vectors over its training data: a Gaussian with the mean and the covariance of the
 * windows' `mu`. Encodings of data are not distributed as the prior N(0, 1), and what is decoded from where no data lie is
 * unlike the data; samples drawn from this density are closer to it (ex-post density estimation: Ghosh et al., "From
 * Variational to Deterministic Autoencoders", ICLR 2020). */
#ifndef DRUMLINE_MODEL_VAE_LATENT_DENSITY_H
#define DRUMLINE_MODEL_VAE_LATENT_DENSITY_H

#include "base/error.h"
#include "model/nn/tensors.h"

#include <stdint.h>

enum { LATENT_MAX_SIZE = 4096 };

/* Sums over windows, from which a density is fitted. Sums of parts of the data add up. */
struct latent_sums {
    int size;         /* Z */
    uint64_t count;   /* windows */
    double *sum;      /* [Z], owned */
    double *products; /* [Z, Z], owned: of each two numbers of a vector; the lower triangle */
};

bool latent_sums_make(struct latent_sums *sums, int size, struct error *error);
void latent_sums_free(struct latent_sums *sums);

/* Adds one window's mu [Z]. */
void latent_sums_add(struct latent_sums *sums, const float *mu);

struct latent_density {
    int size;      /* Z; 0: none */
    float *values; /* the tensors of latent_density_table, owned */
    float *mean;   /* [Z], inside values */
    float *factor; /* [Z, Z], inside values: lower triangular, factor * factor^T is the covariance */
};

/* "mean" [Z] and "factor" [Z, Z]: as they are stored. */
void latent_density_table(struct tensor_table *table, int size);

/* Room for a density, all zeros. */
bool latent_density_make(struct latent_density *density, int size, struct error *error);
void latent_density_free(struct latent_density *density);

/* Fits the density: mean and unbiased covariance, shrunk towards its own diagonal by Z / (Z + windows), so that few windows
 * give a usable one too. Fails below two windows, where a number is not finite, or where the model ignores its latent
 * vector (a variance of 0 in all of it). `density` is made. */
bool latent_density_fit(struct latent_density *density, const struct latent_sums *sums, struct error *error);

/* Turns standard normal vectors into draws: z = mean + factor * z, in place, z [count, Z]. */
void latent_density_apply(float *z, int count, const struct latent_density *density);

#endif
