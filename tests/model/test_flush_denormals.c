#define _GNU_SOURCE /* OpenBLAS's header names cpu_set_t */
/* That programs with programs/common/flush_denormals.c compute without denormal numbers in every thread: the first, those that it
 * starts, and those that OpenBLAS had started before main. */
#include "tests/support/unit.h"

#include <float.h>
#include <pthread.h>
#include <stdlib.h>

#include <cblas.h>

static float half_of(float x)
{
    volatile float value = x;
    return value * 0.5f;
}

static float twice(float x)
{
    volatile float value = x;
    return value * 2.0f;
}

/* Results are flushed, and so are operands: those of AVX-512 and NEON too, which the same control register rules. */
static void assert_flushes(void)
{
    assert_true(half_of(FLT_MIN) == 0.0f);
    assert_true(twice(FLT_TRUE_MIN) == 0.0f);
    assert_true(half_of(2 * FLT_MIN) == FLT_MIN);
}

static void the_first_thread(void **state)
{
    (void)state;
    assert_flushes();
}

static void *compute(void *result)
{
    float *halves = result;
    halves[0] = half_of(FLT_MIN);
    halves[1] = twice(FLT_TRUE_MIN);
    return NULL;
}

static void threads_that_it_starts(void **state)
{
    (void)state;
    float halves[2] = {1, 1};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, compute, halves), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(halves[0] == 0.0f && halves[1] == 0.0f);
}

/* Every element of the product is denormal, and there are enough of them for four threads. */
static void threads_of_the_library(void **state)
{
    (void)state;
    enum { SIZE = 512, COUNT = SIZE * SIZE };
    float *a = malloc(3 * COUNT * sizeof *a);
    assert_non_null(a);
    float *b = a + COUNT, *out = b + COUNT;
    for (size_t i = 0; i < COUNT; i++) {
        a[i] = i % SIZE == i / SIZE ? FLT_MIN : 0.0f;
        b[i] = 0.25f;
    }
    openblas_set_num_threads(4);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIZE, SIZE, SIZE, 1.0f, a, SIZE, b, SIZE, 0.0f, out, SIZE);
    const char *bytes = (const char *)out;
    for (size_t i = 0; i < COUNT * sizeof *out; i++)
        assert_int_equal(bytes[i] & 0x7f, 0);
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_thread),
        cmocka_unit_test(threads_that_it_starts),
        cmocka_unit_test(threads_of_the_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
