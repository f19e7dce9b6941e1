/* Playing: what the decoder plays step by step is what it would foretell under teacher forcing on that same music; a
 * window's music is its own whatever the batch; arcs between latents; scheduled sampling. */
#include "model_from_twin.h"
#include "naive_batch.h"
#include "naive_ops.h"

#include "model/generation.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double tolerance = 1e-5;

static const struct naive_sizes all_sizes[] = {
    {false, 3, 2, 16, 0, 4, 1, {5},    2, {6, 7},    0.5, 1, 0},
    {true,  3, 3, 16, 0, 4, 1, {5},    2, {6, 7},    0.5, 1, 0},
    {true,  2, 2, 16, 9, 3, 2, {4, 5}, 1, {9},       0.5, 1, 0},
    {false, 1, 1, 16, 9, 1, 1, {1},    3, {1, 2, 3}, 0.5, 1, 0},
};
enum { NUM_SIZES = sizeof all_sizes / sizeof *all_sizes };

/* A model of made-up weights with a made-up batch in place, and a z for each window. */
struct player {
    const struct naive_sizes *sizes;
    struct model *model;
    size_t numbers; /* of a batch's music */
    float *z, *music;
};

static void player_make(struct player *player, const struct naive_sizes *sizes)
{
    uint64_t seed = 21;
    struct naive_model *twin = naive_model_make(sizes);
    struct naive_made_up made_up;
    naive_make_up_weights(twin, 1, &seed);
    naive_make_up(&made_up, sizes, &seed);
    player->sizes = sizes;
    player->model = twin_model(sizes, twin);
    player->numbers = sizes->bars * sizes->steps_per_bar * sizes->batch * NAIVE_DEPTH;
    player->music = calloc(player->numbers, sizeof(float));
    player->z = calloc(sizes->batch * sizes->z_size, sizeof(float));
    assert_true(player->music != NULL && player->z != NULL);
    twin_set_batch(player->model, sizes, &made_up.batch);
    generation_draw_latents(player->z, (int)sizes->batch, (int)sizes->z_size, 3, 0);
    naive_made_up_free(&made_up);
    naive_model_free(twin);
}

static void player_free(struct player *player)
{
    model_free(player->model);
    free(player->music);
    free(player->z);
}

/* The outputs under teacher forcing on `target`, owned by the caller. */
static float *foretell(const struct player *player, const float *target, const struct decoder_sampling *sampling)
{
    struct model *model = player->model;
    struct pass pass = {.batch = (int)player->sizes->batch, .keep_prob = 1, .kernels = model->kernels};
    pass.values = model->values;
    float *outputs = calloc(player->numbers, sizeof *outputs);
    assert_non_null(outputs);
    decoder_forward(&model->decoder, &pass, player->z, target, model->controls, sampling);
    decoder_copy_outputs(&model->decoder, outputs, pass.batch);
    return outputs;
}

static void assert_near(float value, double expected)
{
    if (!(fabs((double)value - expected) <= tolerance))
        fail_msg("%.9g, not %.9g", (double)value, expected);
}

/* One step's music beside the outputs that foretell it. Returns the hits. */
static int check_step(const float *music, const float *outputs, bool cold)
{
    int hits = 0;
    for (int k = 0; k < NAIVE_CLASSES; k++) {
        bool hit = music[k] > 0.5f;
        assert_true(music[k] == (hit ? 1.0f : 0.0f));
        if (cold && fabsf(outputs[k]) > 1e-3f)
            assert_true(hit == (outputs[k] > 0));
        assert_near(music[NAIVE_CLASSES + k], hit ? naive_sigmoid((double)outputs[NAIVE_CLASSES + k]) : 0);
        assert_near(music[2 * NAIVE_CLASSES + k], hit ? tanh((double)outputs[2 * NAIVE_CLASSES + k]) : 0);
        hits += hit;
    }
    return hits;
}

static void check_play(const struct naive_sizes *sizes, float temperature, bool cold)
{
    struct player player;
    player_make(&player, sizes);
    generation_play(player.model, player.music, player.z, (int)sizes->batch, temperature, 4, 0);
    float *outputs = foretell(&player, player.music, NULL);
    int hits = 0;
    for (size_t n = 0; n < player.numbers; n += NAIVE_DEPTH)
        hits += check_step(&player.music[n], &outputs[n], cold);
    assert_true(hits > 0);
    assert_true((size_t)hits < player.numbers / 3);
    free(outputs);
    player_free(&player);
}

static void plays_what_it_foretells(void **state)
{
    (void)state;
    for (size_t n = 0; n < NUM_SIZES; n++) {
        check_play(&all_sizes[n], 1, false);
        check_play(&all_sizes[n], 1e-6f, true);
    }
}

static void a_window_does_not_depend_on_its_batch(void **state)
{
    (void)state;
    for (size_t n = 0; n < NUM_SIZES; n++) {
        const struct naive_sizes *sizes = &all_sizes[n];
        struct player player;
        player_make(&player, sizes);
        size_t steps = sizes->bars * sizes->steps_per_bar, controls = sizes->control_depth;
        float *alone = calloc(steps * NAIVE_DEPTH, sizeof *alone);
        assert_non_null(alone);
        generation_play(player.model, player.music, player.z, (int)sizes->batch, 1, 5, 30);
        size_t last = sizes->batch - 1;
        for (size_t t = 0; t < steps && controls > 0; t++)
            memmove(&player.model->controls[t * controls],
                    &player.model->controls[(t * sizes->batch + last) * controls], controls * sizeof(float));
        generation_play(player.model, alone, &player.z[last * sizes->z_size], 1, 1, 5, 30 + (uint32_t)last);
        for (size_t t = 0; t < steps; t++)
            for (size_t k = 0; k < NAIVE_DEPTH; k++)
                assert_near(alone[t * NAIVE_DEPTH + k],
                            (double)player.music[(t * sizes->batch + last) * NAIVE_DEPTH + k]);
        free(alone);
        player_free(&player);
    }
}

static void temperature_spreads_hits(void **state)
{
    (void)state;
    struct player player;
    player_make(&player, &all_sizes[1]);
    double hits[2] = {0};
    const float temperatures[2] = {1e-6f, 1e6f};
    for (int n = 0; n < 2; n++) {
        generation_play(player.model, player.music, player.z, (int)player.sizes->batch, temperatures[n], 6, 0);
        for (size_t k = 0; k < player.numbers; k++)
            hits[n] += k % NAIVE_DEPTH < NAIVE_CLASSES && player.music[k] > 0.5f;
    }
    double all = (double)player.numbers / 3;
    assert_true(fabs(hits[1] / all - 0.5) < 0.05);
    assert_true(fabs(hits[0] - hits[1]) > 0);
    player_free(&player);
}

/* A probability so small that it never comes about takes the way step by step, and must give what all steps at once give. */
static void sampling_that_never_comes_is_teacher_forcing(void **state)
{
    (void)state;
    for (size_t n = 0; n < NUM_SIZES; n++) {
        struct player player;
        player_make(&player, &all_sizes[n]);
        struct decoder_sampling sampling = {.probability = 1e-30, .seed = 1, .step = 1};
        float *expected = foretell(&player, player.model->target, NULL);
        float *outputs = foretell(&player, player.model->target, &sampling);
        for (size_t k = 0; k < player.numbers; k++)
            assert_near(outputs[k], (double)expected[k]);
        free(expected);
        free(outputs);
        player_free(&player);
    }
}

/* With probability 1 only the first step of each of the decoder's pieces is fed the truth. */
static void sampling_that_always_comes_forgets_the_truth(void **state)
{
    (void)state;
    for (size_t n = 0; n < NUM_SIZES; n++) {
        struct player player;
        player_make(&player, &all_sizes[n]);
        size_t window = player.sizes->batch * NAIVE_DEPTH, steps = player.sizes->bars * player.sizes->steps_per_bar;
        size_t piece = player.sizes->hierarchical ? player.sizes->steps_per_bar : steps;
        struct decoder_sampling sampling = {.probability = 1, .seed = 1, .step = 1};
        float *outputs = foretell(&player, player.model->target, &sampling);
        for (size_t t = 0; t < steps; t++)
            for (size_t k = 0; k < window && t % piece != piece - 1; k++)
                player.model->target[t * window + k] = 7;
        float *again = foretell(&player, player.model->target, &sampling);
        assert_memory_equal(outputs, again, player.numbers * sizeof *outputs);
        free(outputs);
        free(again);
        player_free(&player);
    }
}

static void latents_are_normal_and_their_own(void **state)
{
    (void)state;
    enum { COUNT = 500, SIZE = 7 };
    float z[COUNT * SIZE], one[SIZE];
    double sum = 0, squares = 0;
    generation_draw_latents(z, COUNT, SIZE, 8, 100);
    for (int n = 0; n < COUNT * SIZE; n++) {
        sum += (double)z[n];
        squares += (double)z[n] * (double)z[n];
    }
    assert_true(fabs(sum / (COUNT * SIZE)) < 0.06);
    assert_true(fabs(squares / (COUNT * SIZE) - 1) < 0.1);
    generation_draw_latents(one, 1, SIZE, 8, 142);
    assert_memory_equal(one, &z[42 * SIZE], sizeof one);
    generation_draw_latents(one, 1, SIZE, 9, 142);
    assert_memory_not_equal(one, &z[42 * SIZE], sizeof one);
}

static void slerp_follows_the_arc(void **state)
{
    (void)state;
    const float a[3] = {2, 0, 0}, b[3] = {0, 0, 2};
    float out[3];
    for (int n = 0; n <= 8; n++) {
        double fraction = n / 8.0, angle = fraction * acos(0);
        generation_slerp(out, a, b, fraction, 3);
        assert_near(out[0], 2 * cos(angle));
        assert_near(out[1], 0);
        assert_near(out[2], 2 * sin(angle));
    }
    generation_slerp(out, a, b, 0, 3);
    assert_memory_equal(out, a, sizeof a);
    generation_slerp(out, a, b, 1, 3);
    assert_memory_equal(out, b, sizeof b);
}

/* Where there is no arc, or no single one, the way is the straight line. */
static void slerp_without_an_arc_is_a_line(void **state)
{
    (void)state;
    const float a[2] = {1, 2}, longer[2] = {3, 6}, opposite[2] = {-1, -2}, zero[2] = {0, 0};
    const float *ends[] = {a, longer, opposite, zero};
    float out[2];
    for (size_t n = 0; n < sizeof ends / sizeof *ends; n++) {
        generation_slerp(out, a, ends[n], 0.25, 2);
        for (int k = 0; k < 2; k++)
            assert_near(out[k], 0.75 * (double)a[k] + 0.25 * (double)ends[n][k]);
    }
    generation_slerp(out, zero, zero, 0.5, 2);
    assert_memory_equal(out, zero, sizeof zero);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plays_what_it_foretells),
        cmocka_unit_test(a_window_does_not_depend_on_its_batch),
        cmocka_unit_test(temperature_spreads_hits),
        cmocka_unit_test(sampling_that_never_comes_is_teacher_forcing),
        cmocka_unit_test(sampling_that_always_comes_forgets_the_truth),
        cmocka_unit_test(latents_are_normal_and_their_own),
        cmocka_unit_test(slerp_follows_the_arc),
        cmocka_unit_test(slerp_without_an_arc_is_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
