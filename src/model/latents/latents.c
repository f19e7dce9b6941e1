#include "model/latents/latents.h"

#include "base/random.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int64_t triangle(int size)
{
    return (int64_t)size * (size + 1) / 2;
}

void latents_table(struct tensor_table *table, const struct latent_counts *counts)
{
    const int64_t size = counts->size, components = counts->components, styles = counts->styles,
                  attributes = counts->attributes, classes = counts->classes;
    *table = (struct tensor_table){0};
    if (size > 0) {
        tensors_add(table, "mean", 1, 1, size, INITIAL_ZERO);
        tensors_add(table, "factor", 2, size, size, INITIAL_ZERO);
    }
    if (components > 0) {
        tensors_add(table, "mixture/weights", 1, 1, components, INITIAL_ZERO);
        tensors_add(table, "mixture/means", 2, components, size, INITIAL_ZERO);
        tensors_add(table, "mixture/scales", 2, components, size, INITIAL_ZERO);
    }
    if (styles > 0) {
        tensors_add(table, "styles/windows", 1, 1, styles, INITIAL_ZERO);
        tensors_add(table, "styles/means", 2, styles, size, INITIAL_ZERO);
        tensors_add(table, "styles/factors", 2, styles, triangle(counts->size), INITIAL_ZERO);
    }
    if (attributes > 0) {
        tensors_add(table, "attributes/means", 1, 1, attributes, INITIAL_ZERO);
        tensors_add(table, "attributes/sd", 1, 1, attributes, INITIAL_ZERO);
        tensors_add(table, "attributes/directions", 2, attributes, size, INITIAL_ZERO);
        tensors_add(table, "attributes/differences", 2, attributes, size, INITIAL_ZERO);
    }
    if (classes > 0) {
        tensors_add(table, "velocity_sd", 1, 1, classes, INITIAL_ZERO);
        tensors_add(table, "offset_sd", 1, 1, classes, INITIAL_ZERO);
    }
    if (counts->velocity_bins > 0) {
        tensors_add(table, "velocities/means", 2, classes, counts->velocity_bins, INITIAL_ZERO);
        tensors_add(table, "velocities/quantiles", 2, classes * counts->velocity_bins, counts->velocity_quantiles,
                    INITIAL_ZERO);
    }
    if (counts->temperatures > 0)
        tensors_add(table, "temperature", 1, 1, 1, INITIAL_ZERO);
}

/* The members that point into the values, in the table's order. */
static void bind(struct latents *latents, const struct tensor_table *table)
{
    const struct {
        float **member;
        int count;
    } members[] = {
        {&latents->mean,                  1                            },
        {&latents->factor,                1                            },
        {&latents->weights,               latents->counts.components   },
        {&latents->means,                 latents->counts.components   },
        {&latents->scales,                latents->counts.components   },
        {&latents->style_windows,         latents->counts.styles       },
        {&latents->style_means,           latents->counts.styles       },
        {&latents->style_factors,         latents->counts.styles       },
        {&latents->attribute_means,       latents->counts.attributes   },
        {&latents->attribute_sd,          latents->counts.attributes   },
        {&latents->attribute_directions,  latents->counts.attributes   },
        {&latents->attribute_differences, latents->counts.attributes   },
        {&latents->velocity_sd,           latents->counts.classes      },
        {&latents->offset_sd,             latents->counts.classes      },
        {&latents->velocity_means,        latents->counts.velocity_bins},
        {&latents->velocity_quantiles,    latents->counts.velocity_bins},
        {&latents->temperature,           latents->counts.temperatures },
    };
    int row = 0;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (members[i].count > 0)
            *members[i].member = latents->values + table->rows[row++].offset;
}

static bool velocity_counts_are_fine(const struct latent_counts *counts)
{
    if (counts->velocity_bins == 0)
        return counts->velocity_quantiles == 0;
    return counts->classes > 0 && counts->velocity_bins > 0 && counts->velocity_bins <= LATENTS_MAX_VELOCITY_BINS &&
           counts->velocity_quantiles >= 2 && counts->velocity_quantiles <= LATENTS_MAX_VELOCITY_QUANTILES;
}

bool latents_make(struct latents *latents, const struct latent_counts *counts, struct error *error)
{
    struct tensor_table table;
    *latents = (struct latents){.counts = *counts};
    if (counts->size < 1 || counts->components < 0 || counts->components > LATENTS_MAX_COMPONENTS ||
        counts->styles < 0 || counts->styles > LATENTS_MAX_STYLES || counts->attributes < 0 ||
        counts->attributes > LATENTS_MAX_ATTRIBUTES || counts->classes < 0 || !velocity_counts_are_fine(counts) ||
        counts->styles * triangle(counts->size) > LATENTS_MAX_STYLE_FLOATS) {
        *latents = (struct latents){0};
        return error_set(error,
                         "latents: %d components, %d styles, %d attributes, and %d quantiles of velocities in %d bins "
                         "for %d numbers are more than allowed, or too few",
                         counts->components, counts->styles, counts->attributes, counts->velocity_quantiles,
                         counts->velocity_bins, counts->size);
    }
    latents_table(&table, counts);
    latents->values = calloc(table.num_floats, sizeof(float));
    latents->style_names = calloc((size_t)counts->styles + 1, sizeof *latents->style_names);
    latents->attribute_names = calloc((size_t)counts->attributes + 1, sizeof *latents->attribute_names);
    if (!latents->values || !latents->style_names || !latents->attribute_names) {
        latents_free(latents);
        return error_set_no_memory(error, "out of memory for the densities of %d latent numbers", counts->size);
    }
    bind(latents, &table);
    return true;
}

void latents_free(struct latents *latents)
{
    free(latents->values);
    free(latents->style_names);
    free(latents->attribute_names);
    *latents = (struct latents){0};
}

static bool check_names(char (*names)[LATENTS_NAME_SIZE], int count, const char *what, struct error *error)
{
    for (int i = 0; i < count; i++) {
        if (names[i][0] == '\0' || !text_is_utf8(names[i]))
            return error_set(error, "latents: %s %d has no valid name", what, i + 1);
        for (int k = 0; k < i; k++)
            if (strcasecmp(names[i], names[k]) == 0)
                return error_set(error, "latents: there are two %ss '%s'", what, names[i]);
    }
    return true;
}

/* Whether all values are at least `least`. */
static bool all_from(const float *values, int64_t count, float least)
{
    for (int64_t i = 0; i < count; i++)
        if (!(values[i] >= least))
            return false;
    return true;
}

/* Whether values [rows, columns] of a class do not fall along rows or columns and are within 0 and 1. */
static bool is_rising(const float *values, int rows, int columns)
{
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++) {
            const float *value = values + (size_t)row * (size_t)columns + column;
            if (!(*value >= 0 && *value <= 1) || (row > 0 && !(*value >= value[-columns])) ||
                (column > 0 && !(*value >= value[-1])))
                return false;
        }
    return true;
}

static bool check_velocities(const struct latents *latents, struct error *error)
{
    int bins = latents->counts.velocity_bins, quantiles = latents->counts.velocity_quantiles;
    for (int i = 0; bins > 0 && i < latents->counts.classes; i++) {
        size_t first = (size_t)i * (size_t)bins;
        if (!is_rising(latents->velocity_means + first, 1, bins) ||
            !is_rising(latents->velocity_quantiles + first * (size_t)quantiles, bins, quantiles))
            return error_set(error, "latents: the velocities of drum %d are not in rising order from 0 to 1", i + 1);
    }
    return true;
}

bool latents_check(const struct latents *latents, struct error *error)
{
    const struct latent_counts *counts = &latents->counts;
    double sum = 0;
    for (int k = 0; k < counts->components; k++)
        sum += (double)latents->weights[k];
    if (counts->components > 0 && (!(fabs(sum - 1) <= 1e-3) || !all_from(latents->weights, counts->components, 0)))
        return error_set(error, "latents: the mixture's weights are no probabilities");
    if (!all_from(latents->scales, (int64_t)counts->components * counts->size, 0) ||
        !all_from(latents->attribute_sd, counts->attributes, 0) ||
        !all_from(latents->velocity_sd, counts->classes, 0) || !all_from(latents->offset_sd, counts->classes, 0))
        return error_set(error, "latents: a standard deviation is negative");
    for (int i = 0; i < counts->styles; i++)
        if (!(latents->style_windows[i] >= 0 && latents->style_windows[i] <= 1e9f))
            return error_set(error, "latents: style %d has no valid number of windows", i + 1);
    if (counts->temperatures > 0 && !(*latents->temperature >= 0 && *latents->temperature <= 100))
        return error_set(error, "latents: the temperature of samples is not in [0, 100]");
    return check_velocities(latents, error) && check_names(latents->style_names, counts->styles, "style", error) &&
           check_names(latents->attribute_names, counts->attributes, "attribute", error);
}

char *latents_join_names(char (*names)[LATENTS_NAME_SIZE], int count)
{
    char *text = format_text("%s", "");
    for (int i = 0; i < count; i++) {
        char *longer = format_text("%s%s%s", text, i > 0 ? "\n" : "", names[i]);
        free(text);
        text = longer;
    }
    return text;
}

int latents_count_names(const char *text)
{
    int count = *text != '\0';
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

bool latents_split_names(char (*names)[LATENTS_NAME_SIZE], int count, const char *text, struct error *error)
{
    if (latents_count_names(text) != count)
        return error_set(error, "latents: %d names, not %d", latents_count_names(text), count);
    for (int i = 0; i < count; i++) {
        size_t length = strcspn(text, "\n");
        if (length == 0 || length >= LATENTS_NAME_SIZE)
            return error_set(error, "latents: name %d has %zu bytes; 1 to %d are allowed", i + 1, length,
                             LATENTS_NAME_SIZE - 1);
        memcpy(names[i], text, length);
        names[i][length] = '\0';
        text += length + (text[length] == '\n');
    }
    return true;
}

float *latents_residual_sd(const struct latents *latents, const struct representation_head *head)
{
    bool are_velocities = strcmp(head->kind, HEAD_SIGMOID) == 0, are_offsets = strcmp(head->kind, HEAD_TANH) == 0;
    if (!head->gate || head->width != latents->counts.classes)
        return NULL;
    return are_velocities ? latents->velocity_sd : are_offsets ? latents->offset_sd : NULL;
}

float latents_temperature(const struct latents *latents)
{
    return latents->counts.temperatures > 0 && *latents->temperature > 0 ? *latents->temperature : 0.9f;
}

static int find(char (*names)[LATENTS_NAME_SIZE], int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcasecmp(names[i], name) == 0)
            return i;
    return -1;
}

int latents_find_style(const struct latents *latents, const char *name)
{
    return find(latents->style_names, latents->counts.styles, name);
}

int latents_find_attribute(const struct latents *latents, const char *name)
{
    return find(latents->attribute_names, latents->counts.attributes, name);
}

/* z = mean + factor * z, in place. Row i of the factor begins at i * stride where stride > 0, else rows are those of a packed
 * triangle. */
static void apply_factor(float *z, const float *mean, const float *factor, size_t size, size_t stride)
{
    for (size_t i = size; i-- > 0;) { /* from the end: number i needs those before it as they were */
        const float *row = factor + (stride > 0 ? i * stride : i * (i + 1) / 2);
        double value = (double)mean[i];
        for (size_t j = 0; j <= i; j++)
            value += (double)row[j] * (double)z[j];
        z[i] = (float)value;
    }
}

/* The component that output `number` of a seed gets. */
static int draw_component(const struct latents *latents, uint64_t seed, uint32_t point, uint32_t number)
{
    struct random_stream stream;
    random_stream_start(&stream, seed, RANDOM_SAMPLED_COMPONENT, point, number);
    double left = (double)random_uniform(&stream);
    int component = 0;
    for (; component < latents->counts.components - 1; component++) {
        left -= (double)latents->weights[component];
        if (left < 0)
            break;
    }
    return component;
}

void latents_apply(float *z, int count, const struct latents *latents, enum latent_density density, int style,
                   uint64_t seed, uint32_t point, uint32_t first)
{
    size_t size = (size_t)latents->counts.size;
    for (int row = 0; density != LATENT_PRIOR && row < count; row++) {
        float *vector = z + (size_t)row * size;
        if (density == LATENT_STYLE) {
            size_t number = (size_t)style;
            apply_factor(vector, latents->style_means + number * size,
                         latents->style_factors + number * (size_t)triangle((int)size), size, 0);
            continue;
        }
        if (density == LATENT_MIXTURE) {
            size_t at = (size_t)draw_component(latents, seed, point, first + (uint32_t)row) * size;
            for (size_t i = 0; i < size; i++)
                vector[i] = latents->means[at + i] + latents->scales[at + i] * vector[i];
        }
        apply_factor(vector, latents->mean, latents->factor, size, size);
    }
}

void latents_move(float *z, const struct latents *latents, int attribute, double amount)
{
    size_t size = (size_t)latents->counts.size;
    const float *direction = latents->attribute_directions + (size_t)attribute * size;
    for (size_t i = 0; i < size; i++)
        z[i] += (float)(amount * (double)direction[i]);
}
