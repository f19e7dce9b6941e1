/* What the process that reads HDF5 files can't do any more, once it has given it up. */
#include "programs/hdf5_reader/sandbox.h"
#include "tests/support/unit.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MEBIBYTE = 1 << 20 };

static bool can_open(void)
{
    return open("/dev/null", O_RDONLY) >= 0;
}

static bool can_connect(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static bool can_fork(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return child > 0;
}

/* Where it can, the process ends with a status that no test expects. */
static void try_to_execute(void)
{
    char *const arguments[] = {"false", NULL};
    execv("/bin/false", arguments);
}

static bool can_take(size_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool can_make_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

enum ability { OPEN = 1, CONNECT = 2, TAKE_MEMORY = 4, MAKE_CODE = 8, USE_OTHER = 16, FORK = 32, DO_NO_WORK = 64 };

/* What a process that has entered the sandbox can do of what it should not; run in a process of its own. */
static int try_all(bool with_filter)
{
    char byte = 1;
    int high = fcntl(0, F_DUPFD, 50), file = open("/dev/zero", O_RDONLY);
    if (high < 50 || file != 3 || dup(file) != 4 || dup(file) != 5 || !sandbox_limit(0))
        return 0x80;
    if (with_filter)
        sandbox_filter();
    int able = (can_open() ? OPEN : 0) | (can_connect() ? CONNECT : 0) |
               (can_take((size_t)2048 * MEBIBYTE) ? TAKE_MEMORY : 0) | (can_make_code() ? MAKE_CODE : 0) |
               (fcntl(high, F_GETFD) >= 0 ? USE_OTHER : 0);
    if (with_filter && can_fork())
        able |= FORK;
    void *memory = malloc((size_t)64 * MEBIBYTE);
    if (!memory || pread(file, &byte, 1, 0) != 1 || byte != 0 || sched_yield() != 0)
        able |= DO_NO_WORK;
    free(memory);
    if (with_filter)
        try_to_execute();
    return able;
}

static int status_of(bool with_filter)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        for (int i = 3; i < 50; i++)
            close(i);
        _exit(try_all(with_filter));
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Whether memory holds code only the filter knows, and whoever is root may fork. */
static void test_limits(void **state)
{
    (void)state;
    assert_int_equal(status_of(false), MAKE_CODE);
}

static void test_filter(void **state)
{
    (void)state;
#ifdef DRUMLINE_SECCOMP
    assert_int_equal(status_of(true), 0);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
