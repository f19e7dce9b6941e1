/* The model against PyTorch's fixtures, its double-precision twin and finite differences, for both decoders, with
 * dropout and free bits; and what training relies on besides: gradients reported as ready are final, micro-batches add
 * up. */
#include "tests/model/model_from_twin.h"
#include "tests/model/naive_batch.h"
#include "tests/model/naive_model.h"
#include "tests/model/naive_ops.h"
#include "tests/model/reference_fixture.h"
#include "tests/support/unit.h"

#include "model/optimizer/optimizer.h"
#include "model/vae/model.h"

#include <math.h>
#include <stdlib.h>

#include <cblas.h>

static const double torch_tolerance = 1e-5;
static const double difference_tolerance = 1e-3;

static struct model_step make_step(const struct naive_sizes *sizes, bool training)
{
    return (struct model_step){.batch = (int)sizes->batch, .training = training, .seed = 1, .step = training};
}

static struct model_gradient make_gradient(const struct naive_sizes *sizes, enum op_write write)
{
    return (struct model_gradient){.scale = 1.0f / (float)sizes->batch, .beta = sizes->beta, .write = write};
}

static void train(struct model *model, const struct naive_sizes *sizes, enum op_write write,
                  double sums[METRIC_MAX_SUMS])
{
    struct model_step step = make_step(sizes, true);
    struct model_gradient gradient = make_gradient(sizes, write);
    model_train(model, &step, &gradient, sums);
}

/* ---- Comparisons ---- */

static void assert_near(const float *values, const double *expected, size_t count, double tolerance, const char *what)
{
    double error = naive_float_error(values, expected, count);
    if (!(error <= tolerance))
        fail_msg("%s: relative error %.3g, more than %.3g", what, error, tolerance);
}

static void assert_sum(double sum, const double *expected, size_t count, const char *what)
{
    double expected_sum = 0;
    for (size_t n = 0; n < count; n++)
        expected_sum += expected[n];
    if (!(fabs(sum - expected_sum) <= torch_tolerance * fabs(expected_sum)))
        fail_msg("%s: %.9g, not %.9g", what, sum, expected_sum);
}

static void assert_fixture_sum(double sum, const struct reference *reference, const char *group, const char *name,
                               size_t count)
{
    double *expected = reference_read(reference, group, name, count);
    assert_sum(sum, expected, count, name);
    free(expected);
}

static void assert_fixture_losses(const double sums[METRIC_MAX_SUMS], const struct reference *reference,
                                  const char *group)
{
    const struct naive_sizes *sizes = &reference->sizes;
    struct metric_set set;
    struct metric_values values;
    metric_set_make(&set, representation_find("groove", NULL));
    metric_compute(&values, &set, sums, sizes->beta);
    const double *hits = sums + set.head_sums[0];
    assert_true(sums[SUM_WINDOWS] == (double)sizes->batch);
    assert_fixture_sum(hits[BERNOULLI_LOSS], reference, group, "hits_loss", sizes->batch);
    assert_fixture_sum(sums[set.head_sums[1]], reference, group, "velocities_loss", sizes->batch);
    assert_fixture_sum(sums[set.head_sums[2]], reference, group, "offsets_loss", sizes->batch);
    assert_fixture_sum(sums[SUM_KL], reference, group, "kl", sizes->batch);
    assert_fixture_sum(metric_get(&values, &set, METRIC_KL_BITS) * log(2) * (double)sizes->batch, reference, group,
                       "kl", sizes->batch);
    assert_fixture_sum(metric_get(&values, &set, METRIC_LOSS), reference, group, "loss", 1);
    double *right = reference_read(reference, group, "true_positives", 1);
    double *false_hits = reference_read(reference, group, "false_positives", 1);
    double *missed = reference_read(reference, group, "false_negatives", 1);
    double f1 = 2 * *right / (2 * *right + *false_hits + *missed);
    assert_true(hits[BERNOULLI_TRUE_POSITIVES] == *right);
    assert_true(hits[BERNOULLI_FALSE_POSITIVES] == *false_hits);
    assert_true(hits[BERNOULLI_FALSE_NEGATIVES] == *missed);
    assert_true(fabs(metric_get_named(&values, &set, "hits_f1") - f1) <= 1e-12);
    free(right);
    free(false_hits);
    free(missed);
}

static void assert_fixture_array(const float *values, const struct reference *reference, const char *group,
                                 const char *name, size_t count)
{
    double *expected = reference_read(reference, group, name, count);
    assert_near(values, expected, count, torch_tolerance, name);
    free(expected);
}

/* ---- Against PyTorch ---- */

static void evaluate_fixture(struct model *model, const struct reference *reference)
{
    const struct naive_sizes *sizes = &reference->sizes;
    size_t latent = sizes->batch * sizes->z_size;
    size_t count = sizes->bars * sizes->steps_per_bar * sizes->batch * NAIVE_DEPTH;
    struct model_step step = make_step(sizes, false);
    double sums[METRIC_MAX_SUMS] = {0};
    float *logits = malloc(count * sizeof *logits);
    assert_non_null(logits);
    model_evaluate(model, &step, sums);
    twin_outputs(logits, &model->decoder, sizes->batch);
    assert_fixture_losses(sums, reference, "evaluation");
    assert_fixture_array(logits, reference, "evaluation", "logits", count);
    assert_fixture_array(model->encoder.mu, reference, "evaluation", "mu", latent);
    assert_fixture_array(model->encoder.sigma, reference, "evaluation", "sigma", latent);
    free(logits);
}

static void train_fixture(struct model *model, const struct reference *reference)
{
    const struct naive_sizes *sizes = &reference->sizes;
    double sums[METRIC_MAX_SUMS] = {0};
    train(model, sizes, OP_REPLACE, sums);
    assert_fixture_losses(sums, reference, "training");
    assert_fixture_sum(global_norm(model->gradients, model->table.num_floats), reference, "training", "global_norm", 1);
    for (int n = 0; n < model->table.num_rows; n++) {
        const struct tensor *tensor = &model->table.rows[n];
        assert_fixture_array(model->gradients + tensor->offset, reference, "gradients", tensor->name, tensor->count);
    }
}

static void agrees_with_torch(void **state)
{
    (void)state;
    size_t num_versions;
    const struct kernels *const *versions = kernels_runnable(&num_versions);
    for (const char *const *name = reference_names; *name != NULL; name++) {
        struct reference reference;
        reference_open(&reference, *name);
        struct model *model = twin_model(&reference.sizes, reference.model);
        twin_set_batch(model, &reference.sizes, &reference.batch);
        for (size_t n = 0; n < num_versions; n++) {
            model->kernels = versions[n];
            evaluate_fixture(model, &reference);
            train_fixture(model, &reference);
        }
        model_free(model);
        reference_close(&reference);
    }
}

static void five_steps_agree_with_torch(void **state)
{
    (void)state;
    for (const char *const *name = reference_names; *name != NULL; name++) {
        struct reference reference;
        struct optimizer optimizer;
        struct error error;
        reference_open(&reference, *name);
        struct model *model = twin_model(&reference.sizes, reference.model);
        model->hparams.grad_clip = reference.grad_clip;
        assert_true(optimizer_make(&optimizer, &model->table, &error));
        twin_set_batch(model, &reference.sizes, &reference.batch);
        for (int step = 0; step < reference.adam_steps; step++) {
            double sums[METRIC_MAX_SUMS] = {0};
            train(model, &reference.sizes, OP_REPLACE, sums);
            optimizer_step(&optimizer, model->values, model->gradients, &model->hparams, reference.learning_rate);
        }
        assert_int_equal(optimizer.updates, reference.adam_steps);
        for (int n = 0; n < model->table.num_rows; n++) {
            const struct tensor *tensor = &model->table.rows[n];
            assert_fixture_array(model->values + tensor->offset, &reference, "parameters_after_5", tensor->name,
                                 tensor->count);
        }
        optimizer_free(&optimizer);
        model_free(model);
        reference_close(&reference);
    }
}

/* ---- Against the twin and finite differences ---- */

static void assert_twin_gradients(const struct model *model, const struct naive_model *twin, double tolerance)
{
    for (int n = 0; n < model->table.num_rows; n++) {
        const struct tensor *tensor = &model->table.rows[n];
        assert_near(model->gradients + tensor->offset, twin->tensors[n].gradient, tensor->count, tolerance,
                    tensor->name);
    }
}

static void check_against_twin(const struct naive_sizes *sizes)
{
    uint64_t seed = 11;
    struct naive_made_up made_up;
    struct naive_model *twin = naive_model_make(sizes);
    struct naive_outputs *outputs = naive_outputs_make(sizes);
    naive_make_up(&made_up, sizes, &seed);
    naive_make_up_weights(twin, 0.5, &seed);
    struct model *model = twin_model(sizes, twin);
    twin_set_batch(model, sizes, &made_up.batch);
    double sums[METRIC_MAX_SUMS] = {0};
    naive_model_gradients(outputs, twin, &made_up.batch);
    train(model, sizes, OP_REPLACE, sums);
    assert_sum(sums[model->metrics.head_sums[0]], outputs->hits_loss, sizes->batch, "hits");
    assert_sum(sums[model->metrics.head_sums[1]], outputs->velocities_loss, sizes->batch, "velocities");
    assert_sum(sums[model->metrics.head_sums[2]], outputs->offsets_loss, sizes->batch, "offsets");
    assert_sum(sums[SUM_KL], outputs->kl, sizes->batch, "KL");
    assert_sum(twin_loss(model, sums, sizes->beta), &outputs->loss, 1, "loss");
    assert_twin_gradients(model, twin, torch_tolerance);
    model_free(model);
    naive_outputs_free(outputs);
    naive_model_free(twin);
    naive_made_up_free(&made_up);
}

/* Sizes of 1, sizes that are no multiple of a vector, one bar, many layers. */
static const struct naive_sizes twin_sizes[] = {
    {false, 1, 1, 16, 0,  1,  1, {1},       1, {1},          0.5, 1,   0, 0,   0,   0  },
    {true,  1, 1, 16, 0,  1,  1, {1},       1, {1},          0.5, 1,   0, 0,   0,   0  },
    {true,  3, 4, 16, 9,  5,  1, {7},       2, {9, 5},       0.3, 0.2, 1, 0,   0,   0  },
    {false, 5, 2, 16, 9,  17, 2, {17, 3},   3, {5, 17, 9},   0.8, 0.5, 2, 0,   0,   0  },
    {true,  2, 3, 16, 0,  3,  3, {3, 9, 4}, 4, {6, 3, 5, 8}, 1,   2,   0, 0,   0,   0  },
    {true,  3, 2, 16, 9,  5,  1, {7},       2, {9, 5},       0.6, 0.2, 1, 0.1, 0.9, 0  },
    {false, 3, 2, 16, 9,  5,  2, {7, 4},    2, {9, 5},       1,   0.2, 1, 0.3, 0,   0  },
    {false, 2, 1, 16, 0,  5,  1, {7},       1, {9},          0.5, 0.2, 1, 0,   1,   0  },
    {true,  3, 2, 16, 27, 5,  2, {7, 4},    2, {9, 5},       0.5, 0.2, 1, 0.2, 1,   0  },
    {false, 2, 2, 16, 27, 5,  1, {7},       1, {9},          1,   0.2, 1, 0,   0,   0  },
    {false, 3, 2, 16, 18, 5,  1, {7},       2, {9, 5},       0.7, 0.2, 1, 0.1, 1,   0.4},
    {true,  2, 2, 16, 36, 5,  1, {7},       1, {9},          1,   0.2, 1, 0,   0,   2.5},
};

static void agrees_with_the_twin(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof twin_sizes / sizeof *twin_sizes; n++)
        check_against_twin(&twin_sizes[n]);
}

/* 2,720 rows: more than any GEMM takes at a time, packed or OpenBLAS's, so that each is made in several
 * passes. */
static const struct naive_sizes many_rows[] = {
    {false, 170, 1, 16, 9, 3, 1, {4},    2, {5, 3}, 0.5, 0.5, 0, 0, 0, 0},
    {true,  85,  2, 16, 0, 3, 2, {4, 3}, 1, {5},    0.5, 0.5, 0, 0, 0, 0},
};

static void many_rows_agree_with_the_twin(void **state)
{
    (void)state;
    int threads_before = openblas_get_num_threads();
    for (int threads = 1; threads <= 2; threads++) {
        openblas_set_num_threads(threads);
        assert_true(matmul_is_threaded() == (threads > 1));
        for (size_t n = 0; n < sizeof many_rows / sizeof *many_rows; n++)
            check_against_twin(&many_rows[n]);
    }
    openblas_set_num_threads(threads_before);
}

enum { MAX_DIFFERENCES = 6 };

/* The gradients in f32 beside differences of the twin's loss in double: the twin's own backward pass plays no part. */
static void gradients_are_finite_differences(void **state)
{
    (void)state;
    for (const char *const *name = reference_names; *name != NULL; name++) {
        struct reference reference;
        reference_open(&reference, *name);
        struct naive_outputs *outputs = naive_outputs_make(&reference.sizes);
        struct model *model = twin_model(&reference.sizes, reference.model);
        twin_set_batch(model, &reference.sizes, &reference.batch);
        double sums[METRIC_MAX_SUMS] = {0};
        train(model, &reference.sizes, OP_REPLACE, sums);
        for (size_t n = 0; n < reference.model->num_tensors; n++) {
            struct naive_tensor *tensor = &reference.model->tensors[n];
            const float *all = model->gradients + model->table.rows[n].offset;
            size_t count = naive_tensor_count(tensor), checked = 0;
            float gradients[MAX_DIFFERENCES];
            double differences[MAX_DIFFERENCES];
            for (size_t k = 0; k < count; k += count / MAX_DIFFERENCES + 1, checked++) {
                gradients[checked] = all[k];
                differences[checked] = naive_difference(&tensor->values[k], outputs, reference.model, &reference.batch);
            }
            assert_near(gradients, differences, checked, difference_tolerance, tensor->name);
        }
        model_free(model);
        naive_outputs_free(outputs);
        reference_close(&reference);
    }
}

/* ---- What training relies on ---- */

struct listening {
    const float *gradients;
    float *seen; /* what was reported as final, as it was then */
    size_t end;
    size_t last_kernel, last_kernel_end; /* of the layer that backward finishes last */
    bool in_parts;                       /* an end was within that kernel */
    int calls, progress;
};

static void listen_ready(void *context, size_t end)
{
    struct listening *listening = context;
    assert_true(end >= listening->end);
    for (size_t n = listening->end; n < end; n++)
        listening->seen[n] = listening->gradients[n];
    listening->end = end;
    listening->calls++;
    if (end > listening->last_kernel && end < listening->last_kernel_end)
        listening->in_parts = true;
}

static void listen_progress(void *context)
{
    struct listening *listening = context;
    listening->progress++;
}

static struct listening listen_to(const struct model *model)
{
    const struct lstm_layer *last = &model->encoder.forward[0];
    size_t rows = (size_t)(last->input_size + last->units);
    struct listening listening = {.gradients = model->gradients, .last_kernel = last->kernel};
    listening.last_kernel_end = last->kernel + rows * 4 * (size_t)last->units;
    listening.seen = calloc(model->table.num_floats, sizeof *listening.seen);
    assert_non_null(listening.seen);
    return listening;
}

/* Trains with a listener. What it saw is final, and what comes without one too; the last layer's kernel, whose sum nothing
 * could hide, was reported in parts. */
static void check_reports(const char *name)
{
    struct reference reference;
    reference_open(&reference, name);
    struct model *model = twin_model(&reference.sizes, reference.model);
    twin_set_batch(model, &reference.sizes, &reference.batch);
    size_t count = model->table.num_floats;
    for (size_t n = 0; n < count; n++)
        model->gradients[n] = 0;
    struct listening listening = listen_to(model);
    struct gradient_listener listener = {listen_ready, listen_progress, &listening};
    struct model_step step = make_step(&reference.sizes, true);
    struct model_gradient gradient = make_gradient(&reference.sizes, OP_REPLACE);
    gradient.listener = &listener;
    double sums[METRIC_MAX_SUMS] = {0};
    model_train(model, &step, &gradient, sums);
    assert_int_equal(listening.end, count);
    assert_memory_equal(listening.seen, model->gradients, count * sizeof(float));
    assert_true(listening.calls >= model->table.num_rows / 2);
    assert_true(listening.progress >= model->steps);
    assert_true(listening.in_parts);
    twin_set_batch(model, &reference.sizes, &reference.batch);
    train(model, &reference.sizes, OP_REPLACE, sums);
    double norm = global_norm(model->gradients, count);
    for (size_t n = 0; n < count; n++)
        listening.seen[n] -= model->gradients[n];
    assert_true(global_norm(listening.seen, count) <= 1e-5 * norm);
    free(listening.seen);
    model_free(model);
    reference_close(&reference);
}

static void gradients_reported_ready_are_final(void **state)
{
    (void)state;
    int threads_before = openblas_get_num_threads();
    for (int threads = 1; threads <= 2; threads++) {
        openblas_set_num_threads(threads);
        for (const char *const *name = reference_names; *name != NULL; name++)
            check_reports(*name);
    }
    openblas_set_num_threads(threads_before);
}

/* Fills windows [first, first + count) of a batch of `all` windows into the model as a batch of its own. */
static void set_windows(struct model *model, const struct reference *reference, size_t first, size_t count)
{
    size_t all = reference->sizes.batch, controls = reference->sizes.control_depth;
    for (size_t t = 0; t < (size_t)model->steps; t++) {
        size_t from = t * all + first, to = t * count;
        twin_floats(model->input + to * NAIVE_DEPTH, reference->batch.input + from * NAIVE_DEPTH, count * NAIVE_DEPTH);
        twin_floats(model->target + to * NAIVE_DEPTH, reference->batch.target + from * NAIVE_DEPTH,
                    count * NAIVE_DEPTH);
        if (controls > 0)
            twin_floats(model->controls + to * controls, reference->batch.controls + from * controls, count * controls);
    }
}

/* One batch of all windows, then each window by itself with its gradients added: noise is a window's own, so the sums
 * are the same. That is also what makes the answer independent of the number of ranks. */
static void micro_batches_add_up(void **state)
{
    (void)state;
    for (const char *const *name = reference_names; *name != NULL; name++) {
        struct reference reference;
        reference_open(&reference, *name);
        size_t windows = reference.sizes.batch;
        struct model *model = twin_model(&reference.sizes, reference.model);
        struct model_step step = {.batch = (int)windows, .training = true, .seed = 5, .step = 7, .first_example = 40};
        struct model_gradient gradient = make_gradient(&reference.sizes, OP_REPLACE);
        double whole[METRIC_MAX_SUMS] = {0}, parts[METRIC_MAX_SUMS] = {0};
        set_windows(model, &reference, 0, windows);
        model_draw_noise(model, &step);
        model_train(model, &step, &gradient, whole);
        double *expected = naive_to_doubles(model->gradients, model->table.num_floats);
        for (size_t window = 0; window < windows; window++) {
            step.batch = 1;
            step.first_example = 40 + (uint32_t)window;
            gradient.write = window > 0 ? OP_ADD : OP_REPLACE;
            set_windows(model, &reference, window, 1);
            model_draw_noise(model, &step);
            model_train(model, &step, &gradient, parts);
        }
        for (int n = 0; n < METRIC_MAX_SUMS; n++)
            assert_true(fabs(whole[n] - parts[n]) <= 1e-5 * fabs(whole[n]));
        for (int n = 0; n < model->table.num_rows; n++) {
            const struct tensor *tensor = &model->table.rows[n];
            assert_near(model->gradients + tensor->offset, expected + tensor->offset, tensor->count, torch_tolerance,
                        tensor->name);
        }
        free(expected);
        model_free(model);
        reference_close(&reference);
    }
}

/* Nothing of an earlier pass may show in a later one. */
static void the_same_batch_gives_the_same_bits(void **state)
{
    (void)state;
    struct reference reference;
    reference_open(&reference, "reference_hierarchical");
    struct model *model = twin_model(&reference.sizes, reference.model);
    double first[METRIC_MAX_SUMS] = {0}, second[METRIC_MAX_SUMS] = {0}, other[METRIC_MAX_SUMS] = {0};
    size_t bytes = model->table.num_floats * sizeof(float);
    float *gradients = malloc(bytes);
    assert_non_null(gradients);
    twin_set_batch(model, &reference.sizes, &reference.batch);
    train(model, &reference.sizes, OP_REPLACE, first);
    memcpy(gradients, model->gradients, bytes);
    struct model_step step = {.batch = model->max_batch, .training = true, .seed = 9, .step = 3};
    model_draw_noise(model, &step);
    model_evaluate(model, &step, other);
    twin_set_batch(model, &reference.sizes, &reference.batch);
    train(model, &reference.sizes, OP_REPLACE, second);
    assert_memory_equal(first, second, sizeof first);
    assert_memory_equal(gradients, model->gradients, bytes);
    free(gradients);
    model_free(model);
    reference_close(&reference);
}

/* On several threads, and on processors that the packed GEMMs have no vector code for, OpenBLAS makes the GEMMs of LSTM
 * layers. */
static void openblas_gives_the_same_gradients(void **state)
{
    (void)state;
    struct reference reference;
    reference_open(&reference, "reference_hierarchical");
    struct model *model = twin_model(&reference.sizes, reference.model);
    struct kernels without_vectors = *model->kernels;
    const struct kernels *best = model->kernels;
    size_t count = model->table.num_floats;
    int threads_before = openblas_get_num_threads();
    float *packed = malloc(count * sizeof *packed);
    assert_non_null(packed);
    without_vectors.has_vector_gemm = false;
    const struct {
        int threads;
        const struct kernels *kernels;
    } cases[] = {
        {1, best            },
        {2, best            },
        {1, &without_vectors}
    };
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        double sums[METRIC_MAX_SUMS] = {0};
        openblas_set_num_threads(cases[n].threads);
        model->kernels = cases[n].kernels;
        assert_int_equal(gemm_is_packed(model->kernels), n == 0 && best->has_vector_gemm);
        twin_set_batch(model, &reference.sizes, &reference.batch);
        train(model, &reference.sizes, OP_REPLACE, sums);
        if (n == 0)
            memcpy(packed, model->gradients, count * sizeof *packed);
        for (size_t i = 0; i < count; i++)
            model->gradients[i] -= packed[i];
        assert_true(global_norm(model->gradients, count) <= 1e-5 * global_norm(packed, count));
    }
    openblas_set_num_threads(threads_before);
    free(packed);
    model_free(model);
    reference_close(&reference);
}

static void a_value_that_is_not_finite_shows_in_the_loss(void **state)
{
    (void)state;
    struct reference reference;
    reference_open(&reference, "reference_flat");
    struct model *model = twin_model(&reference.sizes, reference.model);
    struct optimizer optimizer;
    struct error error;
    assert_true(optimizer_make(&optimizer, &model->table, &error));
    twin_set_batch(model, &reference.sizes, &reference.batch);
    model->values[model->table.rows[0].offset] = NAN;
    double sums[METRIC_MAX_SUMS] = {0};
    train(model, &reference.sizes, OP_REPLACE, sums);
    assert_true(!isfinite(twin_loss(model, sums, reference.sizes.beta)));
    float before = model->values[model->table.rows[1].offset];
    double norm = optimizer_step(&optimizer, model->values, model->gradients, &model->hparams, 1e-3);
    assert_true(!isfinite(norm));
    assert_int_equal(optimizer.skipped, 1);
    assert_int_equal(optimizer.updates, 0);
    assert_true(model->values[model->table.rows[1].offset] == before);
    optimizer_free(&optimizer);
    model_free(model);
    reference_close(&reference);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_torch),
        cmocka_unit_test(five_steps_agree_with_torch),
        cmocka_unit_test(agrees_with_the_twin),
        cmocka_unit_test(many_rows_agree_with_the_twin),
        cmocka_unit_test(gradients_are_finite_differences),
        cmocka_unit_test(gradients_reported_ready_are_final),
        cmocka_unit_test(micro_batches_add_up),
        cmocka_unit_test(the_same_batch_gives_the_same_bits),
        cmocka_unit_test(openblas_gives_the_same_gradients),
        cmocka_unit_test(a_value_that_is_not_finite_shows_in_the_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
