#include "base/arena.h"
#include "tests/support/unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

struct buffers {
    float *a, *b;
    uint8_t *c;
};

static void lay_out(struct buffers *buffers, struct arena *arena)
{
    buffers->a = arena_floats(arena, 3);
    buffers->c = arena_bytes(arena, 65);
    buffers->b = arena_floats(arena, 100);
}

static void test_measure_and_lay_out(void **state)
{
    (void)state;
    struct error error;
    struct buffers buffers = {0};
    struct arena arena = arena_measure();
    lay_out(&buffers, &arena);
    assert_null(buffers.a);
    assert_int_equal(arena.used, 64 + 128 + 448);
    assert_ok(arena_reserve(&arena, &error), error);
    lay_out(&buffers, &arena);
    assert_int_equal(arena.used, arena.capacity);
    assert_int_equal((uintptr_t)buffers.a % ARENA_ALIGNMENT, 0);
    assert_int_equal((uintptr_t)buffers.b % ARENA_ALIGNMENT, 0);
    assert_int_equal((uintptr_t)buffers.c % ARENA_ALIGNMENT, 0);
    for (int i = 0; i < 100; i++)
        assert_true(buffers.b[i] == 0.0f);
    memset(buffers.a, 1, 3 * sizeof *buffers.a);
    memset(buffers.c, 2, 65);
    memset(buffers.b, 3, 100 * sizeof *buffers.b);
    assert_int_equal(buffers.c[0], 2);
    assert_int_equal(buffers.c[64], 2);
    arena_free(&arena);
    assert_null(arena.base);
}

/* Of one that is large enough to be mapped every byte can be used, is zero at first, and again in the next arena. */
static void test_large(void **state)
{
    (void)state;
    static const size_t sizes[] = {(4 << 20) - 64, 4 << 20, (4 << 20) + 64, (7 << 20) + 4096};
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        struct error error;
        size_t size = sizes[i / 2];
        struct arena arena = arena_measure();
        arena_bytes(&arena, size);
        assert_ok(arena_reserve(&arena, &error), error);
        uint8_t *bytes = arena_bytes(&arena, size);
        assert_int_equal((uintptr_t)bytes % ARENA_ALIGNMENT, 0);
        for (size_t j = 0; j < size; j++)
            if (bytes[j] != 0)
                fail_msg("byte %zu of %zu is %d", j, size, bytes[j]);
        memset(bytes, 1, size);
        arena_free(&arena);
    }
}

static void test_nothing_measured(void **state)
{
    (void)state;
    struct error error;
    struct arena arena = arena_measure();
    assert_ok(arena_reserve(&arena, &error), error);
    assert_non_null(arena.base);
    arena_free(&arena);
}

static void test_too_much(void **state)
{
    (void)state;
    struct error error;
    struct arena arena = arena_measure();
    arena_floats(&arena, SIZE_MAX / 2);
    assert_fails(arena_reserve(&arena, &error), error, "memory");
    arena = arena_measure();
    for (int i = 0; i < 3; i++)
        arena_bytes(&arena, SIZE_MAX / 2);
    assert_fails(arena_reserve(&arena, &error), error, "memory");
}

static void test_unmeasured_aborts(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct error error;
        struct arena arena = arena_measure();
        arena_bytes(&arena, 64);
        if (arena_reserve(&arena, &error) && freopen("/dev/null", "w", stderr)) {
            signal(SIGABRT, SIG_DFL);
            arena_bytes(&arena, 65);
        }
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_measure_and_lay_out), cmocka_unit_test(test_large),
        cmocka_unit_test(test_nothing_measured),    cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_unmeasured_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
