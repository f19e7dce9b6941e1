#include "base/io/files.h"
#include "base/log.h"
#include "base/text.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <errno.h>
#include <sys/resource.h>

enum { NOBODY = 65534 };

static const char *const midi_suffixes[] = {".mid", ".midi", NULL};

static int make_scratch(void **state)
{
    *state = scratch_make();
    log_set_level(LOG_LEVEL_ERROR);
    return *state ? 0 : -1;
}

static void put(const char *folder, const char *name, const char *text)
{
    struct error error;
    char *path = path_join(folder, name);
    assert_ok(file_write(path, path, text, strlen(text), &error), error);
    free(path);
}

static void test_paths(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"a",  "b", "a/b"},
        {"a/", "b", "a/b"},
        {"",   "b", "b"  },
        {"/",  "b", "/b" }
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = path_join(cases[i][0], cases[i][1]);
        assert_string_equal(path, cases[i][2]);
        free(path);
    }
    assert_string_equal(path_name("a/b"), "b");
    assert_string_equal(path_name("b"), "b");
    assert_string_equal(path_name("a/"), "");
    char *text = format_text("%05d %s", 7, "x");
    assert_string_equal(text, "00007 x");
    free(text);
}

static void test_folder_make(void **state)
{
    struct error error;
    char *deep = path_join(*state, "a/b//c/"), *file = path_join(*state, "file"), *below = path_join(*state, "file/x");
    assert_false(folder_exists(deep));
    assert_ok(folder_make(deep, &error), error);
    assert_true(folder_exists(deep));
    assert_ok(folder_make(deep, &error), error);
    assert_ok(folder_make("/", &error), error);
    put(*state, "file", "");
    assert_true(file_exists(file) && !folder_exists(file) && !file_exists(deep));
    assert_ok(folder_check(deep, &error), error);
    assert_fails(folder_check(file, &error), error, "file: is a file, not a folder");
    assert_fails(folder_check(below, &error), error, "file/x: no such folder");
    assert_fails(folder_make(file, &error), error, "file: exists, but is not a folder");
    assert_fails(folder_make(below, &error), error, "is not a folder");
    assert_fails(folder_make("", &error), error, "empty");
    assert_fails(folder_make("/proc/nothing", &error), error, "/proc/nothing: can't make the folder");
    free(deep);
    free(file);
    free(below);
}

static void assert_lists(const char *folder, bool recursive, size_t count, const char *const *expected)
{
    struct error error;
    struct file_list list;
    assert_ok(file_list_make(&list, folder, recursive, midi_suffixes, &error), error);
    assert_int_equal(list.count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(list.paths[i], expected[i]);
    file_list_free(&list);
}

static void assert_skipped(const struct file_list *list, const char *path, enum path_skip reason, int error_number)
{
    for (size_t i = 0; i < list->num_skipped; i++)
        if (strcmp(list->skipped[i].path, path) == 0) {
            assert_int_equal(list->skipped[i].reason, reason);
            assert_int_equal(list->skipped[i].error_number, error_number);
            return;
        }
    fail_msg("%s is not listed as skipped", path);
}

static void test_list(void **state)
{
    struct error error;
    char *inner = path_join(*state, "x/y"), *link = path_join(*state, "x/link.mid"),
         *loop = path_join(*state, "x/loop");
    char *nowhere = path_join(*state, "nowhere.mid"), *folder_link = path_join(*state, "link.mid");
    char *folder = path_join(*state, "folder.mid"), *pipe = path_join(*state, "pipe.mid");
    assert_ok(folder_make(inner, &error), error);
    assert_ok(folder_make(folder, &error), error);
    put(*state, "b.mid", "");
    put(*state, "B.MIDI", "");
    put(*state, "c.txt", "");
    put(*state, ".hidden.mid", "");
    put(*state, "mid", "");
    put(inner, "a.mid", "");
    assert_int_equal(symlink("../b.mid", link), 0);
    assert_int_equal(symlink("..", loop), 0);
    assert_int_equal(symlink("gone", nowhere), 0);
    assert_int_equal(symlink("x", folder_link), 0);
    assert_int_equal(mkfifo(pipe, 0666), 0);
    static const char *const flat[] = {"B.MIDI", "b.mid"};
    static const char *const all[] = {"B.MIDI", "b.mid", "x/link.mid", "x/y/a.mid"};
    struct file_list flat_list;
    assert_ok(file_list_make(&flat_list, *state, false, midi_suffixes, &error), error);
    assert_skipped(&flat_list, "folder.mid", PATH_FOLDER, 0);
    assert_skipped(&flat_list, "link.mid", PATH_FOLDER, 0);
    assert_int_equal(flat_list.num_skipped, 4);
    file_list_free(&flat_list);
    assert_lists(*state, false, 2, flat);
    assert_lists(*state, true, 4, all);
    struct file_list list;
    assert_ok(file_list_make(&list, *state, true, midi_suffixes, &error), error);
    assert_skipped(&list, "pipe.mid", PATH_NOT_REGULAR, 0);
    assert_skipped(&list, "nowhere.mid", PATH_BROKEN_LINK, ENOENT);
    assert_int_equal(list.num_skipped, 2); /* link.mid leads to x, which is listed */
    file_list_free(&list);
    char *paths[] = {inner, link, loop, nowhere, folder_link, folder, pipe};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        free(paths[i]);
}

/* A folder outside, by two links to it and one within it to itself: once, by the first link's name. */
static void test_list_linked_folders(void **state)
{
    struct error error;
    char *input = path_join(*state, "linked/input"), *real = path_join(*state, "linked/real");
    char *first = path_join(input, "pack"), *second = path_join(input, "same"), *loop = path_join(real, "loop");
    assert_ok(folder_make(input, &error), error);
    assert_ok(folder_make(real, &error), error);
    put(real, "a.mid", "");
    assert_int_equal(symlink("../real", second), 0);
    assert_int_equal(symlink("../real", first), 0);
    assert_int_equal(symlink("..", loop), 0);
    static const char *const all[] = {"pack/a.mid"};
    assert_lists(input, true, 1, all);
    assert_lists(input, false, 0, NULL);
    free(input);
    free(real);
    free(first);
    free(second);
    free(loop);
}

/* Deeper than there may be open files. */
static void test_list_deep(void **state)
{
    enum { DEPTH = 60 };
    struct error error;
    struct rlimit limit, low = {.rlim_cur = 20};
    char *path = format_text("%s", (char *)*state);
    for (int i = 0; i < DEPTH; i++) {
        char *deeper = path_join(path, "d");
        free(path);
        path = deeper;
    }
    assert_ok(folder_make(path, &error), error);
    put(path, "a.mid", "");
    getrlimit(RLIMIT_NOFILE, &limit);
    low.rlim_max = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &low);
    struct file_list list;
    bool ok = file_list_make(&list, *state, true, midi_suffixes, &error);
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_ok(ok, error);
    assert_int_equal(list.count, 1);
    file_list_free(&list);
    free(path);
}

static void test_list_fails(void **state)
{
    struct error error;
    struct file_list list;
    char *missing = path_join(*state, "missing");
    put(*state, "file", "");
    char *file = path_join(*state, "file");
    assert_fails(file_list_make(&list, missing, true, midi_suffixes, &error), error,
                 "missing: can't read the folder: No");
    assert_fails(file_list_make(&list, file, true, midi_suffixes, &error), error, "Not a directory");
    assert_int_equal(list.count, 0);
    file_list_free(&list);
    free(missing);
    free(file);
}

static void test_read(void **state)
{
    struct error error;
    uint8_t *bytes;
    size_t size;
    char *path = path_join(*state, "file");
    assert_ok(file_write(path, path, "a\0b", 3, &error), error);
    assert_ok(file_read(&bytes, &size, path, 3, &error), error);
    assert_int_equal(size, 3);
    assert_memory_equal(bytes, "a\0b", 4);
    free(bytes);
    assert_fails(file_read(&bytes, &size, path, 2, &error), error, "file: is 3 bytes long; at most 2 are read");
    assert_ok(file_write(path, path, "", 0, &error), error);
    assert_ok(file_read(&bytes, &size, path, 0, &error), error);
    assert_int_equal(size, 0);
    free(bytes);
    free(path);
}

static void test_read_fails(void **state)
{
    struct error error;
    uint8_t *bytes;
    size_t size;
    char *missing = path_join(*state, "missing"), *pipe = path_join(*state, "pipe");
    assert_int_equal(mkfifo(pipe, 0666), 0);
    assert_fails(file_read(&bytes, &size, missing, 10, &error), error,
                 "missing: can't open: No such file or directory");
    assert_fails(file_read(&bytes, &size, *state, 10, &error), error, "is a folder");
    assert_fails(file_read(&bytes, &size, pipe, 10, &error), error, "is not a regular file");
    assert_fails(file_read(&bytes, &size, "/dev/zero", 10, &error), error, "is not a regular file");
    assert_fails(file_write("/dev/full", "shown", "x", 1, &error), error,
                 "shown: can't write: No space left on device");
    assert_fails(file_write(missing, missing, "x", 1, &error) && file_write(*state, *state, "x", 1, &error), error,
                 "Is a directory");
    free(missing);
    free(pipe);
}

/* A folder that can't be read is listed, and nothing is printed: a list may be made on any thread, while the log belongs to
 * one. */
static void test_list_reports_unreadable_folders(void **state)
{
    struct error error;
    struct file_list list;
    char *closed = path_join(*state, "closed");
    bool is_root = geteuid() == 0;
    assert_ok(folder_make(closed, &error), error);
    put(*state, "a.mid", "");
    put(closed, "b.mid", "");
    assert_int_equal(chmod(*state, 0755), 0);
    assert_int_equal(chmod(closed, 0), 0);
    log_set_level(LOG_LEVEL_DEBUG);
    struct capture capture = capture_start(STDERR_FILENO);
    if (is_root && seteuid(NOBODY) != 0)
        skip();
    bool ok = file_list_make(&list, *state, true, midi_suffixes, &error);
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    char *said = capture_end(&capture);
    log_set_level(LOG_LEVEL_INFO);
    assert_int_equal(chmod(closed, 0700), 0);
    assert_ok(ok, error);
    assert_string_equal(said, "");
    assert_int_equal(list.count, 1);
    assert_int_equal(list.num_skipped, 1);
    assert_skipped(&list, "closed", PATH_UNREADABLE_FOLDER, EACCES);
    file_list_free(&list);
    free(said);
    free(closed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test_setup_teardown(test_folder_make, make_scratch, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_list, make_scratch, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_list_reports_unreadable_folders, make_scratch, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_list_linked_folders, make_scratch, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_list_deep, make_scratch, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_list_fails, make_scratch, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_read, make_scratch, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_read_fails, make_scratch, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
