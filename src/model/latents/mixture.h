/* A mixture of Gaussians with diagonal covariances, fitted by expectation and maximisation (Dempster, Laird and Rubin 1977). */
#ifndef DRUMLINE_MODEL_LATENTS_MIXTURE_H
#define DRUMLINE_MODEL_LATENTS_MIXTURE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct mixture {
    int components, size; /* K, Z */
    double *weights;      /* [K], owned, as are the next two */
    double *means;        /* [K, Z] */
    double *scales;       /* [K, Z]: standard deviations */
};

/* Fits to vectors y [count, Z] of about zero mean and unit variance. The number of components is the one of 1, 2, 4, ... up to
 * `most` that gives the vectors of fold 0 the highest likelihood after a fit to the others; then all are fitted. Variances are
 * drawn towards 1 by ten vectors' weight. *gain is by how many nats a vector the mixture is better there than one Gaussian; where
 * none is better, it has one component. Free with mixture_free. */
bool mixture_fit(struct mixture *mixture, double *gain, const double *y, size_t count, int size, const uint8_t *fold,
                 int most, struct error *error);
void mixture_free(struct mixture *mixture);

/* The logarithm of the density at y [Z], without Z / 2 ln(2 pi). */
double mixture_log_density(const double *y, const struct mixture *mixture);

#endif
