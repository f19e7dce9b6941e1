/* The oracles themselves: the double-precision twin against PyTorch's numbers and against finite differences. */
#include "tests/model/naive_batch.h"
#include "tests/model/naive_model.h"
#include "tests/model/naive_ops.h"
#include "tests/model/reference_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double torch_tolerance = 1e-9;
static const double difference_tolerance = 1e-6;

static void assert_near(const double *values, const double *expected, size_t count, double tolerance, const char *what)
{
    double error = naive_relative_error(values, expected, count);
    if (!(error <= tolerance))
        fail_msg("%s: relative error %.3g, more than %.3g", what, error, tolerance);
}

static void assert_dataset(const double *values, const struct reference *reference, const char *group, const char *name,
                           size_t count)
{
    double *expected = reference_read(reference, group, name, count);
    assert_near(values, expected, count, torch_tolerance, name);
    free(expected);
}

static void assert_outputs(const struct naive_outputs *outputs, const struct reference *reference, const char *group)
{
    const struct naive_sizes *sizes = &reference->sizes;
    size_t windows = sizes->batch, latent = windows * sizes->z_size;
    size_t logits = sizes->bars * sizes->steps_per_bar * windows * NAIVE_DEPTH;
    assert_dataset(outputs->mu, reference, group, "mu", latent);
    assert_dataset(outputs->sigma, reference, group, "sigma", latent);
    assert_dataset(outputs->logits, reference, group, "logits", logits);
    assert_dataset(outputs->hits_loss, reference, group, "hits_loss", windows);
    assert_dataset(outputs->velocities_loss, reference, group, "velocities_loss", windows);
    assert_dataset(outputs->offsets_loss, reference, group, "offsets_loss", windows);
    assert_dataset(outputs->kl, reference, group, "kl", windows);
    assert_dataset(&outputs->loss, reference, group, "loss", 1);
}

static void agrees_with_torch(void **state)
{
    (void)state;
    for (const char *const *name = reference_names; *name != NULL; name++) {
        struct reference reference;
        reference_open(&reference, *name);
        struct naive_outputs *outputs = naive_outputs_make(&reference.sizes);
        naive_model_gradients(outputs, reference.model, &reference.batch);
        assert_outputs(outputs, &reference, "training");
        double norm = naive_model_global_norm(reference.model);
        assert_dataset(&norm, &reference, "training", "global_norm", 1);
        for (size_t n = 0; n < reference.model->num_tensors; n++) {
            const struct naive_tensor *tensor = &reference.model->tensors[n];
            assert_dataset(tensor->gradient, &reference, "gradients", tensor->name, naive_tensor_count(tensor));
        }
        struct naive_batch evaluation = reference_evaluation_batch(&reference);
        naive_model_loss(outputs, reference.model, &evaluation);
        assert_outputs(outputs, &reference, "evaluation");
        naive_outputs_free(outputs);
        reference_close(&reference);
    }
}

/* The fixtures must try both sides of free bits, or they show nothing about it. */
static void fixtures_try_both_sides_of_free_bits(void **state)
{
    (void)state;
    size_t above = 0, below = 0;
    for (const char *const *name = reference_names; *name != NULL; name++) {
        struct reference reference;
        reference_open(&reference, *name);
        double *kl = reference_read(&reference, "training", "kl", reference.sizes.batch);
        for (size_t b = 0; b < reference.sizes.batch; b++)
            *(kl[b] > reference.sizes.free_bits * log(2) ? &above : &below) += 1;
        free(kl);
        reference_close(&reference);
    }
    assert_true(above >= 2);
    assert_true(below >= 2);
}

static void tensors_stand_in_the_order_of_backward(void **state)
{
    (void)state;
    for (const char *const *name = reference_names; *name != NULL; name++) {
        struct reference reference;
        reference_open(&reference, *name);
        char *names = reference_tensor_names(&reference);
        size_t n = 0;
        for (char *line = strtok(names, "\n"); line != NULL; line = strtok(NULL, "\n"), n++) {
            assert_true(n < reference.model->num_tensors);
            assert_string_equal(reference.model->tensors[n].name, line);
        }
        assert_int_equal(n, reference.model->num_tensors);
        free(names);
        reference_close(&reference);
    }
}

static void adam_agrees_with_torch(void **state)
{
    (void)state;
    struct reference reference;
    reference_open(&reference, "reference_hierarchical");
    struct naive_model *model = reference.model;
    struct naive_outputs *outputs = naive_outputs_make(&reference.sizes);
    double *m[NAIVE_MAX_TENSORS], *v[NAIVE_MAX_TENSORS];
    for (size_t n = 0; n < model->num_tensors; n++) {
        m[n] = naive_doubles(naive_tensor_count(&model->tensors[n]));
        v[n] = naive_doubles(naive_tensor_count(&model->tensors[n]));
    }
    for (unsigned step = 1; step <= (unsigned)reference.adam_steps; step++) {
        naive_model_gradients(outputs, model, &reference.batch);
        double scale = fmin(1, reference.grad_clip / naive_model_global_norm(model));
        for (size_t n = 0; n < model->num_tensors; n++) {
            struct naive_tensor *tensor = &model->tensors[n];
            size_t count = naive_tensor_count(tensor);
            for (size_t k = 0; k < count; k++)
                tensor->gradient[k] *= scale;
            naive_adam(tensor->values, m[n], v[n], tensor->gradient, count, reference.learning_rate, step);
        }
    }
    for (size_t n = 0; n < model->num_tensors; n++) {
        const struct naive_tensor *tensor = &model->tensors[n];
        assert_dataset(tensor->values, &reference, "parameters_after_5", tensor->name, naive_tensor_count(tensor));
        free(m[n]);
        free(v[n]);
    }
    naive_outputs_free(outputs);
    reference_close(&reference);
}

/* At most this many values of a tensor are moved, spread over it evenly. */
enum { MAX_DIFFERENCES = 60 };

static void check_differences(const struct naive_sizes *sizes)
{
    uint64_t seed = 7;
    struct naive_made_up made_up;
    naive_make_up(&made_up, sizes, &seed);
    struct naive_model *model = naive_model_make(sizes);
    struct naive_outputs *outputs = naive_outputs_make(sizes);
    naive_make_up_weights(model, 0.5, &seed);
    naive_model_gradients(outputs, model, &made_up.batch);
    for (size_t n = 0; n < model->num_tensors; n++) {
        struct naive_tensor *tensor = &model->tensors[n];
        size_t count = naive_tensor_count(tensor), checked = 0;
        size_t stride = count > MAX_DIFFERENCES ? count / MAX_DIFFERENCES + 1 : 1;
        double gradients[MAX_DIFFERENCES], differences[MAX_DIFFERENCES];
        for (size_t k = 0; k < count; k += stride, checked++) {
            gradients[checked] = tensor->gradient[k];
            differences[checked] = naive_difference(&tensor->values[k], outputs, model, &made_up.batch);
        }
        assert_near(gradients, differences, checked, difference_tolerance, tensor->name);
    }
    naive_outputs_free(outputs);
    naive_model_free(model);
    naive_made_up_free(&made_up);
}

static void gradients_are_finite_differences(void **state)
{
    (void)state;
    struct naive_sizes sizes = {
        .hierarchical = true,
        .batch = 3,
        .bars = 3,
        .steps_per_bar = 4,
        .control_depth = 9,
        .z_size = 3,
        .num_encoder_layers = 2,
        .enc_rnn_size = {4,  3},
        .num_layers = 3,
        .dec_rnn_size = { 3, 5, 4},
        .keep_prob = 0.6,
        .beta = 1.7,
        .free_bits = 0,
    };
    check_differences(&sizes);
    sizes.prev_keep_prob = 0.3;
    sizes.context_keep_prob = 0.9;
    check_differences(&sizes);
    sizes.hierarchical = false;
    check_differences(&sizes);
    sizes.free_bits = 48;
    sizes.num_layers = 1;
    sizes.num_encoder_layers = 1;
    sizes.control_depth = 27;
    check_differences(&sizes);
    sizes.control_depth = 0;
    check_differences(&sizes);
    sizes.control_depth = 18;
    sizes.velocity_l1 = 0.3;
    check_differences(&sizes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_torch),
        cmocka_unit_test(fixtures_try_both_sides_of_free_bits),
        cmocka_unit_test(tensors_stand_in_the_order_of_backward),
        cmocka_unit_test(adam_agrees_with_torch),
        cmocka_unit_test(gradients_are_finite_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
