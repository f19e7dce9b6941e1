/* Shards that are written to the disk as their grids come: the same content as those that memory holds. */
#include "base/hdf5/seal.h"
#include "tests/data/data_set_fixture.h"
#include "tests/support/scratch.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NUM_GRIDS = 60, NUM_BARS = 100 };

/* A shard of grids that fill several chunks of each dataset, with the limit that is given; SIZE_MAX: none. */
static bool write_shard(const char *path, size_t most_memory, struct error *error)
{
    struct shard_writer writer = {0};
    struct atomic_file to;
    char style[] = "funk", drummer[] = "d1";
    bool ok = atomic_file_start(&to, path, error);
    if (ok && most_memory < SIZE_MAX)
        shard_writer_start(&writer, &to, most_memory);
    for (uint32_t number = 0; ok && number < NUM_GRIDS; number++) {
        char name[] = "p00.mid";
        struct grid grid = fixture_grid(number, NUM_BARS + number);
        struct performance about = {.path = name, .style = style, .drummer = drummer};
        name[1] = (char)('0' + number / 10);
        name[2] = (char)('0' + number % 10);
        ok = shard_writer_append(&writer, &about, &grid, error);
        grid_free(&grid);
    }
    ok = ok && shard_writer_write(&writer, &to, error);
    shard_writer_free(&writer);
    if (ok)
        return atomic_file_commit(&to, error);
    atomic_file_abandon(&to);
    return false;
}

static void test_same_content(void **state)
{
    static const size_t limits[] = {0, 100000, 1000000, 1 << 30};
    struct error error;
    struct shard whole, streamed;
    char *path = path_join(*state, "whole.h5"), *other = path_join(*state, "streamed.h5");
    assert_ok(write_shard(path, SIZE_MAX, &error), error);
    assert_ok(shard_read(&whole, path, &error), error);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        assert_ok(write_shard(other, limits[i], &error), error);
        assert_true(hdf5_seal_exists(other));
        assert_ok(shard_read(&streamed, other, &error), error);
        size_t cells = (size_t)whole.num_steps * NUM_DRUMS;
        assert_int_equal(streamed.num_steps, whole.num_steps);
        assert_int_equal(streamed.table.count, NUM_GRIDS);
        assert_memory_equal(streamed.hits, whole.hits, cells);
        assert_memory_equal(streamed.velocity, whole.velocity, cells);
        assert_memory_equal(streamed.offset, whole.offset, cells * sizeof *whole.offset);
        for (size_t row = 0; row < NUM_GRIDS; row++)
            assert_memory_equal(streamed.table.rows[row].digest, whole.table.rows[row].digest, DIGEST_SIZE);
        shard_free(&streamed);
    }
    shard_free(&whole);
    free(other);
    free(path);
}

/* Whatever byte of a streamed file changes, it is no shard any more. */
static void test_seal_holds(void **state)
{
    struct error error;
    struct shard shard;
    uint8_t *bytes;
    size_t size;
    char *path = path_join(*state, "a.h5");
    assert_ok(write_shard(path, 0, &error), error);
    assert_ok(file_read(&bytes, &size, path, 1 << 26, &error), error);
    for (size_t i = 1; i < 20; i++) {
        bytes[size / 20 * i] ^= 4;
        assert_ok(file_write(path, path, bytes, size, &error), error);
        assert_fails(shard_read(&shard, path, &error), error, "is damaged");
        bytes[size / 20 * i] ^= 4;
    }
    assert_ok(file_write(path, path, bytes, size, &error), error);
    assert_ok(shard_read(&shard, path, &error), error);
    shard_free(&shard);
    free(bytes);
    free(path);
}

/* Writes a shard in another process, whose files may not grow beyond `size` bytes, as on a full disk; HDF5 leaves memory behind
 * where it can't write. Returns the message of the failure. */
static struct error write_with_limit(const char *path, rlim_t size)
{
    int ends[2];
    struct error error = {.message = ""};
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit limit = {size, size};
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || write_shard(path, 0, &error))
            snprintf(error.message, sizeof error.message, "did not fail");
        _exit(write(ends[1], &error, sizeof error) == sizeof error ? 0 : 1);
    }
    close(ends[1]);
    int status = -1;
    assert_int_equal(read(ends[0], &error, sizeof error), sizeof error);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    return error;
}

/* An error with the file's name wherever the limit is met, and nothing left behind. */
static void test_no_room(void **state)
{
    char *path = path_join(*state, "a.h5");
    for (rlim_t size = 1000; size < 2500000; size += size / 3) {
        struct error error = write_with_limit(path, size);
        assert_contains(error.message, "a.h5");
        assert_int_equal(scratch_count(*state), 0);
    }
    free(path);
}

int main(void)
{
    hdf5_start(); /* before any other call of HDF5: what it does at the end crashes after a failed write */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same_content, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_seal_holds, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_no_room, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
