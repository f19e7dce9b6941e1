#include "model/latents/gaussian.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the largest variance: what a number that never varies is given, so that the covariance has a factor. */
static const double least_variance = 1e-8;

static const double weights[] = {0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1};
enum { NUM_WEIGHTS = sizeof weights / sizeof *weights };

/* Sums over vectors, of one fold or of all. */
struct sums {
    double count;
    double *sum;      /* [Z] */
    double *products; /* [Z, Z]: the lower triangle */
};

static bool sums_make(struct sums *sums, size_t size)
{
    *sums = (struct sums){0, calloc(size, sizeof(double)), calloc(size * size, sizeof(double))};
    return sums->sum && sums->products;
}

static void sums_free(struct sums *sums)
{
    free(sums->sum);
    free(sums->products);
}

static void sums_add(struct sums *sums, const double *x, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        double *row = sums->products + i * size, value = x[i];
        sums->sum[i] += value;
        for (size_t j = 0; j <= i; j++)
            row[j] += value * x[j];
    }
    sums->count++;
}

/* Adds `sign` times another's. */
static void sums_combine(struct sums *to, const struct sums *from, double sign, size_t size)
{
    to->count += sign * from->count;
    for (size_t i = 0; i < size; i++)
        to->sum[i] += sign * from->sum[i];
    for (size_t i = 0; i < size * size; i++)
        to->products[i] += sign * from->products[i];
}

/* Room for a gaussian; false without memory. */
static bool make(struct gaussian *gaussian, int size)
{
    size_t count = (size_t)size;
    *gaussian = (struct gaussian){
        .size = size, .mean = calloc(count, sizeof(double)), .factor = calloc(count * count, sizeof(double))};
    return gaussian->mean && gaussian->factor;
}

void gaussian_free(struct gaussian *gaussian)
{
    free(gaussian->mean);
    free(gaussian->factor);
    *gaussian = (struct gaussian){0};
}

bool gaussian_factorize(double *matrix, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        double *row = matrix + i * size;
        for (size_t j = 0; j <= i; j++) {
            const double *other = matrix + j * size;
            double rest = row[j];
            for (size_t k = 0; k < j; k++)
                rest -= row[k] * other[k];
            if (i == j && !(rest > 0 && isfinite(rest)))
                return false;
            row[j] = i == j ? sqrt(rest) : rest / other[j];
        }
        for (size_t j = i + 1; j < size; j++)
            row[j] = 0;
    }
    return true;
}

/* The gaussian of some sums and a weight. False where there is none. */
static bool from_sums(struct gaussian *gaussian, const struct sums *sums, double weight, enum gaussian_target target)
{
    size_t size = (size_t)gaussian->size;
    double largest = 0;
    if (!(sums->count >= 2))
        return false;
    for (size_t i = 0; i < size; i++) {
        double *row = gaussian->factor + i * size;
        gaussian->mean[i] = sums->sum[i] / sums->count;
        for (size_t j = 0; j <= i; j++) {
            double value = (sums->products[i * size + j] - sums->sum[i] * gaussian->mean[j]) / (sums->count - 1);
            if (!isfinite(value))
                return false;
            row[j] = i == j && target == GAUSSIAN_ITS_DIAGONAL ? fmax(value, 0) : (1 - weight) * value;
        }
        if (target == GAUSSIAN_IDENTITY)
            row[i] += weight;
        largest = fmax(largest, row[i]);
    }
    for (size_t i = 0; i < size; i++)
        gaussian->factor[i * size + i] = fmax(gaussian->factor[i * size + i], least_variance * largest);
    gaussian->weight = weight;
    return largest > 0 && gaussian_factorize(gaussian->factor, size);
}

void gaussian_whiten(double *y, const double *x, const struct gaussian *gaussian)
{
    size_t size = (size_t)gaussian->size;
    for (size_t i = 0; i < size; i++) {
        const double *row = gaussian->factor + i * size;
        double rest = x[i] - gaussian->mean[i];
        for (size_t j = 0; j < i; j++)
            rest -= row[j] * y[j];
        y[i] = rest / row[i];
    }
}

double gaussian_log_density(const double *x, const struct gaussian *gaussian, double *room)
{
    size_t size = (size_t)gaussian->size;
    double sum = 0;
    gaussian_whiten(room, x, gaussian);
    for (size_t i = 0; i < size; i++)
        sum -= 0.5 * room[i] * room[i] + log(gaussian->factor[i * size + i]);
    return sum;
}

/* The log-likelihood of one fold's vectors given the others', for each weight; -infinity where these have no density. */
static void score_fold(double scores[NUM_WEIGHTS], const struct gaussian_data *data, uint8_t fold,
                       const struct sums *rest, enum gaussian_target target, struct gaussian *trial, double *room)
{
    for (int w = 0; w < NUM_WEIGHTS; w++) {
        if (!from_sums(trial, rest, weights[w], target)) {
            scores[w] = -INFINITY;
            continue;
        }
        for (size_t i = 0; i < data->count; i++)
            if (data->fold[data->rows[i]] == fold)
                scores[w] += gaussian_log_density(data->x + data->rows[i] * (size_t)data->size, trial, room);
    }
}

/* The best weight. `folds` [GAUSSIAN_FOLDS] are their sums, `all` their sum; `trial` is for trying. */
static double search(const struct gaussian_data *data, const struct sums *folds, struct sums *all,
                     enum gaussian_target target, struct gaussian *trial, double *room)
{
    double scores[NUM_WEIGHTS] = {0};
    size_t size = (size_t)data->size;
    int best = NUM_WEIGHTS - 1;
    for (int fold = 0; fold < GAUSSIAN_FOLDS; fold++) {
        sums_combine(all, &folds[fold], -1, size);
        if (folds[fold].count > 0)
            score_fold(scores, data, (uint8_t)fold, all, target, trial, room);
        sums_combine(all, &folds[fold], 1, size);
    }
    for (int w = NUM_WEIGHTS - 1; w >= 0; w--)
        if (scores[w] > scores[best])
            best = w;
    return isfinite(scores[best]) ? weights[best] : 1;
}

static void free_folds(struct sums folds[GAUSSIAN_FOLDS])
{
    for (int i = 0; i < GAUSSIAN_FOLDS; i++)
        sums_free(&folds[i]);
}

bool gaussian_fit(struct gaussian *gaussian, const struct gaussian_data *data, enum gaussian_target target,
                  struct error *error)
{
    struct sums folds[GAUSSIAN_FOLDS] = {{0}}, all = {0};
    size_t size = (size_t)data->size;
    bool searches = data->size <= GAUSSIAN_SEARCH_SIZE;
    double *room = calloc(size, sizeof *room);
    bool made = make(gaussian, data->size) && sums_make(&all, size) && room;
    for (int i = 0; made && searches && i < GAUSSIAN_FOLDS; i++)
        made = sums_make(&folds[i], size);
    bool ok = made || error_set_no_memory(error, "out of memory for the covariance of %zu latent numbers", size);
    if (ok && data->count < 2)
        ok = error_set(error, "two or more windows are needed to fit the latent density, not %zu", data->count);
    for (size_t i = 0; ok && i < data->count; i++)
        sums_add(searches ? &folds[data->fold[data->rows[i]]] : &all, data->x + data->rows[i] * size, size);
    for (int i = 0; ok && searches && i < GAUSSIAN_FOLDS; i++)
        sums_combine(&all, &folds[i], 1, size);
    double weight = (double)size / ((double)size + (double)data->count);
    if (ok && searches)
        weight = search(data, folds, &all, target, gaussian, room);
    if (ok && !from_sums(gaussian, &all, weight, target))
        ok = error_set(error,
                       "the latent vectors of %zu windows have no covariance to draw from: does the model use them?",
                       data->count);
    if (!ok)
        gaussian_free(gaussian);
    free_folds(folds);
    sums_free(&all);
    free(room);
    return ok;
}
