/* A process that reads a file, and does not answer as it must: a crash, an endless loop, idleness, too much memory, answers that are
 * cut short or lies. This very program plays it: a helper starts what DRUMLINE_HDF5_READER names, and DRUMLINE_TEST_READER says what it
 * does then. */
#include "base/hdf5/helper.h"
#include "tests/base/hdf5_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NUM_ROWS = 5 };

static char *own_path;

static void answer(const struct hdf5_answer *answer, size_t size)
{
    if (send(HDF5_READER_SOCKET, answer, size, MSG_NOSIGNAL) != (ssize_t)size)
        _exit(9);
}

static void fault(int number)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(number, SIG_DFL); /* not a sanitizer's */
    raise(number);
    _exit(8);
}

/* An answer whose values are gone before it comes. */
static void take_memory_away(const struct hdf5_answer *it)
{
    if (ftruncate(HDF5_READER_WINDOW, 0) != 0)
        _exit(7);
    answer(it, sizeof *it);
}

/* An answer to the request that is right but for its first `size` bytes alone being sent, its number, its size and what is in the
 * window. */
static void lie(const char *how, uint32_t number)
{
    struct hdf5_answer it = {.number = number};
    if (strcmp(how, "truth") == 0) {
        const uint64_t value = 12345;
        it.size = sizeof value;
        if (pwrite(HDF5_READER_WINDOW, &value, sizeof value, 0) < 0)
            _exit(6);
        answer(&it, sizeof it);
    } else if (strcmp(how, "short") == 0)
        answer(&it, sizeof it / 2);
    else if (strcmp(how, "long") == 0) {
        struct hdf5_answer two[2] = {it, it};
        answer(two, sizeof two);
    } else if (strcmp(how, "number") == 0)
        answer(&(struct hdf5_answer){.number = number + 1}, sizeof it);
    else if (strcmp(how, "size") == 0)
        answer(&(struct hdf5_answer){.number = number, .size = UINT64_MAX}, sizeof it);
    else if (strcmp(how, "much") == 0)
        answer(&(struct hdf5_answer){.number = number, .size = 9}, sizeof it);
    else if (strcmp(how, "shrunk") == 0) {
        it.size = 8;
        take_memory_away(&it);
    } else if (strcmp(how, "refusal") == 0) {
        const char text[] = "no\x1b[31m \xff\n";
        if (pwrite(HDF5_READER_WINDOW, text, sizeof text - 1, 0) < 0)
            _exit(6);
        answer(&(struct hdf5_answer){.number = number, .is_refused = 1, .error_number = -5, .size = sizeof text - 1},
               sizeof it);
    }
}

static int wait_for_end(void)
{
    struct hdf5_request request;
    while (recv(HDF5_READER_SOCKET, &request, sizeof request, 0) > 0)
        continue;
    return 0;
}

static uint64_t row_value(uint64_t row)
{
    return 3 * row + 1;
}

static const char *const played_files[] = {"later", "large", "rows", "vanish", "deaf"};

/* Answers as one of a file of FORMAT with nothing in it, until something that `how` is about is asked for. Rows come one at a time,
 * in one area of the window after the other. */
static int play_file(const char *how)
{
    struct hdf5_request request;
    uint32_t area = 0;
    if (ftruncate(HDF5_READER_WINDOW, HDF5_WINDOW_SIZE) != 0)
        return 6;
    while (recv(HDF5_READER_SOCKET, &request, sizeof request, 0) == (ssize_t)sizeof request) {
        struct hdf5_answer it = {.number = request.number};
        const uint64_t version = 1, large[2] = {UINT64_C(1) << 40, 9};
        const void *bytes = request.kind == HDF5_ASK_STRING ? (const void *)FORMAT : &version;
        if (strcmp(request.name, "x") == 0 && strcmp(how, "later") == 0)
            fault(SIGSEGV);
        it.value = request.kind == HDF5_ASK_HAS_ATTRIBUTE;
        it.size = request.kind == HDF5_ASK_STRING ? strlen(FORMAT) : request.kind == HDF5_ASK_INTS ? sizeof version : 0;
        if (request.kind == HDF5_ASK_DIMS) {
            bytes = large;
            it.size = sizeof large;
        }
        const uint64_t row = row_value(request.first);
        if (request.kind == HDF5_ASK_ROWS) {
            if (request.area != area)
                return 7;
            area = (area + 1) % HDF5_NUM_AREAS;
            bytes = &row;
            it.size = sizeof row;
            if (strcmp(how, "vanish") == 0 && request.first == 2) {
                take_memory_away(&it);
                return wait_for_end();
            }
            while (strcmp(how, "deaf") == 0) { /* answers what it has not been asked yet */
                answer(&it, sizeof it);
                it.number++;
            }
        }
        if (pwrite(HDF5_READER_WINDOW, bytes, (size_t)it.size, (off_t)request.area * HDF5_AREA_SIZE) < 0)
            return 6;
        answer(&it, sizeof it);
    }
    return 0;
}

/* The reader that DRUMLINE_TEST_READER describes. */
static int play(const char *how)
{
    struct hdf5_request request;
    struct hdf5_answer hello = {.value = strcmp(how, "version") == 0 ? HDF5_PROTOCOL + 1 : HDF5_PROTOCOL};
    if (strcmp(how, "no start") == 0)
        return 3;
    answer(&hello, sizeof hello);
    for (size_t i = 0; i < sizeof played_files / sizeof *played_files; i++)
        if (strcmp(how, played_files[i]) == 0)
            return play_file(how);
    if (recv(HDF5_READER_SOCKET, &request, sizeof request, 0) != (ssize_t)sizeof request)
        return 4;
    if (strcmp(how, "crash") == 0)
        fault(SIGSEGV);
    else if (strcmp(how, "abort") == 0)
        fault(SIGABRT);
    else if (strcmp(how, "time") == 0)
        fault(SIGXCPU);
    else if (strcmp(how, "killed") == 0)
        fault(SIGKILL);
    else if (strcmp(how, "end") == 0)
        return 5;
    else if (strcmp(how, "close") == 0)
        close(HDF5_READER_SOCKET);
    else
        lie(how, request.number);
    if (strcmp(how, "loop") == 0)
        for (volatile int i = 0;; i = !i)
            continue;
    while (strcmp(how, "idle") == 0 || strcmp(how, "close") == 0)
        pause();
    return wait_for_end();
}

/* One request for at most 8 bytes of a reader that plays `how`; *value becomes them. */
static bool ask(const char *how, const struct hdf5_helper_limits *limits, uint64_t *value, struct error *error)
{
    struct hdf5_helper helper;
    struct hdf5_answer got = {0};
    struct hdf5_request request = {.kind = HDF5_ASK_OPEN};
    bool is_lost = false;
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0 && setenv("DRUMLINE_HDF5_READER", own_path, 1) == 0 &&
                setenv("DRUMLINE_TEST_READER", how, 1) == 0);
    bool ok = hdf5_helper_start(&helper, file, error);
    close(file);
    if (ok && limits)
        helper.limits = *limits;
    ok = ok && hdf5_helper_send(&helper, &request, error) &&
         hdf5_helper_receive(&helper, &got, &is_lost, sizeof *value, error) &&
         hdf5_helper_take(&helper, value, (size_t)got.size, error);
    assert_true(!is_lost || helper.pid == 0);
    hdf5_helper_stop(&helper);
    assert_true(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD); /* no process is left, dead or alive */
    return ok;
}

static void refuses(const char *how, const char *reason, int number)
{
    struct error error = {.message = ""};
    uint64_t value;
    assert_false(ask(how, NULL, &value, &error));
    assert_contains(error.message, reason);
    assert_int_equal(error.number, number);
}

static void test_answer(void **state)
{
    struct error error;
    uint64_t value;
    (void)state;
    value = 0;
    assert_ok(ask("truth", NULL, &value, &error), error);
    assert_int_equal(value, 12345);
}

static void test_ends(void **state)
{
    (void)state;
    refuses("crash", "is damaged: HDF5 crashed reading it (signal 11, ", 0);
    refuses("abort", "is damaged: HDF5 crashed reading it (signal 6, ", 0);
    refuses("time", "is damaged: HDF5 used too much CPU time", 0);
    refuses("end", "is damaged: HDF5 ended with status 5", 0);
    refuses("close", "is damaged: its reader stopped answering", 0);
    refuses("killed", "the process that read it was killed, perhaps for want of memory", ENOMEM);
    refuses("no start", "drumline-hdf5-reader, which reads HDF5 files, does not start (", EIO);
    refuses("version", "drumline-hdf5-reader, which reads HDF5 files, is of another version", EPROTO);
}

static void test_lies(void **state)
{
    static const char *const whole[] = {"short", "long"}, *const parts[] = {"number", "size", "much"};
    (void)state;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        refuses(whole[i], "is damaged: its reader's answer is no answer", 0);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        refuses(parts[i], "is damaged: its reader's answer makes no sense", 0);
    refuses("shrunk", "is damaged: its reader took its memory away", 0);
    refuses("refusal", "no?[31m ??", 0);
}

/* Limits are met by what was measured, however long it takes here. */
static void test_limits(void **state)
{
    const struct hdf5_helper_limits no_cpu = {0.05, 1e9, 1e9}, no_idleness = {1e9, 0.3, 1e9}, no_time = {1e9, 1e9, 0.3};
    struct error error;
    uint64_t value;
    (void)state;
    assert_fails(ask("loop", &no_cpu, &value, &error), error, "used more than 0.05 s of CPU time for one part of it");
    assert_int_equal(error.number, 0);
    assert_fails(ask("idle", &no_idleness, &value, &error), error, "did nothing for 0.3 s while reading it");
    assert_fails(ask("idle", &no_time, &value, &error), error, "one part of it took more than 0.3 s to read");
    assert_int_equal(error.number, ETIMEDOUT);
}

static void test_missing(void **state)
{
    struct error error;
    struct hdf5_helper helper;
    (void)state;
    setenv("DRUMLINE_HDF5_READER", "/nowhere/reader", 1);
    assert_fails(hdf5_helper_start(&helper, 0, &error), error,
                 "can't start /nowhere/reader, which reads HDF5 files: No such file or directory");
    assert_int_equal(error.number, ENOENT);
}

/* How many descriptors are open. */
static int count_descriptors(void)
{
    int count = 0;
    for (int i = 0; i < 256; i++)
        count += fcntl(i, F_GETFD) >= 0;
    return count;
}

/* What a file's reader does wrong is said of that file, for the first and each later thing that is read. */
static void test_file_is_named(void **state)
{
    struct error error;
    struct hdf5_reader *reader;
    char *path = path_join(*state, "a.h5");
    int before = count_descriptors();
    setenv("DRUMLINE_HDF5_READER", own_path, 1);
    setenv("DRUMLINE_TEST_READER", "crash", 1);
    assert_ok(file_write(path, path, "MThd", 4, &error), error);
    assert_fails(hdf5_open(&reader, path, FORMAT, &error), error, "a.h5: is damaged: HDF5 crashed reading it");
    assert_null(reader);
    assert_null(hdf5_read_format(path, &error));
    assert_contains(error.message, "a.h5: is damaged: HDF5 crashed reading it");
    assert_int_equal(count_descriptors(), before);
    free(path);
}

/* Opens a file whose reader plays `how`. */
static struct hdf5_reader *open_played(const char *path, const char *how)
{
    struct error error;
    struct hdf5_reader *reader;
    setenv("DRUMLINE_HDF5_READER", own_path, 1);
    setenv("DRUMLINE_TEST_READER", how, 1);
    assert_ok(file_write(path, path, "MThd", 4, &error), error);
    assert_ok(hdf5_open(&reader, path, FORMAT, &error), error);
    return reader;
}

/* What can't be known because the reader ended is not taken for missing, and all that is read later fails too. */
static void test_lost_between(void **state)
{
    struct error error;
    int64_t number;
    char *path = path_join(*state, "a.h5");
    struct hdf5_reader *reader = open_played(path, "later");
    assert_true(hdf5_has_attribute(reader, "x") && hdf5_has_object(reader, "/x"));
    for (int i = 0; i < 2; i++)
        assert_fails(hdf5_read_int(&number, reader, "x", &error), error, "a.h5: is damaged: HDF5 crashed reading it");
    hdf5_reader_close(&reader);
    free(path);
}

/* A reader may say that a dataset is as large as it likes. */
static void test_large_lies(void **state)
{
    struct error error;
    hsize_t dims[2];
    char *path = path_join(*state, "a.h5");
    struct hdf5_reader *reader = open_played(path, "large");
    assert_fails(hdf5_dataset_dims(dims, reader, "/x", 2, &error), error,
                 "a.h5: /x: claims to be larger than what is stored");
    hdf5_reader_close(&reader);
    free(path);
}

/* Rows come from both areas in turn. */
static void test_rows_in_parts(void **state)
{
    struct error error;
    const hsize_t dims[1] = {NUM_ROWS};
    uint64_t rows[NUM_ROWS] = {0};
    char *path = path_join(*state, "a.h5");
    struct hdf5_reader *reader = open_played(path, "rows");
    assert_ok(hdf5_read_dataset(rows, reader, "/x", HDF5_UINT64, 1, dims, &error), error);
    for (uint64_t i = 0; i < NUM_ROWS; i++)
        assert_int_equal(rows[i], row_value(i));
    hdf5_reader_close(&reader);
    free(path);
}

static void test_memory_taken_away_between_parts(void **state)
{
    struct error error;
    const hsize_t dims[1] = {NUM_ROWS};
    uint64_t rows[NUM_ROWS];
    int64_t number;
    char *path = path_join(*state, "a.h5");
    struct hdf5_reader *reader = open_played(path, "vanish");
    assert_fails(hdf5_read_dataset(rows, reader, "/x", HDF5_UINT64, 1, dims, &error), error,
                 "a.h5: is damaged: its reader took its memory away");
    assert_fails(hdf5_read_int(&number, reader, "version", &error), error, "its reader took its memory away");
    assert_true(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
    hdf5_reader_close(&reader);
    free(path);
}

/* A reader that takes no requests is not waited for. */
static void test_requests_not_taken(void **state)
{
    enum { MANY_ROWS = 100000 };
    struct error error;
    const hsize_t dims[1] = {MANY_ROWS};
    uint64_t *rows = malloc(MANY_ROWS * sizeof *rows);
    char *path = path_join(*state, "a.h5");
    struct hdf5_reader *reader = open_played(path, "deaf");
    assert_fails(hdf5_read_dataset(rows, reader, "/x", HDF5_UINT64, 1, dims, &error), error,
                 "a.h5: is damaged: its reader takes no requests");
    assert_true(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
    hdf5_reader_close(&reader);
    free(rows);
    free(path);
}

int main(int argc, char **argv)
{
    const char *how = getenv("DRUMLINE_TEST_READER");
    (void)argc;
    if (how)
        return play(how);
    own_path = realpath(argv[0], NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_missing),
        cmocka_unit_test_setup_teardown(test_file_is_named, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_lost_between, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_large_lies, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_rows_in_parts, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_memory_taken_away_between_parts, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_requests_not_taken, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
