/* Latent densities: fitted to draws of known distributions, and drawn from again; mixtures, styles and directions. */
#include "base/random.h"
#include "model/latents/fit.h"
#include "model/latents/gaussian.h"
#include "model/latents/mixture.h"
#include "tests/support/unit.h"

#include <math.h>
#include <stdio.h>

enum { Z = 3, MANY = 4000 };

/* z = mean + factor * n with the lower triangular factor below. */
static const float mean[Z] = {1.0f, -2.0f, 0.5f};
static const float factor[Z][Z] = {
    {2.0f,  0,     0    },
    {-0.5f, 0.25f, 0    },
    {0.3f,  0.1f,  0.05f}
};

/* What is fitted to: one performance every four windows, and what is said of it. */
struct data {
    float mu[MANY * Z];
    uint32_t performance[MANY];
    int wide[MANY], narrow[MANY];
    double attributes[MANY * 2];
    char said[8192];
};

static struct data data;

static void note(void *context, const char *text)
{
    struct data *to = context;
    size_t used = strlen(to->said);
    snprintf(to->said + used, sizeof to->said - used, "%s\n", text);
}

static const struct latents_report to_data = {.say = note, .context = &data};
static const char *const styles[] = {"rock", "rock/slow", "jazz"};
static const char *const attributes[] = {"density", "swing"};

static struct latent_samples samples_of(size_t count)
{
    data.said[0] = '\0';
    for (size_t i = 0; i < MANY; i++) {
        data.performance[i] = (uint32_t)(i / 4);
        data.wide[i] = data.narrow[i] = -1;
        data.attributes[2 * i] = data.attributes[2 * i + 1] = NAN;
    }
    return (struct latent_samples){
        .size = Z,
        .count = count,
        .mu = data.mu,
        .performance = data.performance,
        .num_styles = 3,
        .style_names = styles,
        .styles = {data.wide, data.narrow},
        .num_attributes = 2,
        .attribute_names = attributes,
        .attributes = data.attributes,
    };
}

static void fill_normals(float *z, int count, uint64_t seed)
{
    struct random_stream stream;
    random_stream_start(&stream, seed, RANDOM_SAMPLED_LATENT, 0, 0);
    random_fill_normal(z, (size_t)count * Z, &stream);
}

static void draw_known(float *vector, const float *normals)
{
    for (int i = 0; i < Z; i++) {
        vector[i] = mean[i];
        for (int j = 0; j <= i; j++)
            vector[i] += factor[i][j] * normals[j];
    }
}

static void fill_known(uint64_t seed)
{
    static float normals[MANY * Z];
    fill_normals(normals, MANY, seed);
    for (int i = 0; i < MANY; i++)
        draw_known(data.mu + (size_t)i * Z, normals + (size_t)i * Z);
}

/* Whether a density's draws have about these means and standard deviations. */
static void check_draws(const struct latents *latents, enum latent_density density, int style, const double *means,
                        const double *deviations)
{
    static float z[MANY * Z];
    fill_normals(z, MANY, 77);
    latents_apply(z, MANY, latents, density, style, 5, 0, 0);
    for (int i = 0; i < Z; i++) {
        double sum = 0, squares = 0;
        for (int row = 0; row < MANY; row++) {
            sum += (double)z[row * Z + i];
            squares += (double)z[row * Z + i] * (double)z[row * Z + i];
        }
        double found = sum / MANY, deviation = sqrt(squares / MANY - found * found);
        assert_true(fabs(found - means[i]) <= 0.12 * (deviations[i] + 0.2));
        assert_true(fabs(deviation - deviations[i]) <= 0.1 * (deviations[i] + 0.2));
    }
}

static void a_known_gaussian_is_found(void **state)
{
    (void)state;
    struct latents latents;
    struct error error;
    fill_known(1);
    struct latent_samples samples = samples_of(MANY);
    assert_ok(latents_fit(&latents, &samples, 9, &to_data, &error), error);
    assert_non_null(strstr(data.said, "shrunk towards its diagonal by 0\n"));
    assert_int_equal(latents.counts.classes, 9);
    for (int i = 0; i < Z; i++) {
        assert_true(fabsf(latents.mean[i] - mean[i]) <= 0.1f);
        for (int j = 0; j < Z; j++)
            assert_true(fabsf(latents.factor[i * Z + j] - factor[i][j]) <= 0.1f);
    }
    latents_free(&latents);
}

/* In place it must give what a copy gives. */
static void draws_are_affine(void **state)
{
    (void)state;
    float z[2 * Z], normals[2 * Z], wanted[Z];
    struct latents latents;
    struct error error;
    const struct latent_counts counts = {.size = Z};
    assert_ok(latents_make(&latents, &counts, &error), error);
    memcpy(latents.mean, mean, sizeof mean);
    memcpy(latents.factor, factor, sizeof factor);
    fill_normals(normals, 2, 2);
    memcpy(z, normals, sizeof z);
    latents_apply(z, 2, &latents, LATENT_PRIOR, 0, 1, 0, 0);
    assert_memory_equal(z, normals, sizeof z);
    latents_apply(z, 2, &latents, LATENT_GAUSSIAN, 0, 1, 0, 0);
    for (int row = 0; row < 2; row++) {
        draw_known(wanted, normals + row * Z);
        for (int i = 0; i < Z; i++)
            assert_true(fabsf(z[row * Z + i] - wanted[i]) <= 1e-5f);
    }
    latents_free(&latents);
}

/* Fewer windows than numbers: the covariance itself has no factor, the shrunk one has. */
static void few_windows(void **state)
{
    (void)state;
    struct latents latents;
    struct error error;
    struct latent_samples samples = samples_of(1);
    assert_fails(latents_fit(&latents, &samples, 0, &to_data, &error), error, "two or more windows");
    memcpy(data.mu, (const float[2 * Z]){1, 2, 3, 2, 2, 5}, 2 * Z * sizeof(float));
    samples.count = 2;
    assert_ok(latents_fit(&latents, &samples, 0, &to_data, &error), error);
    assert_true(latents.mean[0] == 1.5f && latents.mean[1] == 2.0f && latents.mean[2] == 4.0f);
    assert_int_equal(latents.counts.components, 0);
    for (int i = 0; i < Z; i++)
        assert_true(latents.factor[i * Z + i] > 0 && isfinite(latents.factor[i * Z + i]));
    latents_free(&latents);
}

static void nothing_to_draw_from(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct latents latents;
        struct error error;
        struct latent_samples samples = samples_of(10);
        for (int i = 0; i < 10 * Z; i++)
            data.mu[i] = kind == 1 && i == 4 ? NAN : 1;
        assert_fails(latents_fit(&latents, &samples, 0, NULL, &error), error, "no covariance to draw from");
        assert_null(latents.values);
    }
}

/* Two far clouds: held-out vectors like two components better than one, and draws lie in the clouds, not between. */
static void clouds_are_told_apart(void **state)
{
    (void)state;
    struct latents latents;
    struct error error;
    static float z[MANY * Z];
    fill_normals(data.mu, MANY, 3);
    for (int i = 0; i < MANY; i++)
        data.mu[i * Z] += i / 4 % 2 == 0 ? 8.0f : -8.0f;
    struct latent_samples samples = samples_of(MANY);
    assert_ok(latents_fit(&latents, &samples, 0, &to_data, &error), error);
    assert_in_range(latents.counts.components, 2, 32);
    assert_ok(latents_check(&latents, &error), error);
    int between[2] = {0, 0};
    for (int kind = 0; kind < 2; kind++) {
        fill_normals(z, MANY, 4);
        latents_apply(z, MANY, &latents, kind == 0 ? LATENT_GAUSSIAN : LATENT_MIXTURE, 0, 9, 0, 0);
        for (int i = 0; i < MANY; i++)
            between[kind] += fabsf(z[i * Z]) < 4;
    }
    assert_true(between[0] > MANY / 4);
    assert_true(between[1] < MANY / 50);

    float alone[Z], pair[2 * Z]; /* row i depends on its own number alone */
    fill_normals(pair, 2, 6);
    memcpy(alone, pair + Z, sizeof alone);
    latents_apply(pair, 2, &latents, LATENT_MIXTURE, 0, 9, 0, 30);
    latents_apply(alone, 1, &latents, LATENT_MIXTURE, 0, 9, 0, 31);
    assert_memory_equal(alone, pair + Z, sizeof alone);
    latents_free(&latents);
}

static void styles_have_their_own(void **state)
{
    (void)state;
    struct latents latents;
    struct error error;
    fill_normals(data.mu, MANY, 8);
    struct latent_samples samples = samples_of(MANY);
    for (int i = 0; i < MANY; i++) {
        bool is_rock = i < MANY / 2;
        data.wide[i] = is_rock ? 0 : i < MANY - 99 ? -1 : 2; /* 99 windows of jazz: one too few */
        data.narrow[i] = i < MANY / 4 ? 1 : -1;
        data.mu[i * Z] = is_rock ? 4 + 0.25f * data.mu[i * Z] : data.mu[i * Z];
    }
    assert_ok(latents_fit(&latents, &samples, 0, &to_data, &error), error);
    assert_int_equal(latents.counts.styles, 2);
    assert_int_equal(latents_find_style(&latents, "ROCK"), 0);
    assert_int_equal(latents_find_style(&latents, "rock/slow"), 1);
    assert_int_equal(latents_find_style(&latents, "jazz"), -1);
    assert_non_null(strstr(data.said, "fewer than 100 windows: jazz 99\n"));
    assert_null(strstr(data.said, "there is room for"));
    assert_true(latents.style_windows[0] == MANY / 2 && latents.style_windows[1] == MANY / 4);
    check_draws(&latents, LATENT_STYLE, 0, (const double[Z]){4, 0, 0}, (const double[Z]){0.25, 1, 1});
    check_draws(&latents, LATENT_STYLE, 1, (const double[Z]){4, 0, 0}, (const double[Z]){0.25, 1, 1});
    latents_free(&latents);
}

/* A style of many windows whose name is too long is not called one of few. */
static void a_style_without_room_is_said_so(void **state)
{
    (void)state;
    struct latents latents;
    struct error error;
    char name[LATENTS_NAME_SIZE + 1], wanted[LATENTS_NAME_SIZE + 64];
    memset(name, 'r', LATENTS_NAME_SIZE);
    name[LATENTS_NAME_SIZE] = '\0';
    const char *const names[] = {name, "rock/slow", "jazz"};
    fill_normals(data.mu, MANY, 8);
    struct latent_samples samples = samples_of(MANY);
    samples.style_names = names;
    for (int i = 0; i < MANY; i++)
        data.wide[i] = i < MANY / 2 ? 0 : i < MANY - 99 ? -1 : 2;
    assert_ok(latents_fit(&latents, &samples, 0, &to_data, &error), error);
    assert_int_equal(latents.counts.styles, 0);
    snprintf(wanted, sizeof wanted, "names of up to 63 bytes: %s %d\n", name, MANY / 2);
    assert_non_null(strstr(data.said, wanted));
    assert_non_null(strstr(data.said, "fewer than 100 windows: jazz 99, rock/slow 0\n"));
    latents_free(&latents);
}

/* An attribute that is a number of z, and one that goes along with it: by regression each has its own direction. */
static void directions_are_found(void **state)
{
    (void)state;
    struct latents latents;
    struct error error;
    fill_normals(data.mu, MANY, 11);
    struct latent_samples samples = samples_of(MANY);
    for (int i = 0; i < MANY; i++) {
        data.attributes[2 * i] = 10 + 3 * (double)data.mu[i * Z];
        data.attributes[2 * i + 1] = i % 3 == 0 ? NAN : 0.5 * (double)data.mu[i * Z] + (double)data.mu[i * Z + 1];
    }
    assert_ok(latents_fit(&latents, &samples, 0, &to_data, &error), error);
    assert_int_equal(latents.counts.attributes, 2);
    assert_true(fabsf(latents.attribute_means[0] - 10) < 0.2f && fabsf(latents.attribute_sd[0] - 3) < 0.2f);
    const float *density = latents.attribute_directions, *swing = density + Z;
    assert_true(density[0] > 0.6f && fabsf(density[2]) < 0.1f);
    assert_true(swing[1] > 0.6f && fabsf(swing[0]) < 0.35f);
    const float *difference = latents.attribute_differences;
    assert_true(difference[0] > 2.0f && fabsf(difference[1]) < 0.15f);
    float z[Z] = {0, 0, 1};
    latents_move(z, &latents, 0, -2);
    assert_true(fabsf(z[0] + 2 * density[0]) < 1e-5f && fabsf(z[2] - 1 + 2 * density[2]) < 1e-5f);
    latents_free(&latents);

    for (int i = 0; i < MANY; i++)
        data.attributes[2 * i + 1] = i < 49 ? (double)i : (double)NAN;
    assert_ok(latents_fit(&latents, &samples, 0, &to_data, &error), error);
    assert_int_equal(latents.counts.attributes, 1);
    assert_non_null(strstr(data.said, "no direction for swing: too few windows"));
    latents_free(&latents);
}

static void names_are_checked(void **state)
{
    (void)state;
    struct latents latents;
    struct error error;
    struct latent_counts counts = {.size = Z, .styles = 2, .components = 2};
    assert_ok(latents_make(&latents, &counts, &error), error);
    assert_fails(latents_split_names(latents.style_names, 2, "rock", &error), error, "1 names, not 2");
    assert_fails(latents_split_names(latents.style_names, 2, "rock\n", &error), error, "name 2 has 0 bytes");
    assert_ok(latents_split_names(latents.style_names, 2, "rock\nRock", &error), error);
    assert_fails(latents_check(&latents, &error), error, "no probabilities");
    latents.weights[0] = latents.weights[1] = 0.5f;
    assert_fails(latents_check(&latents, &error), error, "two styles 'Rock'");
    latents_free(&latents);
    counts.components = LATENTS_MAX_COMPONENTS + 1;
    assert_fails(latents_make(&latents, &counts, &error), error, "more than allowed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_gaussian_is_found),
        cmocka_unit_test(draws_are_affine),
        cmocka_unit_test(few_windows),
        cmocka_unit_test(nothing_to_draw_from),
        cmocka_unit_test(clouds_are_told_apart),
        cmocka_unit_test(styles_have_their_own),
        cmocka_unit_test(a_style_without_room_is_said_so),
        cmocka_unit_test(directions_are_found),
        cmocka_unit_test(names_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
