#include "base/host.h"
#include "base/io/atomic_file.h"
#include "base/text.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

/* What the system is asked, in the place of the C library's function: how often regular files were fsynced, and whether each
 * time through a descriptor that can write, which sees every error of writing back. */
static int num_syncs;
static bool only_writers;
static int sync_result;

int fsync(int descriptor)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
        return 0;
    num_syncs++;
    only_writers = only_writers && (fcntl(descriptor, F_GETFL) & O_ACCMODE) != O_RDONLY;
    errno = EIO;
    return sync_result;
}

static void expect_syncs(void)
{
    num_syncs = 0;
    only_writers = true;
}

static void assert_holds(const char *path, const char *text)
{
    struct error error;
    uint8_t *bytes;
    size_t size;
    assert_ok(file_read(&bytes, &size, path, 1 << 20, &error), error);
    assert_string_equal((char *)bytes, text);
    free(bytes);
}

/* Starts a file and fills the temporary one. */
static void start(struct atomic_file *file, const char *path, const char *text)
{
    struct error error;
    assert_ok(atomic_file_start(file, path, &error), error);
    assert_ok(atomic_file_put(file, text, strlen(text), &error), error);
}

static void test_commit(void **state)
{
    struct error error;
    struct atomic_file file;
    char *path = path_join(*state, "a.h5");
    start(&file, path, "one");
    assert_false(file_exists(path));
    assert_int_equal(path_name(file.temporary_path)[0], '.');
    assert_ok(atomic_file_commit(&file, &error), error);
    assert_holds(path, "one");
    start(&file, path, "two");
    assert_holds(path, "one");
    assert_ok(atomic_file_commit(&file, &error), error);
    assert_holds(path, "two");
    assert_int_equal(scratch_count(*state), 1);
    free(path);
}

static void test_abandon(void **state)
{
    struct error error;
    struct atomic_file file;
    char *path = path_join(*state, "a");
    assert_ok(atomic_file_write(path, "old", 3, &error), error);
    start(&file, path, "new");
    atomic_file_abandon(&file);
    assert_holds(path, "old");
    assert_int_equal(scratch_count(*state), 1);
    free(path);
}

static void test_commit_new(void **state)
{
    struct error error;
    struct atomic_file file;
    char *path = path_join(*state, "a");
    start(&file, path, "one");
    assert_ok(atomic_file_commit_new(&file, &error), error);
    assert_holds(path, "one");
    start(&file, path, "two");
    assert_fails(atomic_file_commit_new(&file, &error), error, "a: can't write: File exists");
    assert_holds(path, "one");
    assert_int_equal(scratch_count(*state), 1);
    free(path);
}

static void test_commit_fails(void **state)
{
    struct error error;
    struct atomic_file file;
    char *folder = path_join(*state, "folder"), *missing = path_join(*state, "missing/a");
    char *inner = path_join(folder, "x");
    assert_ok(folder_make(inner, &error), error);
    start(&file, folder, "text");
    assert_fails(atomic_file_commit(&file, &error), error, "folder: can't write: Is a directory");
    assert_int_equal(scratch_count(*state), 1);
    assert_ok(atomic_file_start(&file, inner, &error), error);
    assert_int_equal(unlink(file.temporary_path), 0);
    assert_fails(atomic_file_commit(&file, &error), error, "x: can't write: No such file");
    assert_fails(atomic_file_write(missing, "x", 1, &error), error, "missing/a: can't write: No such file");
    assert_fails(atomic_file_start(&file, "folder/", &error), error, "not the name of a file");
    assert_fails(atomic_file_start(&file, "", &error), error, "not the name of a file");
    free(inner);
    free(folder);
    free(missing);
}

/* An error between writing and fsync is reported to descriptors that were open: a file opened again may not see it. */
static void test_flushes_through_the_writer(void **state)
{
    struct error error;
    struct atomic_file file;
    char *path = path_join(*state, "a");
    start(&file, path, "one");
    expect_syncs();
    assert_ok(atomic_file_flush(&file, &error), error);
    assert_int_equal(file.descriptor, -1);
    assert_ok(atomic_file_commit(&file, &error), error);
    assert_int_equal(num_syncs, 1);
    assert_true(only_writers);
    assert_ok(atomic_file_write(path, "two", 3, &error), error);
    assert_int_equal(num_syncs, 2);
    assert_true(only_writers);
    sync_result = -1;
    assert_fails(atomic_file_write(path, "three", 5, &error), error, strerror(EIO)); /* libraries word it differently */
    sync_result = 0;
    assert_holds(path, "two");
    assert_int_equal(scratch_count(*state), 1);
    free(path);
}

/* Every name is taken, as by somebody who put links there. */
static bool predictable;

int getentropy(void *bytes, size_t size)
{
    static unsigned char next;
    memset(bytes, predictable ? 0 : ++next, size);
    return 0;
}

static void test_follows_no_link(void **state)
{
    struct error error;
    struct atomic_file file;
    char *path = path_join(*state, "a"), *victim = path_join(*state, "victim");
    assert_ok(atomic_file_write(victim, "precious", 8, &error), error);
    predictable = true;
    start(&file, path, "x");
    char *planted = format_text("%s", file.temporary_path);
    atomic_file_abandon(&file);
    assert_int_equal(symlink("victim", planted), 0);
    assert_fails(atomic_file_start(&file, path, &error), error, "a: can't write: File exists");
    predictable = false;
    assert_holds(victim, "precious");
    assert_ok(atomic_file_write(path, "x", 1, &error), error);
    assert_int_equal(unlink(planted), 0);
    free(planted);
    free(victim);
    free(path);
}

/* A name may be 255 bytes long, so that the temporary one must not only grow. */
static void test_long_name(void **state)
{
    struct error error;
    char name[256];
    memset(name, 'n', 255);
    name[255] = '\0';
    char *path = path_join(*state, name);
    assert_ok(atomic_file_write(path, "x", 1, &error), error);
    assert_holds(path, "x");
    free(path);
}

static void test_name_without_folder(void **state)
{
    struct error error;
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(*state), 0);
    bool ok = atomic_file_write("plain", "x", 1, &error);
    int count = scratch_count(".");
    assert_int_equal(chdir(before), 0);
    assert_ok(ok, error);
    assert_int_equal(count, 1);
}

/* A file larger than the process may write stands for a full disk: the old file stays, and nothing else is left. */
static void test_full_disk(void **state)
{
    struct error error;
    static char large[100000];
    struct rlimit limit, low = {.rlim_cur = 4096};
    char *path = path_join(*state, "a");
    assert_ok(atomic_file_write(path, "old", 3, &error), error);
    getrlimit(RLIMIT_FSIZE, &limit);
    low.rlim_max = limit.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &low);
    memset(&error, 0, sizeof error);
    bool ok = atomic_file_write(path, large, sizeof large, &error);
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_false(ok);
    assert_contains(error.message, "a: can't write: File too large");
    assert_holds(path, "old");
    assert_int_equal(scratch_count(*state), 1);
    free(path);
}

/* Killed at any moment, a writer leaves the old file or the new one, whole. */
static void test_killed_writer(void **state)
{
    enum { SIZE = 1 << 16, ROUNDS = 20 };
    static char text[SIZE + 1];
    struct error error;
    char *path = path_join(*state, "a");
    memset(text, 'a', SIZE);
    assert_ok(atomic_file_write(path, text, SIZE, &error), error);
    for (int round = 0; round < ROUNDS; round++) {
        pid_t child = fork();
        if (child == 0)
            for (int i = 0;; i++) {
                memset(text, 'a' + i % 26, SIZE);
                atomic_file_write(path, text, SIZE, &error);
            }
        struct timespec pause = {.tv_nsec = 1000000L * (1 + round % 7)};
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        uint8_t *bytes;
        size_t size;
        assert_ok(file_read(&bytes, &size, path, SIZE, &error), error);
        assert_int_equal(size, SIZE);
        for (size_t i = 1; i < size; i++)
            assert_int_equal(bytes[i], bytes[0]);
        free(bytes);
    }
    atomic_file_sweep(*state);
    assert_int_equal(scratch_count(*state), 1);
    free(path);
}

static void assert_swept(const char *folder, const char *name, bool is_swept)
{
    struct error error;
    char *path = path_join(folder, name);
    assert_ok(file_write(path, path, "", 0, &error), error);
    atomic_file_sweep(folder);
    if (file_exists(path) == is_swept)
        fail_msg("%s is %s", name, is_swept ? "not swept" : "swept");
    free(path);
}

static void test_sweep(void **state)
{
    assert_swept(*state, ".a.h5.host.12345.tmp", true);
    assert_swept(*state, ".a.host.1.tmp", true);
    assert_swept(*state, ".a.tmp", false);
    assert_swept(*state, ".1.tmp", false);
    assert_swept(*state, ".a.1.tmp", false);
    assert_swept(*state, "a.host.1.tmp", false);
    assert_swept(*state, ".a.host.x.tmp", false);
    assert_swept(*state, ".a.host.1.h5", false);
    atomic_file_sweep("/nowhere/at/all");
}

/* Who was taken for dead finds what it was writing gone, and puts nothing in the place of what is there. */
static void test_sweep_of_a_living_writer(void **state)
{
    struct atomic_file file;
    struct error error;
    char *path = path_join(*state, "a.h5");
    assert_ok(atomic_file_write(path, "new", 3, &error), error);
    start(&file, path, "late");
    atomic_file_sweep(*state);
    assert_fails(atomic_file_commit(&file, &error), error, "a.h5: can't write");
    assert_holds(path, "new");
    assert_int_equal(scratch_count(*state), 1);
    free(path);
}

/* Makes an empty file of that name, `age` seconds old. */
static void assert_swept_shared(const char *folder, const char *name, long age, bool is_swept)
{
    struct error error;
    char *path = path_join(folder, name);
    struct timespec times[2] = {{.tv_sec = time(NULL) - age}, {.tv_sec = time(NULL) - age}};
    assert_ok(file_write(path, path, "", 0, &error), error);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    atomic_file_sweep_shared(folder);
    if (file_exists(path) == is_swept)
        fail_msg("%s is %s", name, is_swept ? "not swept" : "swept");
    free(path);
}

/* Where others write too, only what nobody can be writing goes. */
static void test_sweep_shared(void **state)
{
    struct atomic_file file;
    struct error error;
    char *path = path_join(*state, "a.h5");
    start(&file, path, "mine");
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    /* What the child would have named its own. */
    const char *own = path_name(file.temporary_path);
    int shared = (int)(strlen(own) - strlen(".tmp"));
    while (own[shared - 1] != '.')
        shared--;
    char *own_twin = format_text(".b%s", own); /* of a process that lives, however old */
    char *gone = format_text("%.*s%ld.tmp", shared, own, (long)child);
    /* In a container with the same host name, and numbers of processes of its own. */
    char *elsewhere = format_text("%s", gone), *tag = elsewhere + shared - 1;
    while (tag[-1] != '.')
        tag--;
    *tag = *tag == '1' ? '2' : '1';
    assert_swept_shared(*state, gone, 0, true);
    assert_swept_shared(*state, elsewhere, 0, false);
    assert_swept_shared(*state, elsewhere, 4000, true);
    assert_swept_shared(*state, own_twin, 4000, false);
    assert_swept_shared(*state, ".a.host.1.tmp", 10, false);
    assert_swept_shared(*state, ".a.host.1.tmp", 4000, true);
    assert_swept_shared(*state, ".a.tmp", 4000, false);
    assert_ok(atomic_file_commit(&file, &error), error);
    assert_holds(path, "mine");
    atomic_file_sweep_shared("/nowhere/at/all");
    free(elsewhere);
    free(gone);
    free(own_twin);
    free(path);
}

/* The first version's names, of this host and of others. */
static void test_sweep_names_of_the_first_version(void **state)
{
    char host[HOST_NAME_SIZE];
    host_name(host);
    host[64] = '\0';
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    char *gone = format_text(".a.h5.%s.%ld.tmp", host, (long)child);
    char *alive = format_text(".a.h5.%s.%ld.tmp", host, (long)getpid());
    char *elsewhere = format_text(".a.h5.x%s.%ld.tmp", host, (long)child);
    assert_swept_shared(*state, gone, 0, true);
    assert_swept_shared(*state, alive, 0, false);
    assert_swept_shared(*state, elsewhere, 0, false);
    assert_swept_shared(*state, elsewhere, 4000, true);
    free(gone);
    free(alive);
    free(elsewhere);
}

/* Two writers of one file, in containers of the same name and number, say. */
static void test_two_of_one_name(void **state)
{
    struct atomic_file first, second;
    struct error error;
    char *path = path_join(*state, "a.h5");
    start(&first, path, "first");
    start(&second, path, "second");
    assert_string_not_equal(first.temporary_path, second.temporary_path);
    assert_holds(first.temporary_path, "first");
    assert_ok(atomic_file_commit_new(&first, &error), error);
    assert_fails(atomic_file_commit_new(&second, &error), error, "File exists");
    assert_holds(path, "first");
    assert_int_equal(scratch_count(*state), 1);
    free(path);
}

/* Two that are written at once, with names that differ in their last letter alone. */
static void test_long_names_alike(void **state)
{
    struct atomic_file files[2];
    struct error error;
    char name[201], *paths[2];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (int i = 0; i < 2; i++) {
        name[sizeof name - 2] = (char)('a' + i);
        paths[i] = path_join(*state, name);
        start(&files[i], paths[i], i == 0 ? "a" : "b");
    }
    for (int i = 0; i < 2; i++) {
        assert_ok(atomic_file_commit(&files[i], &error), error);
        assert_holds(paths[i], i == 0 ? "a" : "b");
        free(paths[i]);
    }
    assert_int_equal(scratch_count(*state), 2);
}

/* More files than there are threads to flush them, each then given another name than it was started with. */
static void test_many_at_once(void **state)
{
    enum { COUNT = 40, GONE = 7 };
    struct error error;
    struct atomic_file files[COUNT];
    char *paths[COUNT];
    for (int i = 0; i < COUNT; i++) {
        char name[32];
        snprintf(name, sizeof name, "file-%d", i);
        char *started_as = path_join(*state, name);
        paths[i] = format_text("%s.mid", started_as);
        start(&files[i], started_as, name);
        free(started_as);
    }
    expect_syncs();
    assert_ok(atomic_file_flush_all(files, COUNT, &error), error);
    assert_ok(atomic_file_flush_all(files, 0, &error), error);
    assert_int_equal(num_syncs, COUNT);
    assert_true(only_writers);
    assert_ok(file_write(paths[0], paths[0], "taken", 5, &error), error);
    assert_fails(atomic_file_name_new(&files[0], paths[0], &error), error, "file-0.mid");
    assert_int_equal(unlink(paths[0]), 0);
    assert_int_equal(unlink(files[GONE].temporary_path), 0);
    assert_ok(atomic_file_flush_all(files, COUNT, &error), error);
    assert_fails(atomic_file_name_new(&files[GONE], paths[GONE], &error), error, "file-7.mid");
    atomic_file_abandon(&files[GONE]);
    for (int i = 0; i < COUNT; i++) {
        if (i != GONE)
            assert_ok(atomic_file_name_new(&files[i], paths[i], &error), error);
        free(paths[i]);
    }
    assert_ok(atomic_file_flush_folder(*state, &error), error);
    assert_int_equal(scratch_count(*state), COUNT - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_commit, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_abandon, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_commit_new, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_commit_fails, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_flushes_through_the_writer, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_follows_no_link, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_long_name, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_long_names_alike, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_name_without_folder, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_full_disk, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_killed_writer, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_sweep, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_many_at_once, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_sweep_of_a_living_writer, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_sweep_shared, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_sweep_names_of_the_first_version, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_two_of_one_name, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
