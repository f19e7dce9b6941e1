/* Gaussians fitted to vectors, with as much shrinkage as held-out vectors ask for. All matrices are [Z, Z], row by row; of a
 * symmetric one the lower triangle is used, and a factor is lower triangular. */
#ifndef DRUMLINE_MODEL_LATENTS_GAUSSIAN_H
#define DRUMLINE_MODEL_LATENTS_GAUSSIAN_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum {
    GAUSSIAN_FOLDS = 5,          /* of the vectors: each is held out once */
    GAUSSIAN_SEARCH_SIZE = 1024, /* for longer vectors the weight is not searched for, but Z / (Z + vectors) */
};

/* Vectors, all or some of an array's. Nothing is owned. */
struct gaussian_data {
    int size;           /* Z */
    const double *x;    /* [anything, Z] */
    const size_t *rows; /* [count]: which of them */
    size_t count;
    const uint8_t *fold; /* of each of x's rows: below GAUSSIAN_FOLDS */
};

/* What a covariance is shrunk towards: (1 - weight) * covariance + weight * target. */
enum gaussian_target { GAUSSIAN_ITS_DIAGONAL, GAUSSIAN_IDENTITY };

struct gaussian {
    int size;
    double *mean;   /* [Z], owned */
    double *factor; /* [Z, Z], owned; above the diagonal 0 */
    double weight;  /* of the target */
};

/* Mean and unbiased covariance, shrunk by the weight of a few that gives held-out vectors the highest likelihood, summed over the
 * folds. Fails below two vectors, where a number is not finite, or where nothing varies. Free with gaussian_free. */
bool gaussian_fit(struct gaussian *gaussian, const struct gaussian_data *data, enum gaussian_target target,
                  struct error *error);
void gaussian_free(struct gaussian *gaussian);

/* y = factor^-1 (x - mean), all [Z]; y may be x. */
void gaussian_whiten(double *y, const double *x, const struct gaussian *gaussian);

/* The logarithm of the density at x [Z], without Z / 2 ln(2 pi); `room` [Z]. */
double gaussian_log_density(const double *x, const struct gaussian *gaussian, double *room);

/* Cholesky's factor in place of the lower triangle, 0 above. False where the matrix is not positive definite. */
bool gaussian_factorize(double *matrix, size_t size);

#endif
