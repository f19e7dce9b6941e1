#include "model/checkpoint_latents.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The names of styles and attributes, a line each. */
#define STYLE_NAMES "latent_styles"
#define ATTRIBUTE_NAMES "latent_attributes"

enum { NAME_SIZE = TENSOR_NAME_SIZE + sizeof "/" CHECKPOINT_LATENTS "/" };

static int dims_of(char name[NAME_SIZE], hsize_t dims[2], const struct tensor *tensor)
{
    snprintf(name, NAME_SIZE, "/" CHECKPOINT_LATENTS "/%s", tensor->name);
    dims[0] = (hsize_t)(tensor->num_dims == 2 ? tensor->rows : tensor->columns);
    dims[1] = (hsize_t)tensor->columns;
    return tensor->num_dims;
}

static bool write_names(hid_t file, const char *attribute, char (*names)[LATENTS_NAME_SIZE], int count,
                        struct error *error)
{
    if (count == 0)
        return true;
    char *text = latents_join_names(names, count);
    bool ok = hdf5_write_string(file, attribute, text, error);
    free(text);
    return ok;
}

bool checkpoint_latents_write(hid_t file, const struct latents *latents, struct error *error)
{
    struct tensor_table table;
    latents_table(&table, &latents->counts);
    for (int i = 0; i < table.num_rows; i++) {
        char name[NAME_SIZE];
        hsize_t dims[2];
        int num_dims = dims_of(name, dims, &table.rows[i]);
        if (!hdf5_write_dataset(file, name, H5T_NATIVE_FLOAT, num_dims, dims, latents->values + table.rows[i].offset,
                                HDF5_CHECKSUMMED, error))
            return false;
    }
    return write_names(file, STYLE_NAMES, latents->style_names, latents->counts.styles, error) &&
           write_names(file, ATTRIBUTE_NAMES, latents->attribute_names, latents->counts.attributes, error);
}

static bool has(struct hdf5_reader *file, const char *group, const char *name)
{
    char path[NAME_SIZE];
    snprintf(path, sizeof path, "/" CHECKPOINT_LATENTS "/%s%s%s", group, name ? "/" : "", name ? name : "");
    return hdf5_has_object(file, path);
}

/* The names' text, NULL where there is none; the caller's. */
static bool read_names(char **text, int *count, struct hdf5_reader *file, const char *attribute, struct error *error)
{
    *text = NULL;
    *count = 0;
    if (!hdf5_has_attribute(file, attribute))
        return true;
    if (!hdf5_read_string(text, file, attribute, error))
        return false;
    *count = latents_count_names(*text);
    return true;
}

static bool read_values(struct latents *latents, struct hdf5_reader *file, const char *path, struct error *error)
{
    struct tensor_table table;
    latents_table(&table, &latents->counts);
    for (int i = 0; i < table.num_rows; i++) {
        char name[NAME_SIZE];
        hsize_t dims[2];
        int num_dims = dims_of(name, dims, &table.rows[i]);
        float *values = latents->values + table.rows[i].offset;
        if (!hdf5_read_floats(values, file, name, num_dims, dims, error))
            return false;
        for (size_t k = 0; k < table.rows[i].count; k++)
            if (!(fabsf(values[k]) <= FLT_MAX))
                return error_set(error, "%s: %s holds a number that is not finite", path, name);
    }
    return true;
}

/* A size as an int; one above `most` as one more than that, which latents_make refuses. */
static int bounded(hsize_t size, int most)
{
    return size <= (hsize_t)most ? (int)size : most + 1;
}

bool checkpoint_latents_read(struct latents *latents, struct hdf5_reader *file, const char *path, int size, int classes,
                             struct error *error)
{
    struct latent_counts counts = {.size = size};
    char *styles = NULL, *attributes = NULL;
    hsize_t components = 0, bins[2] = {0}, quantiles[2] = {0};
    *latents = (struct latents){0};
    if (!has(file, "mean", NULL))
        return true;
    bool ok = read_names(&styles, &counts.styles, file, STYLE_NAMES, error) &&
              read_names(&attributes, &counts.attributes, file, ATTRIBUTE_NAMES, error);
    if (ok && has(file, "mixture", "weights"))
        ok = hdf5_dataset_dims(&components, file, "/" CHECKPOINT_LATENTS "/mixture/weights", 1, error);
    counts.components = bounded(components, LATENTS_MAX_COMPONENTS);
    counts.classes = has(file, "velocity_sd", NULL) && has(file, "offset_sd", NULL) ? classes : 0;
    if (ok && counts.classes > 0 && has(file, "velocities", "means"))
        ok = hdf5_dataset_dims(bins, file, "/" CHECKPOINT_LATENTS "/velocities/means", 2, error) &&
             hdf5_dataset_dims(quantiles, file, "/" CHECKPOINT_LATENTS "/velocities/quantiles", 2, error);
    counts.temperatures = has(file, "temperature", NULL);
    counts.velocity_bins = bounded(bins[1], LATENTS_MAX_VELOCITY_BINS);
    counts.velocity_quantiles = bounded(quantiles[1], LATENTS_MAX_VELOCITY_QUANTILES);
    ok =
        ok && ((latents_make(latents, &counts, error) &&
                (!styles || latents_split_names(latents->style_names, counts.styles, styles, error)) &&
                (!attributes || latents_split_names(latents->attribute_names, counts.attributes, attributes, error))) ||
               error_prefix(error, "%s", path));
    ok = ok && read_values(latents, file, path, error) &&
         (latents_check(latents, error) || error_prefix(error, "%s", path));
    free(styles);
    free(attributes);
    if (!ok)
        latents_free(latents);
    return ok;
}
