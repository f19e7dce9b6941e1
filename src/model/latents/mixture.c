#include "model/latents/mixture.h"

#include "base/random.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_COMPONENTS = 64,
    ROUNDS = 25,        /* of expectation and maximisation */
    LEAST_VECTORS = 20, /* a component, on average */
    PRIOR_VECTORS = 10, /* of unit variance, which each component's variances are drawn towards */
};

/* What one fit works in. */
struct fitting {
    const double *y; /* [anything, Z] */
    const size_t *rows;
    size_t count;
    double *sums;     /* [K, Z]: of vectors, weighed */
    double *squares;  /* [K, Z] */
    double *counts;   /* [K] */
    double *shares;   /* [K] of one vector */
    double *distance; /* [count]: to the nearest of the first guesses */
};

static bool make(struct mixture *mixture, int components, int size)
{
    size_t count = (size_t)components, numbers = count * (size_t)size;
    *mixture = (struct mixture){components, size, calloc(count, sizeof(double)), calloc(numbers, sizeof(double)),
                                calloc(numbers, sizeof(double))};
    return mixture->weights && mixture->means && mixture->scales;
}

void mixture_free(struct mixture *mixture)
{
    free(mixture->weights);
    free(mixture->means);
    free(mixture->scales);
    *mixture = (struct mixture){0};
}

/* The logarithms of weight and density of each component, into terms [K]; returns that of their sum. */
static double log_terms(double *terms, const double *y, const struct mixture *mixture)
{
    size_t size = (size_t)mixture->size;
    double largest = -INFINITY, sum = 0;
    for (int k = 0; k < mixture->components; k++) {
        const double *means = mixture->means + (size_t)k * size, *scales = mixture->scales + (size_t)k * size;
        double product = 1, exponent = 0;
        terms[k] = log(mixture->weights[k]);
        for (size_t i = 0; i < size; i++) {
            double distance = (y[i] - means[i]) / scales[i];
            exponent += distance * distance;
            product *= scales[i];
            if (i % 16 == 15) { /* few logarithms, and no product that is too small */
                terms[k] -= log(product);
                product = 1;
            }
        }
        terms[k] -= log(product) + 0.5 * exponent;
        largest = fmax(largest, terms[k]);
    }
    for (int k = 0; k < mixture->components; k++)
        sum += exp(terms[k] - largest);
    return largest + log(sum);
}

double mixture_log_density(const double *y, const struct mixture *mixture)
{
    double terms[MAX_COMPONENTS];
    return log_terms(terms, y, mixture);
}

static double squared_distance(const double *a, const double *b, size_t size)
{
    double sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

/* First means far from one another (k-means++: Arthur and Vassilvitskii 2007), half way to the vectors that were chosen. */
static void guess(struct mixture *mixture, const struct fitting *fitting)
{
    struct random_stream stream;
    size_t size = (size_t)mixture->size;
    assert(fitting->count > 0);
    random_stream_start(&stream, 0, RANDOM_LATENT_FIT, (uint32_t)mixture->components, 0);
    for (size_t i = 0; i < fitting->count; i++)
        fitting->distance[i] = 1;
    for (int k = 0; k < mixture->components; k++) {
        double total = 0;
        for (size_t i = 0; i < fitting->count; i++)
            total += fitting->distance[i];
        double left = (double)random_uniform(&stream) * total;
        size_t chosen = 0;
        while (chosen < fitting->count - 1 && (left -= fitting->distance[chosen]) > 0)
            chosen++;
        const double *center = fitting->y + fitting->rows[chosen] * size;
        for (size_t i = 0; i < fitting->count; i++) {
            double distance = squared_distance(fitting->y + fitting->rows[i] * size, center, size);
            fitting->distance[i] = k == 0 ? distance : fmin(fitting->distance[i], distance);
        }
        mixture->weights[k] = 1.0 / mixture->components;
        for (size_t i = 0; i < size; i++) {
            mixture->means[(size_t)k * size + i] = 0.5 * center[i];
            mixture->scales[(size_t)k * size + i] = 1;
        }
    }
}

static void expect(struct fitting *fitting, const struct mixture *mixture)
{
    size_t size = (size_t)mixture->size, components = (size_t)mixture->components;
    memset(fitting->sums, 0, components * size * sizeof(double));
    memset(fitting->squares, 0, components * size * sizeof(double));
    memset(fitting->counts, 0, components * sizeof(double));
    for (size_t row = 0; row < fitting->count; row++) {
        const double *y = fitting->y + fitting->rows[row] * size;
        double whole = log_terms(fitting->shares, y, mixture);
        for (size_t k = 0; k < components; k++) {
            double share = exp(fitting->shares[k] - whole), *sums = fitting->sums + k * size,
                   *squares = fitting->squares + k * size;
            if (share < 1e-9)
                continue;
            fitting->counts[k] += share;
            for (size_t i = 0; i < size; i++) {
                sums[i] += share * y[i];
                squares[i] += share * y[i] * y[i];
            }
        }
    }
}

static void maximise(struct mixture *mixture, const struct fitting *fitting)
{
    size_t size = (size_t)mixture->size, components = (size_t)mixture->components;
    for (size_t k = 0; k < components; k++) {
        double count = fitting->counts[k];
        mixture->weights[k] = (count + 1) / ((double)fitting->count + (double)components);
        for (size_t i = k * size; i < (k + 1) * size; i++) {
            double mean = count > 0 ? fitting->sums[i] / count : 0;
            double squares = fmax(fitting->squares[i] - count * mean * mean, 0);
            mixture->means[i] = mean;
            mixture->scales[i] = sqrt((squares + PRIOR_VECTORS) / (count + PRIOR_VECTORS));
        }
    }
}

static bool fit(struct mixture *mixture, int components, const double *y, const size_t *rows, size_t count, int size,
                struct error *error)
{
    size_t numbers = (size_t)components * (size_t)size;
    struct fitting fitting = {.y = y, .rows = rows, .count = count};
    fitting.sums = calloc(numbers, sizeof(double));
    fitting.squares = calloc(numbers, sizeof(double));
    fitting.counts = calloc((size_t)components, sizeof(double));
    fitting.shares = calloc((size_t)components, sizeof(double));
    fitting.distance = calloc(count + 1, sizeof(double));
    bool ok = fitting.sums && fitting.squares && fitting.counts && fitting.shares && fitting.distance &&
              make(mixture, components, size);
    if (ok) {
        guess(mixture, &fitting);
        for (int round = 0; round < ROUNDS; round++) {
            expect(&fitting, mixture);
            maximise(mixture, &fitting);
        }
    }
    free(fitting.sums);
    free(fitting.squares);
    free(fitting.counts);
    free(fitting.shares);
    free(fitting.distance);
    return ok || error_set_no_memory(error, "out of memory for a mixture of %d components", components);
}

/* The mean log-density of the vectors of fold 0, which are those from rows[fitted] on. */
static double score(const struct mixture *mixture, const double *y, const size_t *rows, size_t fitted, size_t count)
{
    double sum = 0;
    for (size_t i = fitted; i < count; i++)
        sum += mixture_log_density(y + rows[i] * (size_t)mixture->size, mixture);
    return sum / (double)(count - fitted);
}

/* The best number of components. */
static bool choose(int *components, double *gain, const double *y, const size_t *rows, size_t fitted, size_t count,
                   int size, int most, struct error *error)
{
    double single = 0, best = -INFINITY;
    *components = 1;
    *gain = 0;
    for (int k = 1; k <= most && (k == 1 || fitted >= (size_t)k * LEAST_VECTORS); k *= 2) {
        struct mixture trial = {0};
        if (!fit(&trial, k, y, rows, fitted, size, error)) {
            mixture_free(&trial);
            return false;
        }
        double found = score(&trial, y, rows, fitted, count);
        mixture_free(&trial);
        single = k == 1 ? found : single;
        if (found > best) {
            best = found;
            *components = k;
            *gain = found - single;
        }
    }
    return true;
}

bool mixture_fit(struct mixture *mixture, double *gain, const double *y, size_t count, int size, const uint8_t *fold,
                 int most, struct error *error)
{
    size_t *rows = malloc((count + 1) * sizeof *rows), fitted = 0;
    int components = 1;
    *mixture = (struct mixture){0};
    *gain = 0;
    if (!rows)
        return error_set_no_memory(error, "out of memory for %zu windows", count);
    for (size_t i = 0; i < count; i++)
        if (fold[i] != 0)
            rows[fitted++] = i;
    size_t end = fitted;
    for (size_t i = 0; i < count; i++)
        if (fold[i] == 0)
            rows[end++] = i;
    most = most < MAX_COMPONENTS ? most : MAX_COMPONENTS;
    bool ok = fitted == 0 || fitted == count || choose(&components, gain, y, rows, fitted, count, size, most, error);
    ok = ok && fit(mixture, components, y, rows, count, size, error);
    if (!ok)
        mixture_free(mixture);
    free(rows);
    return ok;
}
