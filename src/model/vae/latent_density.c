#include "model/vae/latent_density.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the largest variance: what a number that never varies is given, so that the covariance has a factor. */
static const double least_variance = 1e-8;

bool latent_sums_make(struct latent_sums *sums, int size, struct error *error)
{
    size_t count = (size_t)size;
    *sums = (struct latent_sums){.size = size, .sum = calloc(count, sizeof(double))};
    sums->products = calloc(count * count, sizeof(double));
    if (sums->sum && sums->products)
        return true;
    latent_sums_free(sums);
    return error_set(error, "out of memory for the covariance of %d latent numbers", size);
}

void latent_sums_free(struct latent_sums *sums)
{
    free(sums->sum);
    free(sums->products);
    *sums = (struct latent_sums){0};
}

void latent_sums_add(struct latent_sums *sums, const float *mu)
{
    for (int i = 0; i < sums->size; i++) {
        double *row = sums->products + (size_t)i * (size_t)sums->size, value = (double)mu[i];
        sums->sum[i] += value;
        for (int j = 0; j <= i; j++)
            row[j] += value * (double)mu[j];
    }
    sums->count++;
}

void latent_density_table(struct tensor_table *table, int size)
{
    *table = (struct tensor_table){0};
    tensors_add(table, "mean", 1, 1, size, INITIAL_ZERO);
    tensors_add(table, "factor", 2, size, size, INITIAL_ZERO);
}

bool latent_density_make(struct latent_density *density, int size, struct error *error)
{
    struct tensor_table table;
    latent_density_table(&table, size);
    *density = (struct latent_density){.size = size, .values = calloc(table.num_floats, sizeof(float))};
    if (!density->values)
        return error_set(error, "out of memory for the covariance of %d latent numbers", size);
    density->mean = density->values + table.rows[0].offset;
    density->factor = density->values + table.rows[1].offset;
    return true;
}

void latent_density_free(struct latent_density *density)
{
    free(density->values);
    *density = (struct latent_density){0};
}

/* The lower triangle of the shrunk covariance, in place of the sums of products. False where a number is not finite. */
static bool make_covariance(double *matrix, const struct latent_sums *sums)
{
    size_t size = (size_t)sums->size;
    double count = (double)sums->count, shrinkage = (double)size / ((double)size + count), largest = 0;
    for (size_t i = 0; i < size; i++)
        for (size_t j = 0; j <= i; j++) {
            double value = (sums->products[i * size + j] - sums->sum[i] * sums->sum[j] / count) / (count - 1);
            matrix[i * size + j] = i == j ? fmax(value, 0) : (1 - shrinkage) * value;
            if (!isfinite(value))
                return false;
            largest = i == j ? fmax(largest, value) : largest;
        }
    for (size_t i = 0; i < size; i++)
        matrix[i * size + i] = fmax(matrix[i * size + i], least_variance * largest);
    return largest > 0;
}

/* Cholesky's factor in place of the lower triangle. False where the matrix is not positive definite. */
static bool factorize(double *matrix, size_t size)
{
    for (size_t i = 0; i < size; i++)
        for (size_t j = 0; j <= i; j++) {
            double rest = matrix[i * size + j];
            for (size_t k = 0; k < j; k++)
                rest -= matrix[i * size + k] * matrix[j * size + k];
            if (i == j && !(rest > 0))
                return false;
            matrix[i * size + j] = i == j ? sqrt(rest) : rest / matrix[j * size + j];
        }
    return true;
}

bool latent_density_fit(struct latent_density *density, const struct latent_sums *sums, struct error *error)
{
    size_t size = (size_t)sums->size;
    if (sums->count < 2)
        return error_set(error, "two or more windows are needed to fit the latent density, not %d", (int)sums->count);
    double *matrix = calloc(size * size, sizeof *matrix);
    if (!matrix)
        return error_set(error, "out of memory for the covariance of %zu latent numbers", size);
    bool ok =
        (make_covariance(matrix, sums) && factorize(matrix, size)) ||
        error_set(error, "the latent vectors of %llu windows have no covariance to draw from: does the model use them?",
                  (unsigned long long)sums->count);
    for (size_t i = 0; ok && i < size; i++) {
        density->mean[i] = (float)(sums->sum[i] / (double)sums->count);
        for (size_t j = 0; j < size; j++)
            density->factor[i * size + j] = j <= i ? (float)matrix[i * size + j] : 0.0f;
    }
    free(matrix);
    return ok;
}

void latent_density_apply(float *z, int count, const struct latent_density *density)
{
    size_t size = (size_t)density->size;
    for (int row = 0; row < count; row++) {
        float *vector = z + (size_t)row * size;
        for (size_t i = size; i-- > 0;) { /* from the end: number i needs those before it as they were */
            double value = (double)density->mean[i];
            for (size_t j = 0; j <= i; j++)
                value += (double)density->factor[i * size + j] * (double)vector[j];
            vector[i] = (float)value;
        }
    }
}
