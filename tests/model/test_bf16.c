/* bf16 GEMMs against plain sums of rounded factors, and the model that trains with them against a twin that rounds both
 * factors of every GEMM, with each engine that runs here. */
#include "tests/model/model_from_twin.h"
#include "tests/model/naive_batch.h"
#include "tests/model/naive_ops.h"
#include "tests/support/unit.h"

#include "model/kernels/kernels.h"
#include "model/nn/bf16_engine.h"

#include <math.h>
#include <stdlib.h>

typedef struct bf16_engine *make_engine(struct error *error);

static make_engine *const engine_makers[] = {bf16_engine_float32, bf16_engine_onednn};
enum { NUM_ENGINES = sizeof engine_makers / sizeof *engine_makers };

/* Engine n, NULL where it does not run here: without oneDNN, or on a processor that it has no bf16 for. */
static struct bf16_engine *engine_of(size_t n)
{
    struct error error;
    struct bf16_engine *engine = engine_makers[n](&error);
    if (!engine)
        print_message("engine %zu is skipped: %s\n", n, error.message);
    if (!engine && n == 0)
        fail_msg("%s", error.message);
    return engine;
}

/* ---- Products ---- */

static uint16_t *rounded_numbers(const double *values, size_t count)
{
    float *floats = naive_to_floats(values, count);
    uint16_t *rounded = malloc((count + 1) * sizeof *rounded);
    assert_non_null(rounded);
    kernels_best()->to_bf16(rounded, floats, count);
    free(floats);
    return rounded;
}

/* The GEMM of what lies in memory as the shape says, added to out. */
static void add_product(double *out, const double *left, const double *right, const struct bf16_shape *shape)
{
    size_t rows = (size_t)shape->rows, columns = (size_t)shape->columns, inner = (size_t)shape->inner;
    bool turns_left = shape->kind == BF16_KERNEL_GRADIENT, turns_right = shape->kind == BF16_TRANSPOSED_WEIGHTS;
    const size_t strides[] = {turns_left ? 1 : inner, turns_left ? rows : 1, turns_right ? 1 : columns,
                              turns_right ? inner : 1};
    naive_product(out, left, right, strides, rows, columns, inner);
}

static void make_absolute(double *values, size_t count)
{
    for (size_t n = 0; n < count; n++)
        values[n] = fabs(values[n]);
}

/* A product of two bf16 numbers is exact in a float; `inner` of them and what was there before are summed in some order,
 * each sum with an error of half a unit: 2^-24 of no more than the sum of all absolute values. */
static void check_sums(const float *out, const double *before, const double *left, const double *right,
                       const struct bf16_shape *shape, const char *name)
{
    size_t columns = (size_t)shape->columns, inner = (size_t)shape->inner, count = (size_t)shape->rows * columns;
    double *a = naive_rounded_copy(left, (size_t)shape->rows * inner), *b = naive_rounded_copy(right, inner * columns);
    double *sums = shape->write == OP_ADD ? naive_copy(before, count) : naive_doubles(count);
    double *sizes = naive_copy(sums, count);
    add_product(sums, a, b, shape);
    make_absolute(a, (size_t)shape->rows * inner);
    make_absolute(b, inner * columns);
    make_absolute(sizes, count);
    add_product(sizes, a, b, shape);
    for (size_t at = 0; at < count; at++)
        if (!(fabs((double)out[at] - sums[at]) <= (shape->inner + 1) * sizes[at] * ldexp(1, -24)))
            fail_msg("%s, kind %d [%d, %d] over %d at [%zu, %zu]: %.9g, not %.9g", name, shape->kind, shape->rows,
                     shape->columns, shape->inner, at / columns, at % columns, (double)out[at], sums[at]);
    free(a);
    free(b);
    free(sums);
    free(sizes);
}

/* One GEMM's operands, as doubles and as the engine takes them. */
struct operands {
    double *left, *right, *before;
    float *weights; /* the right one; NULL in a kernel's gradient */
    uint16_t *a, *b;
    float *out;
    size_t left_count, right_count, out_count;
};

static void make_operands(struct operands *operands, const struct bf16_shape *shape, uint64_t *seed)
{
    size_t rows = (size_t)shape->rows, columns = (size_t)shape->columns, inner = (size_t)shape->inner;
    bool gradient = shape->kind == BF16_KERNEL_GRADIENT;
    *operands =
        (struct operands){.left_count = rows * inner, .right_count = inner * columns, .out_count = rows * columns};
    operands->left = naive_doubles(operands->left_count);
    operands->right = naive_doubles(operands->right_count);
    operands->before = naive_doubles(operands->out_count);
    naive_fill(operands->left, operands->left_count, 1, seed);
    naive_fill(operands->right, operands->right_count, 1, seed);
    naive_fill(operands->before, operands->out_count, 1, seed);
    operands->weights = gradient ? NULL : naive_to_floats(operands->right, operands->right_count);
    operands->a = rounded_numbers(operands->left, operands->left_count);
    operands->b = gradient ? rounded_numbers(operands->right, operands->right_count) : NULL;
    operands->out = naive_to_floats(operands->before, operands->out_count);
}

static void free_operands(struct operands *operands)
{
    free(operands->left);
    free(operands->right);
    free(operands->before);
    free(operands->weights);
    free(operands->a);
    free(operands->b);
    free(operands->out);
}

/* In a pass of its own. */
static void multiply_and_check(struct bf16_gemms *gemms, struct operands *operands, const struct bf16_shape *shape)
{
    twin_floats(operands->out, operands->before, operands->out_count);
    bf16_gemms_begin_pass(gemms);
    bf16_gemm(gemms, operands->out, operands->a, operands->weights, operands->b, shape);
    check_sums(operands->out, operands->before, operands->left, operands->right, shape, bf16_gemms_engine(gemms)->name);
    assert_true(naive_guard_intact(operands->out, operands->out_count));
}

static void check_gemm(struct bf16_gemms *gemms, const struct bf16_shape *shape, uint64_t *seed)
{
    struct error error;
    struct operands operands;
    make_operands(&operands, shape, seed);
    bf16_gemms_begin_recording(gemms);
    bf16_gemm(gemms, operands.out, operands.a, operands.weights, operands.b, shape);
    assert_ok(bf16_gemms_end_recording(gemms, &error), error);
    for (size_t n = 0; n < operands.out_count; n++)
        assert_true(operands.out[n] == (float)operands.before[n]);
    multiply_and_check(gemms, &operands, shape);
    for (size_t n = 0; operands.weights && n < operands.right_count; n++)
        operands.weights[n] = (float)(operands.right[n] *= -0.5);
    multiply_and_check(gemms, &operands, shape);
    free_operands(&operands);
}

static void gemms_are_sums_of_rounded_factors(void **state)
{
    (void)state;
    static const int sizes[][3] = {
        {1,  1,   1   },
        {3,  5,   7   },
        {16, 64,  32  },
        {33, 27,  65  },
        {12, 1,   40  },
        {1,  36,  9   },
        {70, 130, 1200},
    };
    uint64_t seed = 3;
    for (size_t n = 0; n < NUM_ENGINES; n++) {
        struct error error;
        struct bf16_engine *engine = engine_of(n);
        if (!engine)
            continue;
        struct bf16_gemms *gemms = bf16_gemms_make(engine, &error);
        assert_ok(gemms != NULL, error);
        for (size_t size = 0; size < sizeof sizes / sizeof *sizes; size++)
            for (int kind = BF16_WEIGHTS; kind <= BF16_KERNEL_GRADIENT; kind++)
                for (int write = OP_REPLACE; write <= OP_ADD; write++) {
                    struct bf16_shape shape = {(enum bf16_kind)kind, sizes[size][0], sizes[size][1], sizes[size][2],
                                               (enum op_write)write};
                    check_gemm(gemms, &shape, &seed);
                }
        bf16_gemms_free(gemms);
    }
}

/* ---- The model ---- */

static const struct naive_sizes twin_sizes[] = {
    {false, 8, 2, 16, 0, 12, 1, {24},     2, {20, 16}, 0.5, 0.2, 1, 0, 0, 0},
    {true,  8, 2, 16, 9, 12, 2, {18, 14}, 2, {20, 16}, 0.5, 0.2, 1, 0, 0, 0},
};
enum { NUM_SIZES = sizeof twin_sizes / sizeof *twin_sizes };

/* A twin with made-up weights and a batch, and the same once more without rounding. */
struct twins {
    struct naive_model *rounded, *exact;
    struct naive_outputs *outputs;
    struct naive_made_up made_up;
    double loss, exact_loss;
};

static void make_twins(struct twins *twins, const struct naive_sizes *sizes)
{
    uint64_t seed = 17, weights_seed = 23, same_seed = weights_seed;
    twins->rounded = naive_model_make(sizes);
    twins->rounded->bf16 = true;
    twins->exact = naive_model_make(sizes);
    twins->outputs = naive_outputs_make(sizes);
    naive_make_up(&twins->made_up, sizes, &seed);
    naive_make_up_weights(twins->rounded, 0.3, &weights_seed);
    naive_make_up_weights(twins->exact, 0.3, &same_seed);
    twins->loss = naive_model_gradients(twins->outputs, twins->rounded, &twins->made_up.batch);
    twins->exact_loss = naive_model_gradients(twins->outputs, twins->exact, &twins->made_up.batch);
}

static void free_twins(struct twins *twins)
{
    naive_model_free(twins->rounded);
    naive_model_free(twins->exact);
    naive_outputs_free(twins->outputs);
    naive_made_up_free(&twins->made_up);
}

static void train(struct model *model, const struct naive_sizes *sizes, double sums[METRIC_MAX_SUMS])
{
    struct model_step step = {.batch = (int)sizes->batch, .training = true, .seed = 1, .step = 1};
    struct model_gradient gradient = {.scale = 1.0f / (float)sizes->batch, .beta = sizes->beta, .write = OP_REPLACE};
    model_train(model, &step, &gradient, sums);
}

static double distance(const double *a, const double *b, size_t count)
{
    double sum = 0;
    for (size_t n = 0; n < count; n++)
        sum += (a[n] - b[n]) * (a[n] - b[n]);
    return sqrt(sum);
}

/* How far the model may be from the rounding twin, for each tensor's gradient: a quarter of what the rounding does to it,
 * the distance of the twin that rounds from the one that does not.
 *
 * Both round the same factors to bf16, but the model's are floats: one that lies, relatively, within d of the middle
 * between two bf16 numbers, d being the error that float sums have brought it, may go the other way. Of all factors that
 * befalls a part p = d / 2^-8, and each such factor is then wrong by a whole step of bf16 where every rounding is wrong
 * by 1 / sqrt(12) of a step (root mean square): the distance is sqrt(12 p) of the rounding's. With d = 2^-19, 32 float
 * units, that is 1/13; a quarter is reached at d = 2^-15.6. A model that leaves out the rounding of one factor in ten is
 * further away than that. */
static const double of_the_rounding = 0.25;

/* And the rounding must show, or nothing was measured: 2^-9 is half a step of bf16. */
static const double least_rounding = 0x1p-12, most_rounding = 0x1p-5;

static void check_tensors(const struct model *model, const struct twins *twins, const char *name)
{
    for (int n = 0; n < model->table.num_rows; n++) {
        const struct tensor *tensor = &model->table.rows[n];
        const struct naive_tensor *rounded = &twins->rounded->tensors[n], *exact = &twins->exact->tensors[n];
        double *gradient = naive_to_doubles(model->gradients + tensor->offset, tensor->count);
        double *zero = naive_doubles(tensor->count);
        double rounding = distance(rounded->gradient, exact->gradient, tensor->count);
        double size = distance(rounded->gradient, zero, tensor->count);
        double error = distance(gradient, rounded->gradient, tensor->count);
        if (!(rounding >= least_rounding * size && rounding <= most_rounding * size))
            fail_msg("%s: rounding moves the twin by %.3g of it", tensor->name, rounding / size);
        if (!(error <= of_the_rounding * rounding))
            fail_msg("%s, %s: %.3g of what rounding does, more than %.3g", name, tensor->name, error / rounding,
                     of_the_rounding);
        free(gradient);
        free(zero);
    }
}

static void check_against_twins(struct bf16_engine *engine, const struct twins *twins, const struct naive_sizes *sizes)
{
    struct error error;
    double sums[METRIC_MAX_SUMS] = {0};
    struct model *model = twin_model(sizes, twins->rounded);
    assert_ok(model_use_bf16(model, engine, &error), error);
    assert_ok(model_prepare_bf16(model, (int)sizes->batch, &error), error);
    twin_set_batch(model, sizes, &twins->made_up.batch);
    train(model, sizes, sums);
    check_tensors(model, twins, engine->name);
    double loss = twin_loss(model, sums, sizes->beta);
    if (!(fabs(loss - twins->loss) <= of_the_rounding * fabs(twins->loss - twins->exact_loss)))
        fail_msg("loss %.9g, not %.9g (%.9g without rounding)", loss, twins->loss, twins->exact_loss);
    model_free(model);
}

static void agrees_with_the_rounding_twin(void **state)
{
    (void)state;
    for (size_t size = 0; size < NUM_SIZES; size++) {
        struct twins twins;
        make_twins(&twins, &twin_sizes[size]);
        for (size_t n = 0; n < NUM_ENGINES; n++) {
            struct bf16_engine *engine = engine_of(n);
            if (engine)
                check_against_twins(engine, &twins, &twin_sizes[size]);
        }
        free_twins(&twins);
    }
}

/* What the model is fed in the tests below: the same window in every place, so that it does not matter which are in a
 * part; noise and masks are each window's own. */
static void feed(struct model *model, const struct model_step *step)
{
    model_draw_noise(model, step);
    for (size_t row = 0; row < (size_t)(model->steps * step->batch); row++)
        for (size_t j = 0; j < (size_t)model->depth; j++) {
            size_t t = row / (size_t)step->batch, at = row * (size_t)model->depth + j;
            model->input[at] = model->target[at] = (t + j) % 5 == 0 ? 1.0f : 0.0f;
        }
}

static struct model *make_model(struct bf16_engine *engine, const char *changes, int max_batch)
{
    struct hparams hparams;
    struct error error;
    assert_ok(hparams_make(&hparams, config_find("groovae_4bar_flat", NULL), changes, &error), error);
    struct model *model = model_make(&hparams, max_batch, &error);
    assert_ok(model != NULL, error);
    assert_ok(model_use_bf16(model, engine, &error), error);
    model_initialize(model, 3);
    return model;
}

static const char *const small_models[] = {
    "bars=2,enc_rnn_size=24,dec_rnn_size=[20,16],z_size=12,sampling_rate=0.5",
    "bars=2,enc_rnn_size=[10,14],dec_rnn_size=20,z_size=12,decoder=hierarchical",
};
enum { NUM_MODELS = sizeof small_models / sizeof *small_models };

/* Evaluation of a model with bf16 GEMMs is, to the bit, that of one without. */
static void evaluation_stays_float32(void **state)
{
    (void)state;
    enum { WINDOWS = 4 };
    for (size_t n = 0; n < NUM_MODELS; n++) {
        struct error error;
        double sums[2][METRIC_MAX_SUMS] = {{0}}, training_sums[METRIC_MAX_SUMS] = {0};
        struct model *model = make_model(engine_of(0), small_models[n], WINDOWS);
        struct model *other = model_make(&model->hparams, WINDOWS, &error);
        assert_ok(other != NULL, error);
        model_initialize(other, 3);
        struct model_step step = {.batch = WINDOWS, .training = true, .seed = 5, .step = 1};
        step.sampling_probability = model->hparams.sampling_rate;
        struct model_gradient gradient = {.scale = 0.25f, .beta = 0.2, .write = OP_REPLACE};
        assert_ok(model_prepare_bf16(model, WINDOWS, &error), error);
        feed(model, &step);
        model_train(model, &step, &gradient, training_sums);
        step.training = false;
        feed(model, &step);
        feed(other, &step);
        model_evaluate(model, &step, sums[0]);
        model_evaluate(other, &step, sums[1]);
        assert_memory_equal(sums[0], sums[1], sizeof sums[0]);
        model_free(model);
        model_free(other);
    }
}

/* The sum of gradients over micro-batches of parts[0], parts[1] ... windows up to a 0, the caller's. */
static double *summed_gradients(struct model *model, const int *parts)
{
    double sums[METRIC_MAX_SUMS] = {0};
    uint32_t first = 0;
    struct error error;
    for (const int *part = parts; *part > 0; part++)
        assert_ok(model_prepare_bf16(model, *part, &error), error);
    for (; *parts > 0; first += (uint32_t)*parts++) {
        struct model_step step = {.batch = *parts, .training = true, .seed = 5, .step = 7, .first_example = first};
        step.sampling_probability = model->hparams.sampling_rate;
        struct model_gradient gradient = {.scale = 0.125f, .beta = 0.2, .write = first > 0 ? OP_ADD : OP_REPLACE};
        feed(model, &step);
        model_train(model, &step, &gradient, sums);
    }
    assert_true(sums[SUM_WINDOWS] == first);
    return naive_to_doubles(model->gradients, model->table.num_floats);
}

/* Micro-batches of different sizes make the whole batch's gradient: the same factors are rounded, so only the order of sums
 * differs. With scheduled sampling the output layer runs step by step. */
static void micro_batches_add_up(void **state)
{
    (void)state;
    enum { WINDOWS = 8, FIRST = 5 };
    for (size_t n = 0; n < NUM_MODELS * NUM_ENGINES; n++) {
        struct bf16_engine *engine = engine_of(n % NUM_ENGINES);
        if (!engine)
            continue;
        struct model *model = make_model(engine, small_models[n / NUM_ENGINES], WINDOWS);
        double *whole = summed_gradients(model, (const int[]){WINDOWS, 0});
        double *parts = summed_gradients(model, (const int[]){FIRST, WINDOWS - FIRST, 0});
        double difference = naive_relative_error(parts, whole, model->table.num_floats);
        if (!(difference > 0 && difference <= 1e-5))
            fail_msg("%s: micro-batches differ from the whole by %.3g", engine->name, difference);
        free(whole);
        free(parts);
        model_free(model);
    }
}

/* ---- Failures ---- */

static int prepared, released, freed, fails_after;

static void *fake_prepare(struct bf16_engine *engine, const struct bf16_shape *shape, struct error *error)
{
    (void)shape;
    if (prepared == fails_after) {
        error_set(error, "no such GEMM");
        return NULL;
    }
    prepared++;
    return engine;
}

static void fake_release(void *gemm)
{
    released += gemm != NULL;
}

static void fake_free(struct bf16_engine *engine)
{
    (void)engine;
    freed++;
}

static void what_cannot_be_prepared_is_reported(void **state)
{
    (void)state;
    enum { ENOUGH = 10000 };
    struct bf16_engine engine = {"fake", false, fake_prepare, fake_release, NULL, NULL, fake_free};
    struct hparams hparams = twin_hparams(&twin_sizes[1]);
    struct error error;
    fails_after = ENOUGH;
    for (int tries = 0; tries < 3; tries++) {
        struct model *model = model_make(&hparams, 4, &error);
        assert_ok(model != NULL, error);
        prepared = released = freed = 0;
        assert_ok(model_use_bf16(model, &engine, &error), error);
        if (tries == 0) {
            assert_ok(model_prepare_bf16(model, 4, &error), error);
            int all = prepared;
            assert_ok(model_prepare_bf16(model, 4, &error), error);
            assert_int_equal(prepared, all);
        } else {
            assert_fails(model_prepare_bf16(model, 4, &error), error, "no such GEMM");
        }
        model_free(model);
        assert_int_equal(released, prepared);
        assert_int_equal(freed, 1);
        fails_after = tries == 0 ? prepared - 1 : 0;
    }
}

static void the_best_engine_says_why(void **state)
{
    (void)state;
    char why[ERROR_MESSAGE_SIZE] = "";
    struct error error;
    struct bf16_engine *engine = bf16_engine_best(why, sizeof why, &error);
    assert_ok(engine != NULL, error);
    assert_true(engine->native == (why[0] == '\0'));
    if (!engine->native)
        assert_string_equal(engine->name, "float32 GEMMs");
    engine->free(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gemms_are_sums_of_rounded_factors),
        cmocka_unit_test(agrees_with_the_rounding_twin),
        cmocka_unit_test(evaluation_stays_float32),
        cmocka_unit_test(micro_batches_add_up),
        cmocka_unit_test(what_cannot_be_prepared_is_reported),
        cmocka_unit_test(the_best_engine_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
