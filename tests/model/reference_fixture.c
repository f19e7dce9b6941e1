#include "tests/model/reference_fixture.h"

#include "tests/model/naive_ops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const char *const reference_names[] = {"reference_flat", "reference_hierarchical", "reference_controls", NULL};

static void read_attribute(void *values, const struct reference *reference, const char *name, hid_t type,
                           hssize_t max_count)
{
    hid_t attribute = H5Aopen(reference->file, name, H5P_DEFAULT);
    if (attribute < 0)
        fail_msg("the fixture has no attribute %s", name);
    hid_t space = H5Aget_space(attribute);
    if (H5Sget_simple_extent_npoints(space) > max_count || H5Aread(attribute, type, values) < 0)
        fail_msg("attribute %s can't be read", name);
    H5Sclose(space);
    H5Aclose(attribute);
}

static size_t read_size(const struct reference *reference, const char *name)
{
    size_t value = 0;
    read_attribute(&value, reference, name, H5T_NATIVE_HSIZE, 1);
    return value;
}

static double read_number(const struct reference *reference, const char *name)
{
    double value = 0;
    read_attribute(&value, reference, name, H5T_NATIVE_DOUBLE, 1);
    return value;
}

static void read_dataset(void *values, const struct reference *reference, const char *name, hid_t type, size_t count)
{
    hid_t dataset = H5Dopen2(reference->file, name, H5P_DEFAULT);
    if (dataset < 0)
        fail_msg("the fixture has no dataset %s", name);
    hid_t space = H5Dget_space(dataset);
    if ((size_t)H5Sget_simple_extent_npoints(space) != count)
        fail_msg("dataset %s holds %zu values, not %zu", name, (size_t)H5Sget_simple_extent_npoints(space), count);
    if (count > 0 && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        fail_msg("dataset %s can't be read", name);
    H5Sclose(space);
    H5Dclose(dataset);
}

static const double *own_array(struct reference *reference, const char *name, size_t count)
{
    double *values = naive_doubles(count);
    reference->owned[reference->num_owned++] = values;
    read_dataset(values, reference, name, H5T_NATIVE_DOUBLE, count);
    return values;
}

static const uint8_t *own_mask(struct reference *reference, size_t count, const char *name)
{
    uint8_t *mask = calloc(count, 1);
    assert_non_null(mask);
    reference->owned[reference->num_owned++] = mask;
    read_dataset(mask, reference, name, H5T_NATIVE_UINT8, count);
    return mask;
}

/* Returns the number of layers. */
static size_t read_layers(size_t layers[NAIVE_MAX_LAYERS], const struct reference *reference, const char *name)
{
    hsize_t values[NAIVE_MAX_LAYERS] = {0};
    size_t count = 0;
    read_attribute(values, reference, name, H5T_NATIVE_HSIZE, NAIVE_MAX_LAYERS);
    for (; count < NAIVE_MAX_LAYERS && values[count] > 0; count++)
        layers[count] = values[count];
    return count;
}

static void read_sizes(struct reference *reference)
{
    struct naive_sizes *sizes = &reference->sizes;
    sizes->hierarchical = read_size(reference, "hierarchical") == 1;
    sizes->batch = read_size(reference, "batch");
    sizes->bars = read_size(reference, "bars");
    sizes->steps_per_bar = read_size(reference, "steps_per_bar");
    sizes->control_depth = read_size(reference, "control_depth");
    sizes->z_size = read_size(reference, "z_size");
    sizes->num_encoder_layers = read_layers(sizes->enc_rnn_size, reference, "enc_rnn_size");
    sizes->num_layers = read_layers(sizes->dec_rnn_size, reference, "dec_rnn_size");
    sizes->keep_prob = read_number(reference, "dropout_keep_prob");
    sizes->beta = read_number(reference, "beta");
    sizes->free_bits = read_number(reference, "free_bits");
}

static void read_batch(struct reference *reference)
{
    const struct naive_sizes *sizes = &reference->sizes;
    struct naive_batch *batch = &reference->batch;
    size_t windows = sizes->batch, rows = sizes->bars * sizes->steps_per_bar * windows;
    char name[NAIVE_NAME_SIZE];
    batch->input = own_array(reference, "input", rows * NAIVE_DEPTH);
    batch->target = own_array(reference, "target", rows * NAIVE_DEPTH);
    batch->controls = own_array(reference, "controls", rows * sizes->control_depth);
    batch->eps = own_array(reference, "eps", windows * sizes->z_size);
    for (size_t layer = 0; layer < sizes->num_encoder_layers; layer++) {
        snprintf(name, sizeof name, "masks/encoder/layer_%zu", layer);
        batch->encoder_masks[layer] = own_mask(reference, rows * naive_encoder_inputs(sizes, layer), name);
    }
    for (size_t layer = 0; layer < sizes->num_layers; layer++) {
        snprintf(name, sizeof name, "masks/decoder/layer_%zu", layer);
        batch->decoder_masks[layer] = own_mask(reference, rows * naive_decoder_inputs(sizes, layer), name);
        if (!sizes->hierarchical || layer == 0)
            continue;
        snprintf(name, sizeof name, "masks/conductor/layer_%zu", layer);
        size_t count = sizes->bars * windows * naive_conductor_inputs(sizes, layer);
        batch->conductor_masks[layer] = own_mask(reference, count, name);
    }
}

void reference_open(struct reference *reference, const char *name)
{
    char path[4096];
    memset(reference, 0, sizeof *reference);
    snprintf(path, sizeof path, "%s/%s.h5", DRUMLINE_FIXTURES, name);
    reference->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (reference->file < 0)
        fail_msg("%s can't be opened; tools/make_reference.py makes it", path);
    read_sizes(reference);
    read_batch(reference);
    reference->learning_rate = read_number(reference, "learning_rate");
    reference->grad_clip = read_number(reference, "grad_clip");
    reference->adam_steps = (int)read_size(reference, "adam_steps");
    reference->model = naive_model_make(&reference->sizes);
    for (size_t n = 0; n < reference->model->num_tensors; n++) {
        struct naive_tensor *tensor = &reference->model->tensors[n];
        free(tensor->values);
        tensor->values = reference_read(reference, "parameters", tensor->name, naive_tensor_count(tensor));
    }
}

void reference_close(struct reference *reference)
{
    for (size_t n = 0; n < reference->num_owned; n++)
        free(reference->owned[n]);
    naive_model_free(reference->model);
    H5Fclose(reference->file);
}

double *reference_read(const struct reference *reference, const char *group, const char *name, size_t count)
{
    char path[2 * NAIVE_NAME_SIZE];
    double *values = naive_doubles(count);
    snprintf(path, sizeof path, "%s/%s", group, name);
    read_dataset(values, reference, path, H5T_NATIVE_DOUBLE, count);
    return values;
}

char *reference_tensor_names(const struct reference *reference)
{
    char *text = NULL;
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    read_attribute(&text, reference, "tensors", type, 1);
    H5Tclose(type);
    char *copy = strdup(text);
    assert_non_null(copy);
    H5free_memory(text);
    return copy;
}

struct naive_batch reference_evaluation_batch(const struct reference *reference)
{
    struct naive_batch batch = reference->batch;
    memset(batch.encoder_masks, 0, sizeof batch.encoder_masks);
    memset(batch.conductor_masks, 0, sizeof batch.conductor_masks);
    memset(batch.decoder_masks, 0, sizeof batch.decoder_masks);
    return batch;
}
