/* The operations that drumline-bench says a training step takes, against those that the model really makes: every
 * product of the library, of the kernels and of a bf16 engine is counted as it is called. */
#include "base/error.h"
#include "programs/bench/flops.h"
#include "tests/support/unit.h"

#include "model/vae/model.h"

#include <cblas.h>
#include <stdlib.h>

static double counted[PASS_NUM_PHASES];
static enum pass_phase current;

void __real_cblas_sgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, blasint m, blasint n,
                        blasint k, float alpha, const float *a, blasint lda, const float *b, blasint ldb, float beta,
                        float *c, blasint ldc);
void __wrap_cblas_sgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, blasint m, blasint n,
                        blasint k, float alpha, const float *a, blasint lda, const float *b, blasint ldb, float beta,
                        float *c, blasint ldc);

/* Stands in the library's place (the linker's --wrap). */
void __wrap_cblas_sgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, blasint m, blasint n,
                        blasint k, float alpha, const float *a, blasint lda, const float *b, blasint ldb, float beta,
                        float *c, blasint ldc)
{
    counted[current] += 2.0 * m * n * k;
    __real_cblas_sgemm(order, trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

/* Stands in a bf16 engine's place: what it prepares is the number of operations. */
static void *prepare_count(struct bf16_engine *engine, const struct bf16_shape *shape, struct error *error)
{
    (void)engine;
    double *operations = malloc(sizeof *operations);
    if (operations)
        *operations = 2.0 * shape->rows * shape->columns * shape->inner;
    else
        error_set(error, "out of memory");
    return operations;
}

static void pack_nothing(void *product, const float *weights)
{
    (void)product;
    (void)weights;
}

static void count_bf16_product(void *product, float *out, const uint16_t *a, const uint16_t *b)
{
    (void)out;
    (void)a;
    (void)b;
    counted[current] += *(const double *)product;
}

static void free_nothing(struct bf16_engine *engine)
{
    (void)engine;
}

static const struct kernels *real;

static void count_packed_gemm(float *out, size_t stride, struct kernels_rows a, const float *panels, int inner,
                              int rows, int columns, bool add)
{
    counted[current] += 2.0 * rows * columns * (a.first_size + a.second_size);
    real->gemm_packed(out, stride, a, panels, inner, rows, columns, add);
}

static void count_gradient_product(float *out, float *sums, struct kernels_rows a, int first_row, int end_row,
                                   const float *d, size_t stride, int examples, int columns, bool add, float *scratch)
{
    counted[current] += 2.0 * examples * columns * (end_row - first_row);
    real->gemm_gradient(out, sums, a, first_row, end_row, d, stride, examples, columns, add, scratch);
}

static void on_phase(void *context, enum pass_phase phase)
{
    (void)context;
    current = phase;
}

/* One training pass of `batch` windows with every product counted. In bf16 none may be made in floats. */
static void train_and_count(const struct hparams *hparams, int batch)
{
    struct error error;
    double sums[METRIC_MAX_SUMS] = {0};
    struct phase_listener phases = {on_phase, NULL};
    struct model *model = model_make(hparams, batch, &error);
    assert_non_null(model);
    struct kernels kernels = *model->kernels;
    real = model->kernels;
    kernels.gemm_packed = count_packed_gemm;
    kernels.gemm_gradient = count_gradient_product;
    model->kernels = &kernels;
    model_initialize(model, 1);
    struct bf16_engine engine = {"counting",         false,       prepare_count, free, pack_nothing,
                                 count_bf16_product, free_nothing};
    if (hparams->precision == PRECISION_BF16) {
        assert_ok(model_use_bf16(model, &engine, &error), error);
        assert_ok(model_prepare_bf16(model, batch, &error), error);
    }
    struct model_step step = {.batch = batch, .training = true, .step = 1};
    struct model_gradient gradient = {.scale = 1, .beta = 1, .write = OP_REPLACE, .phases = &phases};
    model_draw_noise(model, &step);
    memset(counted, 0, sizeof counted);
    current = PASS_LOSS;
    model_train(model, &step, &gradient, sums);
    model_free(model);
}

static void counts_what_the_model_makes(void **state)
{
    (void)state;
    enum { BATCH = 3 };
    static const char *const changes[] = {
        "bars=1,enc_rnn_size=5,dec_rnn_size=4,z_size=3",
        "bars=2,enc_rnn_size=5,dec_rnn_size=[4,6],z_size=3",
        "bars=2,enc_rnn_size=[5,7],dec_rnn_size=[4,6,2],z_size=3,hits_as_controls=true",
        "bars=2,enc_rnn_size=[5,7],dec_rnn_size=[4,6,2],z_size=3,input_as_controls=true",
        "bars=3,enc_rnn_size=5,dec_rnn_size=4,z_size=3,decoder=hierarchical",
        "bars=2,enc_rnn_size=[5,7,4],dec_rnn_size=[4,6],z_size=3,decoder=hierarchical,hits_as_controls=true",
    };
    for (size_t n = 0; n < 2 * sizeof changes / sizeof *changes; n++) {
        size_t i = n / 2;
        struct error error;
        struct hparams hparams;
        assert_ok(hparams_make(&hparams, config_find("groovae_4bar_flat", NULL), changes[i], &error), error);
        hparams.precision = n % 2 == 0 ? PRECISION_FLOAT32 : PRECISION_BF16;
        train_and_count(&hparams, BATCH);
        struct bench_flops flops = bench_flops_of(&hparams);
        double total = 0;
        for (int phase = 0; phase < PASS_NUM_PHASES; phase++) {
            if (!(flops.phases[phase] * BATCH == counted[phase]))
                fail_msg("%s: phase %d is %g, not %g", changes[i], phase, counted[phase], flops.phases[phase] * BATCH);
            total += flops.phases[phase];
        }
        assert_true(total > 0);
        assert_true(flops.total == total);
        assert_true(flops.forward + flops.weight_gradients + flops.input_gradients == total);
    }
}

/* The published model, by hand: 64 steps; encoder of 2 x 512 units on 27 inputs; decoder of 256 and 256 units. */
static void published_model(void **state)
{
    (void)state;
    struct error error;
    struct hparams hparams;
    assert_ok(hparams_make(&hparams, config_find("groovae_4bar_flat", NULL), NULL, &error), error);
    double encoder = 2 * 2.0 * (64 * 27 + 63 * 512) * 2048 + 2 * 2.0 * 1024 * 256;
    double decoder =
        2.0 * 64 * (27 + 256 + 256) * 1024 + 2.0 * 64 * (256 + 256) * 1024 + 2.0 * 256 * 1024 + 2.0 * 64 * 256 * 27;
    struct bench_flops flops = bench_flops_of(&hparams);
    assert_true(flops.forward == encoder + decoder);
    assert_true(flops.weight_gradients == flops.forward + 2 * 2.0 * 512 * 2048);
    assert_true(flops.total > 1.2e9 && flops.total < 1.3e9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_the_model_makes),
        cmocka_unit_test(published_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
