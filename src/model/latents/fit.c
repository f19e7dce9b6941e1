#include "model/latents/fit.h"

#include "base/array.h"
#include "base/text.h"
#include "model/latents/gaussian.h"
#include "model/latents/mixture.h"
#include "model/latents/velocities.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIXTURE_MOST = 32, NUM_REFUSED_NAMED = 5 };

/* What one fit works with; all owned but the samples and the report. */
struct fitting {
    const struct latent_samples *samples;
    const struct latents_report *report;
    double *x;     /* [N, Z]: the samples; then, in the whole's coordinates */
    uint8_t *fold; /* [N] */
    size_t *rows;  /* [N] */
    struct gaussian whole;
    struct mixture mixture;
    size_t *style_counts; /* [styles] */
    int *chosen_styles;   /* [styles]: those that are fitted, the largest first */
    int num_chosen_styles;
    bool *style_is_taken;   /* [styles] */
    int *chosen_attributes; /* [attributes] */
    int num_chosen_attributes;
    double *attribute_mean, *attribute_sd; /* [attributes] */
};

static void say(const struct fitting *fitting, char *text)
{
    if (fitting->report)
        fitting->report->say(fitting->report->context, text);
    free(text);
}

static bool may_go_on(const struct fitting *fitting, struct error *error)
{
    const struct latents_report *report = fitting->report;
    return !report || !report->must_stop || !report->must_stop(report->context) || error_set(error, "stopped");
}

static void free_fitting(struct fitting *fitting)
{
    free(fitting->x);
    free(fitting->fold);
    free(fitting->rows);
    gaussian_free(&fitting->whole);
    mixture_free(&fitting->mixture);
    free(fitting->style_counts);
    free(fitting->chosen_styles);
    free(fitting->style_is_taken);
    free(fitting->chosen_attributes);
    free(fitting->attribute_mean);
    free(fitting->attribute_sd);
}

static bool make_fitting(struct fitting *fitting, struct error *error)
{
    const struct latent_samples *samples = fitting->samples;
    size_t count = samples->count, styles = (size_t)samples->num_styles, attributes = (size_t)samples->num_attributes;
    fitting->x = malloc((count * (size_t)samples->size + 1) * sizeof *fitting->x);
    fitting->fold = calloc(count + 1, 1);
    fitting->rows = calloc(count + 1, sizeof *fitting->rows);
    fitting->style_counts = calloc(styles + 1, sizeof *fitting->style_counts);
    fitting->chosen_styles = calloc(styles + 1, sizeof *fitting->chosen_styles);
    fitting->style_is_taken = calloc(styles + 1, sizeof *fitting->style_is_taken);
    fitting->chosen_attributes = calloc(attributes + 1, sizeof *fitting->chosen_attributes);
    fitting->attribute_mean = calloc(attributes + 1, sizeof(double));
    fitting->attribute_sd = calloc(attributes + 1, sizeof(double));
    return (fitting->x && fitting->fold && fitting->rows && fitting->style_counts && fitting->chosen_styles &&
            fitting->style_is_taken && fitting->chosen_attributes && fitting->attribute_mean &&
            fitting->attribute_sd) ||
           error_set_no_memory(error, "out of memory for %zu windows", count);
}

/* Every fifth performance, in the order in which they come, is in the same fold. */
static void set_folds(struct fitting *fitting)
{
    const struct latent_samples *samples = fitting->samples;
    for (size_t i = 0, number = 0; i < samples->count; i++) {
        number += i > 0 && samples->performance[i] != samples->performance[i - 1];
        fitting->fold[i] = (uint8_t)(number % GAUSSIAN_FOLDS);
    }
}

/* Into the coordinates in which the whole is N(0, 1). */
static bool fit_whole(struct fitting *fitting, struct error *error)
{
    const struct latent_samples *samples = fitting->samples;
    size_t numbers = samples->count * (size_t)samples->size;
    for (size_t i = 0; i < numbers; i++)
        fitting->x[i] = (double)samples->mu[i];
    for (size_t i = 0; i < samples->count; i++)
        fitting->rows[i] = i;
    const struct gaussian_data data = {samples->size, fitting->x, fitting->rows, samples->count, fitting->fold};
    if (!gaussian_fit(&fitting->whole, &data, GAUSSIAN_ITS_DIAGONAL, error))
        return false;
    for (size_t i = 0; i < samples->count; i++)
        gaussian_whiten(fitting->x + i * (size_t)samples->size, fitting->x + i * (size_t)samples->size,
                        &fitting->whole);
    say(fitting, format_text("latent density of %zu windows, shrunk towards its diagonal by %g", samples->count,
                             fitting->whole.weight));
    return true;
}

static bool fit_mixture(struct fitting *fitting, struct error *error)
{
    const struct latent_samples *samples = fitting->samples;
    double gain;
    if (samples->size > GAUSSIAN_SEARCH_SIZE)
        return true;
    if (!mixture_fit(&fitting->mixture, &gain, fitting->x, samples->count, samples->size, fitting->fold, MIXTURE_MOST,
                     error))
        return false;
    if (fitting->mixture.components > 1)
        say(fitting, format_text("mixture of %d components: by %.2f nats a held-out window better than one",
                                 fitting->mixture.components, gain));
    else
        say(fitting, format_text("no mixture: one component is as good for held-out windows"));
    if (fitting->mixture.components == 1)
        mixture_free(&fitting->mixture);
    return true;
}

static bool has_style(const struct latent_samples *samples, size_t window, int style)
{
    return samples->styles[0][window] == style || samples->styles[1][window] == style;
}

/* The style of the most windows that is not `taken` yet. */
static int largest_style(const struct fitting *fitting, const bool *taken)
{
    int largest = -1;
    for (int style = 0; style < fitting->samples->num_styles; style++)
        if (!taken[style] && (largest < 0 || fitting->style_counts[style] > fitting->style_counts[largest]))
            largest = style;
    return largest;
}

/* Styles for one line of the report, named as far as `most_named` of them. */
struct style_list {
    int most_named, count;
    char *text; /* "NAME WINDOWS, NAME WINDOWS", owned; NULL where there are none */
};

static void list_style(struct style_list *list, const char *name, size_t windows)
{
    if (list->count++ >= list->most_named)
        return;
    char *before = list->text;
    list->text = format_text("%s%s%s %zu", before ? before : "", before ? ", " : "", name, windows);
    free(before);
}

/* Reports a list behind `what`, where there is something in it, and frees it. */
static void say_styles(const struct fitting *fitting, char *what, struct style_list *list)
{
    if (list->count > list->most_named)
        say(fitting, format_text("%s: %s and %d more", what, list->text, list->count - list->most_named));
    else if (list->count > 0)
        say(fitting, format_text("%s: %s", what, list->text));
    free(list->text);
    free(what);
}

/* How many styles there is room for. */
static int most_styles(int size)
{
    int most = LATENTS_MAX_STYLE_FLOATS / (size * (size + 1) / 2 + 1);
    return size > GAUSSIAN_SEARCH_SIZE ? 0 : most < LATENTS_MAX_STYLES ? most : LATENTS_MAX_STYLES;
}

/* The styles that are fitted, the largest first. They are reported, and those that are not. */
static void choose_styles(struct fitting *fitting)
{
    const struct latent_samples *samples = fitting->samples;
    struct style_list chosen = {.most_named = LATENTS_MAX_STYLES}, few = {.most_named = NUM_REFUSED_NAMED}, unfit = few;
    const int most = most_styles(samples->size);
    for (size_t i = 0; i < samples->count; i++)
        for (int style = 0; style < samples->num_styles; style++)
            fitting->style_counts[style] += has_style(samples, i, style);
    for (int turn = 0; turn < samples->num_styles; turn++) {
        int style = largest_style(fitting, fitting->style_is_taken);
        size_t windows = fitting->style_counts[style];
        const char *name = samples->style_names[style];
        fitting->style_is_taken[style] = true;
        if (windows < LATENTS_STYLE_WINDOWS) {
            list_style(&few, name, windows);
        } else if (fitting->num_chosen_styles >= most || strlen(name) >= LATENTS_NAME_SIZE) {
            list_style(&unfit, name, windows);
        } else {
            list_style(&chosen, name, windows);
            fitting->chosen_styles[fitting->num_chosen_styles++] = style;
        }
    }
    say_styles(fitting, format_text("styles with a density of their own, and their windows"), &chosen);
    say_styles(
        fitting,
        format_text("styles without a density of their own, as they have fewer than %d windows", LATENTS_STYLE_WINDOWS),
        &few);
    say_styles(
        fitting,
        format_text("styles without a density of their own, as there is room for %d with names of up to %d bytes", most,
                    LATENTS_NAME_SIZE - 1),
        &unfit);
}

/* A style's Gaussian, fitted in the whole's coordinates, in z's own: mean + factor * (m + f n), and a product of lower triangles
 * is one. */
static void store_style(struct latents *latents, int number, const struct fitting *fitting,
                        const struct gaussian *style)
{
    size_t size = (size_t)style->size;
    const double *outer = fitting->whole.factor;
    float *mean = latents->style_means + (size_t)number * size;
    float *factor = latents->style_factors + (size_t)number * (size * (size + 1) / 2);
    for (size_t i = 0; i < size; i++) {
        double value = fitting->whole.mean[i];
        for (size_t k = 0; k <= i; k++)
            value += outer[i * size + k] * style->mean[k];
        mean[i] = (float)value;
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t k = j; k <= i; k++)
                sum += outer[i * size + k] * style->factor[k * size + j];
            factor[i * (i + 1) / 2 + j] = (float)sum;
        }
    }
}

static bool fit_styles(struct latents *latents, struct fitting *fitting, struct error *error)
{
    const struct latent_samples *samples = fitting->samples;
    bool ok = may_go_on(fitting, error);
    for (int number = 0; ok && number < fitting->num_chosen_styles; number++) {
        int style = fitting->chosen_styles[number];
        struct gaussian_data data = {samples->size, fitting->x, fitting->rows, 0, fitting->fold};
        struct gaussian gaussian = {0};
        for (size_t i = 0; i < samples->count; i++)
            if (has_style(samples, i, style))
                fitting->rows[data.count++] = i;
        ok = gaussian_fit(&gaussian, &data, GAUSSIAN_IDENTITY, error) ||
             error_prefix(error, "style %s", samples->style_names[style]);
        if (ok) {
            store_style(latents, number, fitting, &gaussian);
            latents->style_windows[number] = (float)data.count;
            snprintf(latents->style_names[number], LATENTS_NAME_SIZE, "%s", samples->style_names[style]);
        }
        gaussian_free(&gaussian);
        ok = ok && may_go_on(fitting, error);
    }
    return ok;
}

static void choose_attributes(struct fitting *fitting)
{
    const struct latent_samples *samples = fitting->samples;
    size_t all = samples->size <= GAUSSIAN_SEARCH_SIZE ? (size_t)samples->num_attributes : 0;
    for (size_t a = 0; a < all && fitting->num_chosen_attributes < LATENTS_MAX_ATTRIBUTES; a++) {
        double sum = 0, squares = 0, count = 0;
        for (size_t i = 0; i < samples->count; i++) {
            double value = samples->attributes[i * (size_t)samples->num_attributes + a];
            if (isfinite(value)) {
                sum += value;
                squares += value * value;
                count++;
            }
        }
        double mean = count > 0 ? sum / count : 0, variance = count > 1 ? (squares - sum * mean) / (count - 1) : 0;
        if (!(count >= LATENTS_ATTRIBUTE_WINDOWS) || !(variance > 1e-12 * (1 + mean * mean))) {
            say(fitting, format_text("no direction for %s: %s", samples->attribute_names[a],
                                     count >= LATENTS_ATTRIBUTE_WINDOWS ? "it does not vary" : "too few windows"));
            continue;
        }
        fitting->attribute_mean[a] = mean;
        fitting->attribute_sd[a] = sqrt(variance);
        fitting->chosen_attributes[fitting->num_chosen_attributes++] = (int)a;
    }
}

/* An attribute of a window in standard deviations from its mean; one that the window does not have is taken as the mean. */
static double scaled_attribute(const struct fitting *fitting, size_t window, int number)
{
    size_t a = (size_t)fitting->chosen_attributes[number];
    double value = fitting->samples->attributes[window * (size_t)fitting->samples->num_attributes + a];
    return isfinite(value) ? (value - fitting->attribute_mean[a]) / fitting->attribute_sd[a] : 0;
}

/* x = (factor factor^T)^-1 x for each of `count` columns of x [size, count]. */
static void solve(double *x, const double *factor, size_t size, size_t count)
{
    for (size_t i = 0; i < size; i++) {
        for (size_t k = 0; k < i; k++)
            for (size_t c = 0; c < count; c++)
                x[i * count + c] -= factor[i * size + k] * x[k * count + c];
        for (size_t c = 0; c < count; c++)
            x[i * count + c] /= factor[i * size + i];
    }
    for (size_t i = size; i-- > 0;) {
        for (size_t k = i + 1; k < size; k++)
            for (size_t c = 0; c < count; c++)
                x[i * count + c] -= factor[k * size + i] * x[k * count + c];
        for (size_t c = 0; c < count; c++)
            x[i * count + c] /= factor[i * size + i];
    }
}

/* covariance [Z, Z], all of it, of a factor. */
static void multiply_factor(double *covariance, const double *factor, size_t size)
{
    for (size_t i = 0; i < size; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t k = 0; k <= j; k++)
                sum += factor[i * size + k] * factor[j * size + k];
            covariance[i * size + j] = covariance[j * size + i] = sum;
        }
}

/* What leads from the attributes' covariances with mu, `cross` [Z, A], to directions, in its place: the step of z with the least
 * Mahalanobis length that raises what a regression predicts of one attribute by a standard deviation and leaves the others. The regression is
 * of the attributes on z = mu + eps, which the decoder has learned from, not on mu: what lies below that noise says nothing to it. With
 * S the covariance, W = (S + I)^-1 cross and P = W^T S W the directions are S W (P + 0.01 I)^-1, where the hundredth bounds the step for an
 * attribute that can't be predicted. */
static bool find_directions(double *cross, const double *factor, size_t size, size_t attributes)
{
    double *covariance = malloc(size * size * sizeof *covariance), *noisy = malloc(size * size * sizeof *noisy);
    double *weights = malloc(size * attributes * sizeof *weights), *moved = calloc(size * attributes, sizeof *moved);
    double *products = calloc(attributes * attributes, sizeof *products);
    bool ok = covariance && noisy && weights && moved && products;
    if (ok) {
        multiply_factor(covariance, factor, size);
        memcpy(noisy, covariance, size * size * sizeof *noisy);
        memcpy(weights, cross, size * attributes * sizeof *weights);
        for (size_t i = 0; i < size; i++)
            noisy[i * size + i] += 1;
        ok = gaussian_factorize(noisy, size);
    }
    if (ok) {
        solve(weights, noisy, size, attributes);
        for (size_t i = 0; i < size; i++)
            for (size_t k = 0; k < size; k++)
                for (size_t a = 0; a < attributes; a++)
                    moved[i * attributes + a] += covariance[i * size + k] * weights[k * attributes + a];
        for (size_t a = 0; a < attributes; a++) {
            for (size_t b = 0; b < attributes; b++)
                for (size_t i = 0; i < size; i++)
                    products[a * attributes + b] += weights[i * attributes + a] * moved[i * attributes + b];
            products[a * attributes + a] += 0.01;
        }
        ok = gaussian_factorize(products, attributes);
    }
    for (size_t i = 0; ok && i < size; i++) { /* the matrix is symmetric: a row is solved as a column */
        memcpy(cross + i * attributes, moved + i * attributes, attributes * sizeof *cross);
        solve(cross + i * attributes, products, attributes, 1);
    }
    free(covariance);
    free(noisy);
    free(weights);
    free(moved);
    free(products);
    return ok;
}

/* The mean of the windows in the highest quarter of the attribute less that of those in the lowest. `room` [N]. */
static void set_difference(float *difference, const struct fitting *fitting, int number, double *room)
{
    const struct latent_samples *samples = fitting->samples;
    size_t size = (size_t)samples->size, count = 0, a = (size_t)fitting->chosen_attributes[number];
    double high_count = 0, low_count = 0;
    for (size_t i = 0; i < samples->count; i++)
        if (isfinite(samples->attributes[i * (size_t)samples->num_attributes + a]))
            room[count++] = samples->attributes[i * (size_t)samples->num_attributes + a];
    qsort(room, count, sizeof *room, compare_doubles);
    double low = room[count / 4], high = room[count - 1 - count / 4];
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < samples->count; i++) {
            double value = samples->attributes[i * (size_t)samples->num_attributes + a];
            bool is_high = value >= high && high > low, is_low = value <= low && high > low;
            if (pass == 0) {
                high_count += is_high;
                low_count += is_low;
                continue;
            }
            double share = (is_high ? 1 / high_count : 0) - (is_low ? 1 / low_count : 0);
            for (size_t k = 0; (is_high || is_low) && k < size; k++)
                difference[k] += (float)(share * (double)samples->mu[i * size + k]);
        }
}

static bool fit_attributes(struct latents *latents, const struct fitting *fitting, struct error *error)
{
    const struct latent_samples *samples = fitting->samples;
    size_t size = (size_t)samples->size, attributes = (size_t)fitting->num_chosen_attributes;
    double *cross = calloc(attributes * size + 1, sizeof *cross), *room = calloc(samples->count + 1, sizeof *room);
    bool ok = (cross && room) || error_set_no_memory(error, "out of memory for %zu attributes", attributes);
    for (size_t i = 0; ok && i < samples->count; i++)
        for (size_t a = 0; a < attributes; a++) {
            double value = scaled_attribute(fitting, i, (int)a) / (double)samples->count;
            for (size_t k = 0; k < size; k++)
                cross[k * attributes + a] += value * ((double)samples->mu[i * size + k] - fitting->whole.mean[k]);
        }
    if (ok && attributes > 0)
        ok = find_directions(cross, fitting->whole.factor, size, attributes) ||
             error_set(error, "the directions of %zu attributes can't be told apart", attributes);
    for (size_t a = 0; ok && a < attributes; a++) {
        int which = fitting->chosen_attributes[a];
        snprintf(latents->attribute_names[a], LATENTS_NAME_SIZE, "%s", samples->attribute_names[which]);
        latents->attribute_means[a] = (float)fitting->attribute_mean[which];
        latents->attribute_sd[a] = (float)fitting->attribute_sd[which];
        for (size_t k = 0; k < size; k++)
            latents->attribute_directions[a * size + k] = (float)cross[k * attributes + a];
        set_difference(latents->attribute_differences + a * size, fitting, (int)a, room);
    }
    free(cross);
    free(room);
    return ok;
}

static void store_whole(struct latents *latents, const struct fitting *fitting)
{
    size_t size = (size_t)latents->counts.size, components = (size_t)latents->counts.components;
    for (size_t i = 0; i < size; i++)
        latents->mean[i] = (float)fitting->whole.mean[i];
    for (size_t i = 0; i < size * size; i++)
        latents->factor[i] = (float)fitting->whole.factor[i];
    for (size_t k = 0; k < components; k++)
        latents->weights[k] = (float)fitting->mixture.weights[k];
    for (size_t i = 0; i < components * size; i++) {
        latents->means[i] = (float)fitting->mixture.means[i];
        latents->scales[i] = (float)fitting->mixture.scales[i];
    }
}

bool latents_fit(struct latents *latents, const struct latent_samples *samples, int classes,
                 const struct latents_report *report, struct error *error)
{
    struct fitting fitting = {.samples = samples, .report = report};
    *latents = (struct latents){0};
    bool ok = make_fitting(&fitting, error);
    if (ok) {
        set_folds(&fitting);
        ok = fit_whole(&fitting, error) && may_go_on(&fitting, error) && fit_mixture(&fitting, error);
    }
    if (ok) {
        choose_styles(&fitting);
        choose_attributes(&fitting);
        const struct latent_counts counts = {
            .size = samples->size,
            .components = fitting.mixture.components,
            .styles = fitting.num_chosen_styles,
            .attributes = fitting.num_chosen_attributes,
            .classes = classes,
            .velocity_bins = classes > 0 ? VELOCITY_BINS : 0,
            .velocity_quantiles = classes > 0 ? VELOCITY_QUANTILES : 0,
            .temperatures = 1,
        };
        ok = latents_make(latents, &counts, error);
    }
    if (ok) {
        store_whole(latents, &fitting);
        ok = fit_styles(latents, &fitting, error) && fit_attributes(latents, &fitting, error);
    }
    if (!ok)
        latents_free(latents);
    free_fitting(&fitting);
    return ok;
}
