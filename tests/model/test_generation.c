/* Generation: what the decoder samples step by step is what it would predict under teacher forcing on that same music; a
 * window's music is its own whatever the batch; arcs between latents; scheduled sampling. */
#include "tests/model/model_from_twin.h"
#include "tests/model/naive_batch.h"
#include "tests/model/naive_ops.h"
#include "tests/support/unit.h"

#include "model/inference/generation.h"
#include "model/inference/inference_decoder.h"
#include "model/vae/model.h"

#include <math.h>
#include <stdlib.h>

static const double tolerance = 1e-5;

static const struct naive_sizes all_sizes[] = {
    {false, 3, 2, 16, 0,  4, 1, {5},    2, {6, 7},    0.5, 1, 0, 0, 0, 0},
    {true,  3, 3, 16, 0,  4, 1, {5},    2, {6, 7},    0.5, 1, 0, 0, 0, 0},
    {true,  2, 2, 16, 9,  3, 2, {4, 5}, 1, {9},       0.5, 1, 0, 0, 0, 0},
    {false, 1, 1, 16, 9,  1, 1, {1},    3, {1, 2, 3}, 0.5, 1, 0, 0, 0, 0},
    {true,  2, 2, 16, 27, 3, 2, {4, 5}, 1, {9},       0.5, 1, 0, 0, 0, 0},
    {false, 2, 1, 16, 27, 3, 1, {4},    2, {6, 9},    0.5, 1, 0, 0, 0, 0},
};
enum { NUM_SIZES = sizeof all_sizes / sizeof *all_sizes };

/* A model of made-up weights with a made-up batch in place, a decoder of it, and a z for each window. Controls are the same
 * for all windows. */
struct bench {
    const struct naive_sizes *sizes;
    struct model *model;
    struct inference_decoder *decoder;
    struct inference_scratch *scratch;
    size_t steps, numbers; /* of a window; of a batch's music */
    float *z, *music;      /* music [B, T, D] as sampled */
    float *music_by_time;  /* [T, B, D], the same */
    float *controls;       /* [T, C] */
    bool raw_feedback;     /* what `play` asks for */
};

static void share_controls(struct bench *bench)
{
    size_t batch = bench->sizes->batch, width = bench->sizes->control_depth;
    bench->controls = calloc(bench->steps * width + 1, sizeof(float));
    assert_non_null(bench->controls);
    for (size_t t = 0; t < bench->steps && width > 0; t++) {
        memcpy(&bench->controls[t * width], &bench->model->controls[t * batch * width], width * sizeof(float));
        for (size_t b = 1; b < batch; b++)
            memcpy(&bench->model->controls[(t * batch + b) * width], &bench->controls[t * width],
                   width * sizeof(float));
    }
}

static void bench_make(struct bench *bench, const struct naive_sizes *sizes)
{
    uint64_t seed = 21;
    struct error error;
    struct naive_model *twin = naive_model_make(sizes);
    struct naive_made_up made_up;
    naive_make_up_weights(twin, 1, &seed);
    naive_make_up(&made_up, sizes, &seed);
    *bench = (struct bench){.sizes = sizes, .model = twin_model(sizes, twin)};
    bench->steps = sizes->bars * sizes->steps_per_bar;
    bench->numbers = bench->steps * sizes->batch * NAIVE_DEPTH;
    bench->music = calloc(bench->numbers, sizeof(float));
    bench->music_by_time = calloc(bench->numbers, sizeof(float));
    bench->z = calloc(sizes->batch * sizes->z_size, sizeof(float));
    assert_true(bench->music != NULL && bench->music_by_time != NULL && bench->z != NULL);
    twin_set_batch(bench->model, sizes, &made_up.batch);
    share_controls(bench);
    const struct model *model = bench->model;
    bench->decoder = inference_decoder_make(&model->hparams, &model->table, model->values, true, &error);
    assert_non_null(bench->decoder);
    bench->scratch = inference_scratch_make(bench->decoder, (int)sizes->batch, &error);
    assert_non_null(bench->scratch);
    generation_draw_latents(bench->z, (int)sizes->batch, (int)sizes->z_size, 3, 0);
    naive_made_up_free(&made_up);
    naive_model_free(twin);
}

static void bench_free(struct bench *bench)
{
    inference_scratch_free(bench->scratch);
    inference_decoder_free(bench->decoder);
    model_free(bench->model);
    free(bench->controls);
    free(bench->music_by_time);
    free(bench->music);
    free(bench->z);
}

static void play(struct bench *bench, float temperature, uint64_t seed, uint32_t first_output)
{
    size_t batch = bench->sizes->batch;
    struct inference_request request = {
        .batch = (int)batch,
        .controls = bench->sizes->control_depth > 0 ? bench->controls : NULL,
        .raw_feedback = bench->raw_feedback,
        .temperature = temperature,
        .seed = seed,
        .first_output = first_output,
    };
    inference_decode(bench->music, bench->z, bench->decoder, bench->scratch, &request);
    for (size_t b = 0; b < batch; b++)
        for (size_t t = 0; t < bench->steps; t++)
            memcpy(&bench->music_by_time[(t * batch + b) * NAIVE_DEPTH],
                   &bench->music[(b * bench->steps + t) * NAIVE_DEPTH], NAIVE_DEPTH * sizeof(float));
}

/* The outputs under teacher forcing on `target`, owned by the caller. */
static float *predict(const struct bench *bench, const float *target, const struct decoder_sampling *sampling)
{
    struct model *model = bench->model;
    struct pass pass = {.batch = (int)bench->sizes->batch, .keep_prob = 1, .kernels = model->kernels};
    pass.values = model->values;
    float *outputs = calloc(bench->numbers, sizeof *outputs);
    assert_non_null(outputs);
    decoder_forward(&model->decoder, &pass, bench->z, target, model->controls, sampling);
    twin_outputs(outputs, &model->decoder, bench->sizes->batch);
    return outputs;
}

static void assert_near(float value, double expected)
{
    if (!(fabs((double)value - expected) <= tolerance))
        fail_msg("%.9g, not %.9g", (double)value, expected);
}

/* One class's music beside its outputs; `given`: values are what they are given that there is a hit, offsets too
 * where it was `drawn`. */
static void check_values(const float *music, const float *outputs, bool hit, bool given, bool drawn)
{
    double probability = given ? fmax(naive_sigmoid((double)outputs[0]), 0.02) : 1;
    double velocity = naive_sigmoid((double)outputs[NAIVE_CLASSES]) / probability;
    double offset = tanh((double)outputs[2 * NAIVE_CLASSES]) / (drawn ? probability : 1);
    assert_true(music[0] == (hit ? 1.0f : 0.0f));
    assert_near(music[NAIVE_CLASSES], hit ? fmin(1, velocity) : 0);
    assert_near(music[2 * NAIVE_CLASSES], hit ? fmax(-1, fmin(1, offset)) : 0);
}

/* One step's music beside the outputs that predict it. Returns the hits. */
static int check_step(const float *music, const float *outputs, bool cold, bool given)
{
    int hits = 0;
    for (int k = 0; k < NAIVE_CLASSES; k++) {
        bool hit = music[k] > 0.5f;
        if (cold && fabsf(outputs[k]) > 1e-3f)
            assert_true(hit == (outputs[k] > 0));
        check_values(music + k, outputs + k, hit, given, true);
        hits += hit;
    }
    return hits;
}

static void check_play(const struct naive_sizes *sizes, float temperature, bool cold)
{
    struct bench bench;
    bench_make(&bench, sizes);
    play(&bench, temperature, 4, 0);
    float *outputs = predict(&bench, bench.music_by_time, NULL);
    int hits = 0;
    for (size_t n = 0; n < bench.numbers; n += NAIVE_DEPTH)
        hits += check_step(&bench.music_by_time[n], &outputs[n], cold, sizes->control_depth != 9);
    assert_true(hits > 0);
    assert_true((size_t)hits < bench.numbers / 3);
    free(outputs);
    bench_free(&bench);
}

static void plays_what_it_predicts(void **state)
{
    (void)state;
    for (size_t n = 0; n < NUM_SIZES; n++) {
        check_play(&all_sizes[n], 1, false);
        check_play(&all_sizes[n], 1e-6f, true);
    }
}

/* Music to keep the hits of, a third of the cells hit, by a rule that has nothing to do with the model; [B, T, D]. */
static float *make_kept(const struct bench *bench)
{
    float *kept = calloc(bench->numbers, sizeof *kept);
    assert_non_null(kept);
    for (size_t n = 0; n < bench->numbers; n++)
        kept[n] = n % NAIVE_DEPTH < NAIVE_CLASSES && n * 2654435761u / 65536 % 3 == 0 ? 1.0f : 0.0f;
    return kept;
}

static struct inference_request keeping_request(const struct bench *bench, const float *kept)
{
    return (struct inference_request){
        .batch = (int)bench->sizes->batch,
        .controls = bench->sizes->control_depth > 0 ? bench->controls : NULL,
        .kept = kept,
        .kept_stride = bench->steps * NAIVE_DEPTH,
        .temperature = 1,
        .seed = 4,
    };
}

/* Every hit is that of `kept`; its velocity and offset are what the model gives to them under teacher forcing on what was fed
 * back, velocities as they are given a hit. */
static void keeps_hits(void **state)
{
    (void)state;
    for (size_t n = 0; n < NUM_SIZES; n++) {
        struct bench bench;
        bench_make(&bench, &all_sizes[n]);
        size_t batch = bench.sizes->batch;
        float *kept = make_kept(&bench);
        struct inference_request request = keeping_request(&bench, kept);
        inference_decode(bench.music, bench.z, bench.decoder, bench.scratch, &request);
        for (size_t b = 0; b < batch; b++)
            for (size_t t = 0; t < bench.steps; t++)
                memcpy(&bench.music_by_time[(t * batch + b) * NAIVE_DEPTH],
                       &bench.music[(b * bench.steps + t) * NAIVE_DEPTH], NAIVE_DEPTH * sizeof(float));
        float *outputs = predict(&bench, bench.music_by_time, NULL);
        for (size_t row = 0; row < batch * bench.steps; row++)
            for (size_t k = 0; k < NAIVE_CLASSES; k++) {
                const float *music = &bench.music_by_time[row * NAIVE_DEPTH], *output = &outputs[row * NAIVE_DEPTH];
                size_t t = row / batch, b = row % batch;
                bool hit = kept[(b * bench.steps + t) * NAIVE_DEPTH + k] > 0;
                check_values(music + k, output + k, hit, bench.sizes->control_depth != 9, false);
            }
        free(outputs);
        free(kept);
        bench_free(&bench);
    }
}

/* The activations of all velocities and offsets. */
static void activate(float *raw, const float *outputs, size_t numbers)
{
    for (size_t n = 0; n < numbers; n += NAIVE_DEPTH)
        for (size_t k = NAIVE_CLASSES; k < NAIVE_DEPTH; k++)
            raw[n + k] =
                (float)(k < 2 * NAIVE_CLASSES ? naive_sigmoid((double)outputs[n + k]) : tanh((double)outputs[n + k]));
}

/* With raw feedback every step is what the model predicts from the step before with all its velocities and offsets, whether
 * drums are hit or not. Teacher forcing on what it predicts itself finds that music step by step. */
static void feeds_raw_outputs_back(void **state)
{
    (void)state;
    for (size_t n = 0; n < NUM_SIZES; n++) {
        struct bench bench;
        bench_make(&bench, &all_sizes[n]);
        bench.raw_feedback = true;
        play(&bench, 1, 4, 0);
        float *raw = calloc(bench.numbers, sizeof *raw), *outputs = NULL;
        assert_non_null(raw);
        memcpy(raw, bench.music_by_time, bench.numbers * sizeof *raw);
        for (size_t t = 0; t <= bench.steps; t++) {
            free(outputs);
            outputs = predict(&bench, raw, NULL);
            activate(raw, outputs, bench.numbers);
        }
        for (size_t i = 0; i < bench.numbers; i += NAIVE_DEPTH)
            check_step(&bench.music_by_time[i], &outputs[i], false, false);
        memcpy(raw, bench.music, bench.numbers * sizeof *raw);
        bench.raw_feedback = false;
        play(&bench, 1, 4, 0);
        assert_memory_not_equal(raw, bench.music, bench.numbers * sizeof *raw);
        free(outputs);
        free(raw);
        bench_free(&bench);
    }
}

/* Noise is drawn from the seed and the window's number, has the deviation that is asked for, reaches hits alone, and leaves
 * numbers within their range. Of the first step, for later ones are fed what was drawn. */
static void noise_has_its_deviation(void **state)
{
    enum { WINDOWS = 4000 };
    static const float deviation = 0.05f;
    size_t hit = 0;
    struct bench bench;
    struct error error;
    (void)state;
    bench_make(&bench, &all_sizes[0]);
    size_t window = bench.steps * NAIVE_DEPTH, z_size = bench.sizes->z_size;
    float noise_sd[NAIVE_DEPTH] = {0};
    const struct feel_noise noise_of_sd = {.depth = NAIVE_DEPTH, .values = noise_sd, .sd = noise_sd};
    float *kept = calloc(window, sizeof *kept), *plain = calloc(window, sizeof *plain),
          *music = calloc(WINDOWS * window, sizeof *music), *z = calloc(WINDOWS * z_size, sizeof *z);
    struct inference_scratch *scratch = inference_scratch_make(bench.decoder, WINDOWS, &error);
    assert_true(kept && plain && music && z && scratch);
    struct inference_request request = keeping_request(&bench, kept);
    request.kept_stride = 0;
    request.batch = 1;
    for (bool within = false; !within; hit++) { /* a class whose offset is well within its range */
        assert_true(hit < NAIVE_CLASSES - 1);
        memset(kept, 0, NAIVE_DEPTH * sizeof *kept);
        kept[hit] = 1;
        inference_decode(plain, z, bench.decoder, scratch, &request);
        within = fabsf(plain[2 * NAIVE_CLASSES + hit]) < 0.7f;
    }
    hit--;
    size_t offset = 2 * NAIVE_CLASSES + hit;
    noise_sd[offset] = noise_sd[offset + 1] = deviation;
    noise_sd[NAIVE_CLASSES + hit] = 100;
    request.batch = WINDOWS;
    request.noise = &noise_of_sd;
    inference_decode(music, z, bench.decoder, scratch, &request);
    double sum = 0, squares = 0;
    for (size_t b = 0; b < WINDOWS; b++) {
        const float *row = music + b * window;
        double noise = (double)row[offset] - (double)plain[offset];
        sum += noise;
        squares += noise * noise;
        assert_true(row[offset + 1] == 0.0f && row[hit] == 1.0f);
        assert_true(row[NAIVE_CLASSES + hit] >= 0.0f && row[NAIVE_CLASSES + hit] <= 1.0f);
    }
    assert_true(fabs(sum / WINDOWS) < 5 * (double)deviation / sqrt(WINDOWS));
    assert_true(fabs(sqrt(squares / WINDOWS) / (double)deviation - 1) < 0.06);
    struct inference_request last = request;
    last.batch = 1;
    last.first_output = WINDOWS - 1;
    inference_decode(plain, z, bench.decoder, scratch, &last);
    assert_memory_equal(plain, music + (WINDOWS - 1) * window, window * sizeof *plain);
    inference_scratch_free(scratch);
    free(z);
    free(music);
    free(plain);
    free(kept);
    bench_free(&bench);
}

/* What is fed before the first step decides what is played, and windows may have controls of their own. */
static void windows_have_a_past_and_controls(void **state)
{
    (void)state;
    for (size_t n = 0; n < NUM_SIZES; n++) {
        struct bench bench;
        bench_make(&bench, &all_sizes[n]);
        size_t batch = bench.sizes->batch, window = bench.steps * NAIVE_DEPTH,
               width = bench.steps * bench.sizes->control_depth;
        float *kept = make_kept(&bench), *alone = calloc(window, sizeof *alone);
        float *before = calloc(batch * NAIVE_DEPTH, sizeof *before),
              *controls = calloc(batch * width + 1, sizeof *kept);
        assert_true(before && controls && alone);
        for (size_t i = 0; i < batch * NAIVE_DEPTH; i++)
            before[i] = (float)(i % 5) / 5;
        for (size_t i = 0; i < batch * width; i++)
            controls[i] = (float)(i % 7) / 7;
        struct inference_request request = keeping_request(&bench, kept);
        inference_decode(bench.music, bench.z, bench.decoder, bench.scratch, &request);
        memcpy(alone, bench.music + (batch - 1) * window, window * sizeof *alone);
        request.before = before;
        request.controls = controls;
        request.controls_stride = width;
        inference_decode(bench.music, bench.z, bench.decoder, bench.scratch, &request);
        assert_memory_not_equal(alone, bench.music + (batch - 1) * window, window * sizeof *alone);
        struct inference_request last = request;
        last.batch = 1;
        last.before += (batch - 1) * NAIVE_DEPTH;
        last.controls += (batch - 1) * width;
        last.kept += (batch - 1) * window;
        last.first_output = (uint32_t)batch - 1;
        inference_decode(alone, bench.z + (batch - 1) * bench.sizes->z_size, bench.decoder, bench.scratch, &last);
        assert_memory_equal(alone, bench.music + (batch - 1) * window, window * sizeof *alone);
        free(controls);
        free(before);
        free(alone);
        free(kept);
        bench_free(&bench);
    }
}

/* Taught by the music that it played itself the decoder plays the same; by other music another, but for the first step. */
static void is_taught_by_other_music(void **state)
{
    (void)state;
    for (size_t n = 0; n < NUM_SIZES; n++) {
        struct bench bench;
        bench_make(&bench, &all_sizes[n]);
        size_t batch = bench.sizes->batch, window = bench.steps * NAIVE_DEPTH;
        float *taught = calloc(batch * window, sizeof *taught);
        assert_non_null(taught);
        struct inference_request request = {
            .batch = (int)batch,
            .controls = bench.sizes->control_depth > 0 ? bench.controls : NULL,
            .temperature = 1,
            .seed = 6,
        };
        inference_decode(bench.music, bench.z, bench.decoder, bench.scratch, &request);
        memcpy(taught, bench.music, batch * window * sizeof *taught);
        request.taught = taught;
        request.taught_stride = window;
        inference_decode(bench.music, bench.z, bench.decoder, bench.scratch, &request);
        assert_memory_equal(bench.music, taught, batch * window * sizeof *taught);
        float *other = calloc(batch * window, sizeof *other);
        assert_non_null(other);
        for (size_t i = 0; i < batch * window; i++)
            other[i] = 7;
        request.taught = other;
        inference_decode(bench.music, bench.z, bench.decoder, bench.scratch, &request);
        for (size_t b = 0; b < batch; b++) {
            assert_memory_equal(bench.music + b * window, taught + b * window, NAIVE_DEPTH * sizeof *taught);
            assert_memory_not_equal(bench.music + b * window, taught + b * window, window * sizeof *taught);
        }
        free(other);
        free(taught);
        bench_free(&bench);
    }
}

/* Bit for bit: rows of 1 to 17 and the batch's own number, in a scratch of another size. */
static void a_window_does_not_depend_on_its_batch(void **state)
{
    enum { MOST = 17 };
    (void)state;
    for (size_t n = 0; n < NUM_SIZES; n++) {
        const struct naive_sizes *sizes = &all_sizes[n];
        struct bench bench;
        struct error error;
        bench_make(&bench, sizes);
        size_t window = bench.steps * NAIVE_DEPTH;
        float *z = calloc(MOST * sizes->z_size, sizeof *z), *alone = calloc(window, sizeof *alone),
              *music = calloc(MOST * window, sizeof *music);
        struct inference_scratch *scratch = inference_scratch_make(bench.decoder, MOST, &error);
        assert_true(z != NULL && alone != NULL && music != NULL && scratch != NULL);
        generation_draw_latents(z, MOST, (int)sizes->z_size, 5, 30);
        struct inference_request request = {
            .controls = bench.controls, .temperature = 1, .seed = 5, .first_output = 30};
        for (request.batch = 1; request.batch <= MOST; request.batch++)
            for (int again = 0; again < 2; again++) {
                inference_decode(music, z, bench.decoder, scratch, &request);
                size_t last = (size_t)request.batch - 1;
                struct inference_request one = request;
                one.batch = 1;
                one.first_output += (uint32_t)last;
                inference_decode(alone, &z[last * sizes->z_size], bench.decoder, bench.scratch, &one);
                assert_memory_equal(alone, &music[last * window], window * sizeof *alone);
            }
        inference_scratch_free(scratch);
        free(music);
        free(alone);
        free(z);
        bench_free(&bench);
    }
}

/* The mean that the decoder finds is the one that the model finds. */
static void encodes_as_the_model_does(void **state)
{
    (void)state;
    for (size_t n = 0; n < NUM_SIZES; n++) {
        const struct naive_sizes *sizes = &all_sizes[n];
        struct bench bench;
        bench_make(&bench, sizes);
        float *mu = calloc(sizes->z_size, sizeof *mu), *input = calloc(bench.steps * NAIVE_DEPTH, sizeof *input);
        assert_true(mu != NULL && input != NULL);
        const struct model_step step = {.batch = (int)sizes->batch};
        double sums[METRIC_MAX_SUMS] = {0}, largest = 0;
        model_evaluate(bench.model, &step, sums);
        for (size_t b = 0; b < sizes->batch; b++) {
            for (size_t t = 0; t < bench.steps; t++)
                memcpy(&input[t * NAIVE_DEPTH], &bench.model->input[(t * sizes->batch + b) * NAIVE_DEPTH],
                       NAIVE_DEPTH * sizeof *input);
            inference_encode(mu, input, bench.controls, bench.decoder, bench.scratch);
            for (size_t k = 0; k < sizes->z_size; k++) {
                double expected = (double)bench.model->encoder.mu[b * sizes->z_size + k];
                assert_near(mu[k], expected);
                largest = fmax(largest, fabs(expected));
            }
        }
        assert_true(largest > 0.01);
        free(input);
        free(mu);
        bench_free(&bench);
    }
}

static void temperature_spreads_hits(void **state)
{
    (void)state;
    struct bench bench;
    bench_make(&bench, &all_sizes[1]);
    double hits[2] = {0};
    const float temperatures[2] = {1e-6f, 1e6f};
    for (int n = 0; n < 2; n++) {
        play(&bench, temperatures[n], 6, 0);
        for (size_t k = 0; k < bench.numbers; k++)
            hits[n] += k % NAIVE_DEPTH < NAIVE_CLASSES && bench.music[k] > 0.5f;
    }
    double all = (double)bench.numbers / 3;
    assert_true(fabs(hits[1] / all - 0.5) < 0.05);
    assert_true(fabs(hits[0] - hits[1]) > 0);
    bench_free(&bench);
}

/* A probability so small that it never comes about takes the way step by step, and must give what all steps at once give. */
static void sampling_that_never_comes_is_teacher_forcing(void **state)
{
    (void)state;
    for (size_t n = 0; n < NUM_SIZES; n++) {
        struct bench bench;
        bench_make(&bench, &all_sizes[n]);
        struct decoder_sampling sampling = {.probability = 1e-30, .seed = 1, .step = 1};
        float *expected = predict(&bench, bench.model->target, NULL);
        float *outputs = predict(&bench, bench.model->target, &sampling);
        for (size_t k = 0; k < bench.numbers; k++)
            assert_near(outputs[k], (double)expected[k]);
        free(expected);
        free(outputs);
        bench_free(&bench);
    }
}

/* With probability 1 only the first step of each of the decoder's pieces is fed the truth. */
static void sampling_that_always_comes_forgets_the_truth(void **state)
{
    (void)state;
    for (size_t n = 0; n < NUM_SIZES; n++) {
        struct bench bench;
        bench_make(&bench, &all_sizes[n]);
        size_t window = bench.sizes->batch * NAIVE_DEPTH, steps = bench.sizes->bars * bench.sizes->steps_per_bar;
        size_t piece = bench.sizes->hierarchical ? bench.sizes->steps_per_bar : steps;
        struct decoder_sampling sampling = {.probability = 1, .seed = 1, .step = 1};
        float *outputs = predict(&bench, bench.model->target, &sampling);
        for (size_t t = 0; t < steps; t++)
            for (size_t k = 0; k < window && t % piece != piece - 1; k++)
                bench.model->target[t * window + k] = 7;
        float *again = predict(&bench, bench.model->target, &sampling);
        assert_memory_equal(outputs, again, bench.numbers * sizeof *outputs);
        free(outputs);
        free(again);
        bench_free(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plays_what_it_predicts),
        cmocka_unit_test(a_window_does_not_depend_on_its_batch),
        cmocka_unit_test(keeps_hits),
        cmocka_unit_test(feeds_raw_outputs_back),
        cmocka_unit_test(noise_has_its_deviation),
        cmocka_unit_test(windows_have_a_past_and_controls),
        cmocka_unit_test(is_taught_by_other_music),
        cmocka_unit_test(encodes_as_the_model_does),
        cmocka_unit_test(temperature_spreads_hits),
        cmocka_unit_test(sampling_that_never_comes_is_teacher_forcing),
        cmocka_unit_test(sampling_that_always_comes_forgets_the_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
