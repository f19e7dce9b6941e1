#define _GNU_SOURCE /* cpu_set_t */
#include "base/threads.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char *const variables[] = {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "SLURM_CPUS_PER_TASK"};
enum { NUM_VARIABLES = 3, MANY_PROCESSES = 1 << 20 /* whose fair part is one thread */ };

/* The number that is chosen with these values, NULL for none, and what is said; owned by the caller. */
static int choose(char **said, const char *const values[NUM_VARIABLES])
{
    for (int i = 0; i < NUM_VARIABLES; i++)
        if (values[i])
            setenv(variables[i], values[i], 1);
        else
            unsetenv(variables[i]);
    struct capture capture = capture_start(STDERR_FILENO);
    int threads = threads_choose(0, MANY_PROCESSES);
    *said = capture_end(&capture);
    return threads;
}

static void expect(int threads, const char *first, const char *second, const char *third, const char *words)
{
    char *said;
    assert_int_equal(choose(&said, (const char *const[]){first, second, third}), threads);
    if (*words)
        assert_contains(said, words);
    else
        assert_string_equal(said, "");
    free(said);
}

static void test_environment(void **state)
{
    (void)state;
    expect(1, NULL, NULL, NULL, "");
    expect(3, "3", "4", "5", "");
    expect(4, NULL, "4", "5", "");
    expect(5, "", NULL, "5", "");
    expect(4, NULL, "4,2", "5", "");
    assert_int_equal(threads_choose(7, 1), 7);
}

static void test_no_numbers(void **state)
{
    (void)state;
    expect(5, NULL, "abc", "5", "OMP_NUM_THREADS=abc is no number of threads from 1 to 1024, so it is ignored");
    expect(1, "0", NULL, NULL, "OPENBLAS_NUM_THREADS=0 is");
    expect(1, NULL, NULL, "x", "SLURM_CPUS_PER_TASK=x is");
    expect(1, NULL, NULL, "4,2", "SLURM_CPUS_PER_TASK=4,2 is");
    expect(1, NULL, "-2", NULL, "OMP_NUM_THREADS=-2 is");
    expect(1, NULL, "4 cores", NULL, "OMP_NUM_THREADS=4 cores is");
}

/* A kernel that knows so many processors, all of which may be used. */
static int num_processors = 4;

int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
    (void)pid;
    if (size * 8 < (size_t)num_processors) {
        errno = EINVAL;
        return -1;
    }
    memset(set, 0, size);
    for (int i = 0; i < num_processors; i++)
        CPU_SET_S((size_t)i, size, set);
    return 0;
}

/* As many threads as on a small machine, where there is nothing but the number of processors online to limit them. */
static void test_many_processors(void **state)
{
    (void)state;
    for (int i = 0; i < NUM_VARIABLES; i++)
        unsetenv(variables[i]);
    int online = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (online < 2)
        skip();
    for (num_processors = online; num_processors < 20000; num_processors *= 4)
        assert_int_equal(threads_choose(0, 1), online);
    num_processors = 1;
    assert_int_equal(threads_choose(0, 1), 1);
    num_processors = 4;
}

struct member {
    int number, times;
};

static void *count_once(void *context)
{
    struct member *member = context;
    member->times += member->number + 1;
    return NULL;
}

/* Each member is run once, also where no thread can be had for it. */
static void test_members_are_run(void **state)
{
#ifdef __SANITIZE_ADDRESS__
    enum { COUNT = 37, ROUNDS = 1 }; /* the sanitizer itself ends the program where a thread can't be had */
#else
    enum { COUNT = 37, ROUNDS = 2 };
#endif
    struct rlimit before, none;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    for (int round = 0; round < ROUNDS; round++) {
        struct member members[COUNT] = {
            {0, 0}
        };
        for (int i = 0; i < COUNT; i++)
            members[i].number = i;
        none = before;
        none.rlim_cur = round == 0 ? before.rlim_cur : 1 << 20; /* no stack for another thread */
        if (round == 1 && setrlimit(RLIMIT_AS, &none) != 0)
            skip();
        threads_run(count_once, members, sizeof *members, COUNT);
        assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
        for (int i = 0; i < COUNT; i++)
            assert_int_equal(members[i].times, i + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_are_run),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_no_numbers),
        cmocka_unit_test(test_many_processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
