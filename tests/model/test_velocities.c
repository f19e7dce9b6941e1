/* How the data's velocities are distributed given the model's: fitted to hits of a known distribution, and drawn from again. */
#include "model/inference/feel_noise.h"
#include "model/latents/velocities.h"
#include "tests/support/unit.h"

#include <math.h>
#include <stdlib.h>

enum { CLASSES = 3, DEPTH = 3 * CLASSES, DRAWS = 20000 };

static const struct representation representation = {
    .depth = DEPTH,
    .num_heads = 3,
    .heads = {{"hits", HEAD_BERNOULLI, CLASSES, NULL},
              {"velocities", HEAD_SIGMOID, CLASSES, "hits"},
              {"offsets", HEAD_TANH, CLASSES, "hits"}},
};

/* Latents with nothing but room for residuals and velocities, and no hits yet. */
static uint64_t *begin(struct latents *latents)
{
    struct error error;
    const struct latent_counts counts = {
        .size = 1, .classes = CLASSES, .velocity_bins = VELOCITY_BINS, .velocity_quantiles = VELOCITY_QUANTILES};
    uint64_t *pairs = calloc(velocity_pairs_size(CLASSES), sizeof *pairs);
    assert_non_null(pairs);
    assert_ok(latents_make(latents, &counts, &error), error);
    return pairs;
}

static void finish(struct latents *latents, uint64_t *pairs)
{
    struct error error;
    assert_ok(latents_fit_velocities(latents, pairs, &error), error);
    assert_ok(latents_check(latents, &error), error);
    free(pairs);
}

/* Class 0: soft hits of the model are spread evenly over 20 to 60 in the data, of loud ones two in five are at 127 and the others spread
 * over 80 to 126. Class 1 has few hits, class 2 none. */
static void fill(uint64_t *pairs)
{
    struct random_stream stream;
    random_stream_start(&stream, 1, RANDOM_DRUMMER, 0, 0);
    for (int i = 0; i < DRAWS; i++) {
        float model = 0.2f + 0.2f * random_uniform(&stream), place = random_uniform(&stream);
        float data = 20 + 40 * place;
        if (i % 2 == 1) {
            model += 0.4f;
            data = place < 0.4f ? 127 : 80 + 46 * (place - 0.4f) / 0.6f;
        }
        velocity_pairs_add(pairs, 0, model, rintf(data) / 127);
    }
    for (int i = 0; i < VELOCITY_FEW_HITS - 1; i++)
        velocity_pairs_add(pairs, 1, 0.5f, 1.0f / 127);
}

static struct feel_noise noise_from(const struct latents *latents, double velocity, double timing)
{
    const float sd[DEPTH] = {0, 0, 0, 0.1f, 0.1f, 0.1f, 0.2f, 0.2f, 0.2f};
    struct feel_noise noise;
    struct error error;
    assert_ok(feel_noise_make(&noise, &representation, sd, latents, velocity, timing, &error), error);
    return noise;
}

static void draws_are_distributed_as_the_data(void **state)
{
    (void)state;
    struct latents latents;
    struct random_stream stream;
    uint64_t *pairs = begin(&latents);
    fill(pairs);
    finish(&latents, pairs);
    assert_true(fabsf(latents.velocity_means[0] - 0.225f) < 0.01f);
    assert_true(fabsf(latents.velocity_means[VELOCITY_BINS - 1] - 0.775f) < 0.01f);
    struct feel_noise noise = noise_from(&latents, 1, 0);
    assert_true(noise.sd[CLASSES] == 0 && noise.sd[2 * CLASSES] == 0);
    random_stream_start(&stream, 2, RANDOM_FEEL_NOISE, 0, 0);
    int soft = 0, full = 0;
    double sums[2] = {0, 0};
    for (int i = 0; i < DRAWS; i++) {
        const float gate[CLASSES] = {1, 0, 0};
        float velocities[CLASSES] = {i % 2 == 0 ? 0.3f : 0.7f, 0, 0};
        feel_noise_draw_velocities(velocities, gate, &noise, &stream);
        assert_true(velocities[1] == 0 && velocities[2] == 0);
        sums[i % 2] += (double)velocities[0] * 127 * 2 / DRAWS;
        soft += i % 2 == 0 && velocities[0] * 127 < 40;
        full += i % 2 == 1 && velocities[0] * 127 > 126.5f;
    }
    assert_true(fabs(sums[0] - 40) < 0.5);
    assert_true(fabs(sums[1] - (0.4 * 127 + 0.6 * 103)) < 1);
    assert_true(abs(soft - DRAWS / 4) < DRAWS / 40);
    assert_true(abs(full - DRAWS / 5) < DRAWS / 40);
    feel_noise_free(&noise);
    latents_free(&latents);
}

/* The same random numbers never give a louder hit of the model a softer velocity, whatever the data say. */
static void louder_stays_louder(void **state)
{
    (void)state;
    struct latents latents;
    uint64_t *pairs = begin(&latents);
    fill(pairs);
    for (int i = 0; i < DRAWS; i++) /* the loudest hits of the model are among the softest of the data */
        velocity_pairs_add(pairs, 0, 0.9f + 0.1f * (float)i / DRAWS, (float)(i % 100) / 127);
    finish(&latents, pairs);
    for (int half = 0; half < 2; half++) {
        struct feel_noise noise = noise_from(&latents, half ? 0.5 : 1, 1);
        assert_true(noise.sd[CLASSES] == 0 && noise.sd[2 * CLASSES] == 0.2f);
        for (uint32_t draw = 0; draw < 200; draw++) {
            float before = 0;
            for (int level = 0; level <= 100; level++) {
                const float gate[CLASSES] = {1, 1, 1};
                float velocities[CLASSES] = {(float)level / 100, 0.5f, 0.5f};
                struct random_stream stream;
                random_stream_start(&stream, 3, RANDOM_FEEL_NOISE, 0, draw);
                feel_noise_draw_velocities(velocities, gate, &noise, &stream);
                assert_true(velocities[0] >= before && velocities[0] <= 1);
                before = velocities[0];
            }
        }
        feel_noise_free(&noise);
    }
    latents_free(&latents);
}

/* Without noise: from (0, 0) by the bins' medians to (1, 1), whatever is drawn; with half of it, halfway from there. */
static void medians(void **state)
{
    (void)state;
    struct latents latents;
    uint64_t *pairs = begin(&latents);
    fill(pairs);
    finish(&latents, pairs);
    struct feel_noise plain = noise_from(&latents, 0, 0), half = noise_from(&latents, 0.5, 0),
                      whole = noise_from(&latents, 1, 0);
    assert_true(!plain.draws && half.draws && plain.bins == VELOCITY_BINS);
    struct random_stream stream;
    random_stream_start(&stream, 6, RANDOM_FEEL_NOISE, 0, 0);
    const float gate[CLASSES] = {1, 1, 0}, *means = latents.velocity_means;
    float before = 0;
    for (int i = 0; i <= 100; i++) {
        float model = (float)i / 100, low = 0, low_median = 0, high = 1, high_median = 1;
        for (int k = 0; k < VELOCITY_BINS; k++) {
            float median = latents.velocity_quantiles[k * VELOCITY_QUANTILES + VELOCITY_QUANTILES / 2];
            if (means[k] <= model) {
                low = means[k];
                low_median = median;
            } else if (means[k] < high) {
                high = means[k];
                high_median = median;
            }
        }
        float wanted = high > low ? low_median + (model - low) / (high - low) * (high_median - low_median) : 1;
        float velocities[CLASSES] = {model, model, model}, halfway[CLASSES] = {model, model, model},
              drawn[CLASSES] = {model, model, model};
        struct random_stream again = stream, once_more = stream;
        feel_noise_draw_velocities(velocities, gate, &plain, &stream);
        feel_noise_draw_velocities(halfway, gate, &half, &again);
        feel_noise_draw_velocities(drawn, gate, &whole, &once_more);
        assert_true(fabsf(velocities[0] - wanted) < 1e-5f);
        assert_true(fabsf(halfway[0] - (velocities[0] + drawn[0]) / 2) < 1e-5f);
        assert_true(velocities[0] >= before);
        assert_memory_equal(&velocities[2], &model, sizeof model);
        before = velocities[0];
    }
    feel_noise_free(&plain);
    feel_noise_free(&half);
    feel_noise_free(&whole);
    latents_free(&latents);
}

/* A class with few hits, or none, has what all have together; where no class has any, velocities stay the model's. */
static void few_hits(void **state)
{
    (void)state;
    struct latents latents;
    uint64_t *pairs = begin(&latents);
    fill(pairs);
    finish(&latents, pairs);
    size_t bins = VELOCITY_BINS, numbers = bins * VELOCITY_QUANTILES;
    const float *means = latents.velocity_means, *quantiles = latents.velocity_quantiles;
    assert_memory_equal(means + bins, means + 2 * bins, bins * sizeof *means);
    assert_memory_equal(quantiles + numbers, quantiles + 2 * numbers, numbers * sizeof *quantiles);
    assert_memory_not_equal(quantiles, quantiles + numbers, numbers * sizeof *quantiles);
    latents_free(&latents);

    finish(&latents, begin(&latents));
    struct feel_noise noise = noise_from(&latents, 1, 0);
    struct random_stream stream;
    const float gate[CLASSES] = {1, 1, 1};
    random_stream_start(&stream, 4, RANDOM_FEEL_NOISE, 0, 0);
    for (int k = 0; k < VELOCITY_BINS; k++) {
        float wanted = (float)k / (VELOCITY_BINS - 1), velocities[CLASSES] = {wanted, wanted, wanted};
        feel_noise_draw_velocities(velocities, gate, &noise, &stream);
        assert_true(fabsf(velocities[1] - wanted) < 1e-6f);
    }
    feel_noise_free(&noise);
    latents_free(&latents);
}

/* All hits at one level of the model's: every bin is the same, and draws are the data's. */
static void one_level(void **state)
{
    (void)state;
    struct latents latents;
    uint64_t *pairs = begin(&latents);
    for (int i = 0; i < 1000; i++)
        velocity_pairs_add(pairs, 0, 0.5f, (i % 4 == 0 ? 127.0f : 64.0f) / 127);
    finish(&latents, pairs);
    struct feel_noise noise = noise_from(&latents, 1, 0);
    struct random_stream stream;
    random_stream_start(&stream, 5, RANDOM_FEEL_NOISE, 0, 0);
    int full = 0;
    for (int i = 0; i < 4000; i++) {
        const float gate[CLASSES] = {1, 0, 0};
        float velocities[CLASSES] = {(float)(i % 3) / 2, 0, 0};
        feel_noise_draw_velocities(velocities, gate, &noise, &stream);
        full += velocities[0] > 0.99f;
    }
    assert_true(abs(full - 1000) < 150);
    feel_noise_free(&noise);
    latents_free(&latents);
}

/* Without velocities, as files of earlier versions are, the noise is normal. */
static void files_without_them(void **state)
{
    (void)state;
    struct latents latents;
    struct error error;
    const struct latent_counts counts = {.size = 1, .classes = CLASSES};
    assert_ok(latents_make(&latents, &counts, &error), error);
    struct feel_noise noise = noise_from(&latents, 0.5, 0);
    assert_int_equal(noise.bins, 0);
    assert_true(noise.sd[CLASSES] == 0.05f && noise.sd[2 * CLASSES] == 0);
    feel_noise_free(&noise);
    noise = noise_from(&latents, 0, 0);
    assert_null(noise.values);
    latents_free(&latents);
}

static void what_is_read_is_checked(void **state)
{
    (void)state;
    struct latents latents;
    struct error error;
    const float wrong[] = {-0.01f, 1.01f, NAN};
    finish(&latents, begin(&latents));
    float *values[] = {latents.velocity_means + VELOCITY_BINS, latents.velocity_quantiles};
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < 3; k++) {
            float before = *values[i];
            *values[i] = wrong[k];
            assert_fails(latents_check(&latents, &error), error, i == 0 ? "drum 2" : "drum 1");
            *values[i] = before;
        }
        values[i][1] += 0.5f; /* above the next */
        assert_fails(latents_check(&latents, &error), error, "rising order");
        values[i][1] -= 0.5f;
    }
    latents.velocity_quantiles[VELOCITY_QUANTILES - 1] = 0.5f; /* above that of the next bin */
    assert_fails(latents_check(&latents, &error), error, "rising order");
    latents_free(&latents);
    const struct latent_counts counts[] = {
        {.size = 1, .classes = 9, .velocity_bins = LATENTS_MAX_VELOCITY_BINS + 1, .velocity_quantiles = 3                                 },
        {.size = 1, .classes = 9, .velocity_bins = 3,                             .velocity_quantiles = LATENTS_MAX_VELOCITY_QUANTILES + 1},
        {.size = 1, .classes = 9, .velocity_bins = 3,                             .velocity_quantiles = 1                                 },
        {.size = 1, .classes = 9, .velocity_bins = 0,                             .velocity_quantiles = 3                                 },
        {.size = 1, .classes = 0, .velocity_bins = 3,                             .velocity_quantiles = 3                                 },
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        assert_fails(latents_make(&latents, &counts[i], &error), error, "more than allowed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_are_distributed_as_the_data),
        cmocka_unit_test(louder_stays_louder),
        cmocka_unit_test(medians),
        cmocka_unit_test(few_hits),
        cmocka_unit_test(one_level),
        cmocka_unit_test(files_without_them),
        cmocka_unit_test(what_is_read_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
