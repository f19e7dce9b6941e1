/* LAMB, AdamW and averages on a whole model's tensors against twins in double precision, and what all optimizers share. Adam itself is
 * held to PyTorch's numbers in test_model.c. */
#include "tests/model/naive_ops.h"
#include "tests/support/unit.h"

#include "model/optimizer/average.h"
#include "model/optimizer/optimizer.h"
#include "model/vae/parameters.h"

#include <math.h>
#include <stdlib.h>

/* A small model's tensors, in float for the optimizer and in double for its twin. */
struct setup {
    struct hparams hparams;
    struct tensor_table table;
    struct optimizer optimizer;
    float *values, *gradients;
    double *twin_values, *twin_m, *twin_v, *twin_gradients;
};

static struct setup *setup_make(const char *changes)
{
    struct setup *setup = calloc(1, sizeof *setup);
    struct error error;
    char all[256];
    assert_non_null(setup);
    snprintf(all, sizeof all, "enc_rnn_size=[5],dec_rnn_size=[7,3],z_size=4,grad_clip=1000,%s", changes);
    assert_ok(hparams_make(&setup->hparams, config_find("groovae_4bar", NULL), all, &error), error);
    assert_ok(parameters_describe(&setup->table, &setup->hparams, &error), error);
    assert_ok(optimizer_make(&setup->optimizer, &setup->table, &error), error);
    size_t count = setup->table.num_floats;
    double *zeros = naive_doubles(count);
    setup->values = naive_to_floats(zeros, count);
    setup->gradients = naive_to_floats(zeros, count);
    free(zeros);
    tensors_initialize(setup->values, &setup->table, 1);
    setup->twin_values = naive_to_doubles(setup->values, count);
    setup->twin_m = naive_doubles(count);
    setup->twin_v = naive_doubles(count);
    setup->twin_gradients = naive_doubles(count);
    return setup;
}

static void setup_free(struct setup *setup)
{
    double *doubles[] = {setup->twin_values, setup->twin_m, setup->twin_v, setup->twin_gradients};
    for (int n = 0; n < 4; n++)
        free(doubles[n]);
    free(setup->values);
    free(setup->gradients);
    optimizer_free(&setup->optimizer);
    free(setup);
}

/* Gradients for both; the gaps between tensors stay 0, as backward leaves them. Returns their norm. */
static double draw_gradients(struct setup *setup, double size, uint64_t *seed)
{
    double sum = 0;
    for (int i = 0; i < setup->table.num_rows; i++) {
        const struct tensor *tensor = &setup->table.rows[i];
        double *drawn = setup->twin_gradients + tensor->offset;
        naive_fill(drawn, tensor->count, size, seed);
        for (size_t k = 0; k < tensor->count; k++) {
            setup->gradients[tensor->offset + k] = (float)drawn[k];
            sum += drawn[k] * drawn[k];
        }
    }
    return sqrt(sum);
}

/* Biases neither adapt nor decay. */
static void twin_step(struct setup *setup, double learning_rate, double weight_decay, unsigned step)
{
    bool is_lamb = setup->hparams.optimizer == OPTIMIZER_LAMB;
    for (int i = 0; i < setup->table.num_rows; i++) {
        const struct tensor *tensor = &setup->table.rows[i];
        bool adapts = tensor->num_dims == 2;
        size_t at = tensor->offset;
        if (!is_lamb)
            naive_adamw(setup->twin_values + at, setup->twin_m + at, setup->twin_v + at, setup->twin_gradients + at,
                        tensor->count, learning_rate, adapts ? weight_decay : 0, step);
        else
            naive_lamb(setup->twin_values + at, setup->twin_m + at, setup->twin_v + at, setup->twin_gradients + at,
                       tensor->count, learning_rate, adapts ? weight_decay : 0, adapts, step);
    }
}

/* Each tensor by itself, so that a small one's error is not lost in a large one. */
static void assert_like_twin(const struct setup *setup)
{
    for (int i = 0; i < setup->table.num_rows; i++) {
        const struct tensor *tensor = &setup->table.rows[i];
        size_t at = tensor->offset;
        double error = naive_float_error(setup->values + at, setup->twin_values + at, tensor->count);
        if (!(error <= 2e-5))
            fail_msg("%s is %g away from the twin", tensor->name, error);
    }
    size_t count = setup->table.num_floats;
    assert_true(naive_float_error(setup->optimizer.m, setup->twin_m, count) <= 2e-6);
    /* 1 - 0.999 is 1.3e-5 smaller when 0.999 has been rounded to float. */
    assert_true(naive_float_error(setup->optimizer.v, setup->twin_v, count) <= 2e-5);
    assert_true(naive_guard_intact(setup->values, count));
}

static void lamb_follows_its_twin(void **state)
{
    (void)state;
    const double decays[] = {0, 0.05};
    for (int n = 0; n < 2; n++) {
        char changes[64];
        snprintf(changes, sizeof changes, "optimizer=lamb,weight_decay=%g", decays[n]);
        struct setup *setup = setup_make(changes);
        uint64_t seed = 5;
        for (unsigned step = 1; step <= 12; step++) {
            double norm = draw_gradients(setup, 1, &seed);
            double returned = optimizer_step(&setup->optimizer, setup->values, setup->gradients, &setup->hparams, 0.02);
            assert_true(fabs(returned - norm) <= 1e-6 * norm);
            twin_step(setup, 0.02, decays[n], step);
        }
        assert_like_twin(setup);
        setup_free(setup);
    }
}

static void adamw_follows_its_twin(void **state)
{
    (void)state;
    const double decays[] = {0, 0.05, 4};
    for (int n = 0; n < 3; n++) {
        char changes[64];
        snprintf(changes, sizeof changes, "optimizer=adamw,weight_decay=%g", decays[n]);
        struct setup *setup = setup_make(changes);
        uint64_t seed = 5;
        for (unsigned step = 1; step <= 12; step++) {
            draw_gradients(setup, 1, &seed);
            optimizer_step(&setup->optimizer, setup->values, setup->gradients, &setup->hparams, 0.02);
            twin_step(setup, 0.02, decays[n], step);
        }
        assert_like_twin(setup);
        setup_free(setup);
    }
}

/* Without decay it is Adam, bit for bit. */
static void adamw_without_decay_is_adam(void **state)
{
    (void)state;
    struct setup *setups[2] = {setup_make("optimizer=adam"), setup_make("optimizer=adamw")};
    size_t bytes = setups[0]->table.num_floats * sizeof(float);
    for (int n = 0; n < 2; n++) {
        uint64_t seed = 8;
        for (unsigned step = 1; step <= 3; step++) {
            draw_gradients(setups[n], 1, &seed);
            optimizer_step(&setups[n]->optimizer, setups[n]->values, setups[n]->gradients, &setups[n]->hparams, 0.02);
        }
    }
    assert_memory_equal(setups[0]->values, setups[1]->values, bytes);
    assert_memory_equal(setups[0]->optimizer.v, setups[1]->optimizer.v, bytes);
    setup_free(setups[0]);
    setup_free(setups[1]);
}

static void the_average_follows_its_twin(void **state)
{
    (void)state;
    const double decays[] = {0.5, 0.999};
    for (int n = 0; n < 2; n++) {
        struct setup *setup = setup_make("optimizer=adam");
        size_t count = setup->table.num_floats;
        struct weight_average average;
        struct error error;
        uint64_t seed = 9;
        assert_ok(average_make(&average, &setup->table, &error), error);
        average_start(&average, setup->values);
        double *twin = naive_to_doubles(setup->values, count);
        for (unsigned step = 1; step <= 40; step++) {
            double decay = fmin(decays[n], (1 + step) / (10.0 + step));
            draw_gradients(setup, 1, &seed);
            optimizer_step(&setup->optimizer, setup->values, setup->gradients, &setup->hparams, 0.02);
            average_update(&average, setup->values, decays[n], step);
            for (size_t k = 0; k < count; k++)
                twin[k] = decay * twin[k] + (1 - decay) * (double)setup->values[k];
        }
        assert_true(naive_float_error(average.values, twin, count) <= 2e-6);
        free(twin);
        average_free(&average);
        setup_free(setup);
    }
}

/* The numbers that enter the moments are those of gradients clipped over all tensors. */
static void gradients_are_clipped_before_anything_else(void **state)
{
    (void)state;
    struct setup *setup = setup_make("optimizer=lamb,grad_clip=0.5");
    uint64_t seed = 6;
    for (unsigned step = 1; step <= 3; step++) {
        double norm = draw_gradients(setup, 10 / (double)step, &seed);
        optimizer_step(&setup->optimizer, setup->values, setup->gradients, &setup->hparams, 0.02);
        for (size_t k = 0; k < setup->table.num_floats; k++)
            setup->twin_gradients[k] *= 0.5 / norm;
        twin_step(setup, 0.02, 0, step);
    }
    assert_like_twin(setup);
    setup_free(setup);
}

/* By hand. In the first step r is g / (|g| + epsilon), so 1 or -1 for each number, and |r| = sqrt(count): a kernel of
 * values 3 and 4 alone among zeros has |w| = 5 and moves by lr 5 / sqrt(count) at each of its numbers. A kernel of zeros,
 * which has no norm, and a bias move by lr itself. */
static void the_first_step_by_hand(void **state)
{
    (void)state;
    struct setup *setup = setup_make("optimizer=lamb");
    const struct tensor *kernel = tensors_find(&setup->table, "encoder/mu/kernel"),
                        *zeros = tensors_find(&setup->table, "encoder/sigma/kernel"),
                        *bias = tensors_find(&setup->table, "encoder/mu/bias");
    float *w = setup->values + kernel->offset;
    memset(w, 0, kernel->count * sizeof *w);
    memset(setup->values + zeros->offset, 0, zeros->count * sizeof *w);
    w[0] = 3;
    w[1] = 4;
    setup->values[bias->offset] = 100;
    for (size_t k = 0; k < setup->table.num_floats; k++)
        setup->gradients[k] = k % 2 ? -0.5f : 0.25f;
    assert_int_equal(kernel->count, 10 * 4);
    assert_int_equal(kernel->offset % 2 + zeros->offset % 2 + bias->offset % 2, 0);
    optimizer_step(&setup->optimizer, setup->values, setup->gradients, &setup->hparams, 0.1);
    double move = 0.1 * 5 / sqrt(40);
    assert_true(fabs((double)w[0] - (3 - move)) <= 1e-5);
    assert_true(fabs((double)w[1] - (4 + move)) <= 1e-5);
    assert_true(fabs((double)w[39] - move) <= 1e-5);
    assert_true(fabs((double)setup->values[zeros->offset] + 0.1) <= 1e-5);
    assert_true(fabs((double)setup->values[bias->offset] - 99.9) <= 1e-4);
    setup_free(setup);
}

/* A kernel without any gradient has no direction: it stays, decay apart, and nothing becomes NaN. */
static void a_kernel_without_gradient_stays(void **state)
{
    (void)state;
    struct setup *setup = setup_make("optimizer=lamb");
    const struct tensor *kernel = tensors_find(&setup->table, "encoder/mu/kernel");
    size_t bytes = kernel->count * sizeof(float);
    float *before = malloc(bytes), *w = setup->values + kernel->offset;
    uint64_t seed = 7;
    assert_non_null(before);
    memcpy(before, w, bytes);
    draw_gradients(setup, 1, &seed);
    memset(setup->gradients + kernel->offset, 0, bytes);
    optimizer_step(&setup->optimizer, setup->values, setup->gradients, &setup->hparams, 0.1);
    assert_memory_equal(w, before, bytes);
    setup->hparams.weight_decay = 0.5;
    optimizer_step(&setup->optimizer, setup->values, setup->gradients, &setup->hparams, 0.1);
    /* |w| / |0.5 w| is 2, so the step is lr w. */
    for (size_t k = 0; k < kernel->count; k++)
        assert_true(fabs((double)w[k] - 0.9 * (double)before[k]) <= 1e-6 * fabs((double)before[k]));
    free(before);
    setup_free(setup);
}

static void steps_out_of_bounds_are_skipped(void **state)
{
    (void)state;
    const char *optimizers[] = {"optimizer=adam,grad_norm_clip_to_zero=100",
                                "optimizer=lamb,grad_norm_clip_to_zero=100"};
    const float refused[] = {101, INFINITY, NAN};
    for (int n = 0; n < 2; n++) {
        struct setup *setup = setup_make(optimizers[n]);
        for (size_t k = 0; k < 3; k++) {
            setup->gradients[0] = refused[k];
            double norm = optimizer_step(&setup->optimizer, setup->values, setup->gradients, &setup->hparams, 0.01);
            assert_true(!(norm <= 100));
        }
        assert_int_equal(setup->optimizer.skipped, 3);
        assert_int_equal(setup->optimizer.updates, 0);
        assert_like_twin(setup);
        setup->gradients[0] = 100;
        optimizer_step(&setup->optimizer, setup->values, setup->gradients, &setup->hparams, 0.01);
        assert_int_equal(setup->optimizer.updates, 1);
        assert_true(fabs((double)setup->optimizer.m[0] - 10) < 1e-5);
        if (n == 0)
            assert_true(fabs((double)setup->values[0] - (setup->twin_values[0] - 0.01)) < 1e-6);
        setup_free(setup);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lamb_follows_its_twin),
        cmocka_unit_test(adamw_follows_its_twin),
        cmocka_unit_test(adamw_without_decay_is_adam),
        cmocka_unit_test(the_average_follows_its_twin),
        cmocka_unit_test(gradients_are_clipped_before_anything_else),
        cmocka_unit_test(the_first_step_by_hand),
        cmocka_unit_test(a_kernel_without_gradient_stays),
        cmocka_unit_test(steps_out_of_bounds_are_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
