/* The latent density: fitted to draws of a known Gaussian, and drawn from again. */
#include "base/random.h"
#include "model/vae/latent_density.h"
#include "tests/support/unit.h"

#include <math.h>

enum { Z = 3, MANY = 20000 };

/* z = mean + factor * n with the lower triangular factor below. */
static const float mean[Z] = {1.0f, -2.0f, 0.5f};
static const float factor[Z][Z] = {
    {2.0f,  0,     0    },
    {-0.5f, 0.25f, 0    },
    {0.3f,  0.1f,  0.05f}
};

static void fill_normals(float *z, int count, uint32_t seed)
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

static void a_known_gaussian_is_found(void **state)
{
    (void)state;
    static float normals[MANY * Z];
    struct latent_sums sums;
    struct latent_density density;
    struct error error;
    fill_normals(normals, MANY, 1);
    assert_ok(latent_sums_make(&sums, Z, &error), error);
    for (int i = 0; i < MANY; i++) {
        float vector[Z];
        draw_known(vector, normals + (size_t)i * Z);
        latent_sums_add(&sums, vector);
    }
    assert_ok(latent_density_make(&density, Z, &error), error);
    assert_ok(latent_density_fit(&density, &sums, &error), error);
    for (int i = 0; i < Z; i++) {
        assert_true(fabsf(density.mean[i] - mean[i]) <= 0.05f);
        for (int j = 0; j < Z; j++)
            assert_true(fabsf(density.factor[i * Z + j] - factor[i][j]) <= 0.04f);
    }
    latent_sums_free(&sums);
    latent_density_free(&density);
}

/* In place it must give what a copy gives. */
static void draws_are_affine(void **state)
{
    (void)state;
    float z[2 * Z], normals[2 * Z], wanted[Z];
    struct latent_density density;
    struct error error;
    assert_ok(latent_density_make(&density, Z, &error), error);
    memcpy(density.mean, mean, sizeof mean);
    memcpy(density.factor, factor, sizeof factor);
    fill_normals(normals, 2, 2);
    memcpy(z, normals, sizeof z);
    latent_density_apply(z, 2, &density);
    for (int row = 0; row < 2; row++) {
        draw_known(wanted, normals + row * Z);
        for (int i = 0; i < Z; i++)
            assert_true(fabsf(z[row * Z + i] - wanted[i]) <= 1e-5f);
    }
    latent_density_free(&density);
}

/* Fewer windows than numbers: the covariance itself has no inverse, the shrunk one has. */
static void few_windows(void **state)
{
    (void)state;
    struct latent_sums sums;
    struct latent_density density;
    struct error error;
    assert_ok(latent_sums_make(&sums, Z, &error), error);
    assert_ok(latent_density_make(&density, Z, &error), error);
    assert_fails(latent_density_fit(&density, &sums, &error), error, "two or more windows");
    latent_sums_add(&sums, (const float[Z]){1, 2, 3});
    latent_sums_add(&sums, (const float[Z]){2, 2, 5});
    assert_ok(latent_density_fit(&density, &sums, &error), error);
    assert_true(density.mean[0] == 1.5f && density.mean[1] == 2.0f && density.mean[2] == 4.0f);
    for (int i = 0; i < Z; i++)
        assert_true(density.factor[i * Z + i] > 0 && isfinite(density.factor[i * Z + i]));
    latent_sums_free(&sums);
    latent_density_free(&density);
}

static void nothing_to_draw_from(void **state)
{
    (void)state;
    struct latent_sums sums;
    struct latent_density density;
    struct error error;
    assert_ok(latent_density_make(&density, Z, &error), error);
    for (int kind = 0; kind < 2; kind++) {
        assert_ok(latent_sums_make(&sums, Z, &error), error);
        for (int i = 0; i < 10; i++)
            latent_sums_add(&sums, kind == 0 ? (const float[Z]){1, 1, 1} : (const float[Z]){(float)i, NAN, 0});
        assert_fails(latent_density_fit(&density, &sums, &error), error, "no covariance to draw from");
        latent_sums_free(&sums);
    }
    latent_density_free(&density);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_gaussian_is_found),
        cmocka_unit_test(draws_are_affine),
        cmocka_unit_test(few_windows),
        cmocka_unit_test(nothing_to_draw_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
