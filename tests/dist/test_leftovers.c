/* What killed ranks left in /dev/shm goes; what a process uses, or is another's, stays. */
#include "dist/leftovers.h"

#include "base/host.h"
#include "base/io/files.h"
#include "base/text.h"
#include "tests/support/save.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

enum { SIZE = 4096 };

/* A segment of this host's, and this user's plus `other`; the path is the caller's. */
static char *put(const char *folder, const char *host, unsigned long other, const char *rest)
{
    static const char bytes[SIZE];
    struct error error;
    char *name = format_text("vader_segment.%s.%lu.%s", host, (unsigned long)geteuid() + other, rest);
    char *path = path_join(folder, name);
    assert_ok(file_write(path, path, bytes, SIZE, &error), error);
    free(name);
    return path;
}

static void only_what_is_nobodys(void **state)
{
    char host[HOST_NAME_SIZE];
    host_name(host);
    host[strcspn(host, ".")] = '\0';
    char *dead = put(*state, host, 0, "1a2b0001.0"), *mapped = put(*state, host, 0, "1a2b0001.1");
    char *opened = put(*state, host, 0, "1a2b0001.2"), *others = put(*state, host, 1, "1a2b0001.0");
    char *elsewhere = put(*state, "elsewhere", 0, "1a2b0001.0");
    char *const stay[] = {mapped, opened, others, elsewhere};
    assert_int_equal(leftovers_sweep(*state), 0); /* all are young */
    int file = open(mapped, O_RDWR | O_CLOEXEC), open_file = open(opened, O_RDONLY | O_CLOEXEC);
    void *memory = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, file, 0);
    assert_true(file >= 0 && open_file >= 0 && memory != MAP_FAILED);
    close(file);
    assert_int_equal(leftovers_sweep_older(*state, -1), 1);
    assert_false(file_exists(dead));
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++)
        assert_true(file_exists(stay[i]));
    munmap(memory, SIZE);
    close(open_file);
    assert_int_equal(leftovers_sweep_older(*state, -1), 2);
    assert_int_equal(leftovers_sweep_older("/nowhere", -1), 0);
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++)
        free(stay[i]);
    free(dead);
}

/* Root may not be allowed to look at each process of root's, in a container say: then nothing would be removed. */
static void become_nobody(void)
{
    enum { NOBODY = 65534 };
    if (geteuid() == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0)
        prctl(PR_SET_DUMPABLE, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_what_is_nobodys, scratch_set_up, scratch_tear_down),
    };
    become_nobody();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
