#include "base/hdf5/hdf5.h"
#include "base/hdf5/seal.h"
#include "base/random.h"
#include "tests/support/save.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#include <fcntl.h>
#include <unistd.h>

/* XXH3's sanity values for 64 bits with seed 0 begin with that of no bytes (xxHash, tests/sanity_test_vectors.h). */
static void test_known_answer(void **state)
{
    (void)state;
    char seal[HDF5_SEAL_SIZE];
    hdf5_seal_make(seal, "", 0);
    assert_string_equal(seal, "drumline-seal 1 xxh3=2d06800538d394c2 size=00000000000000000000\n");
    for (size_t i = strlen(seal); i < sizeof seal; i++)
        assert_int_equal(seal[i], 0);
}

/* A sealed file, longer than one block of reading. Owned by the caller. */
static uint8_t *make_sealed(size_t size)
{
    uint8_t *bytes = malloc(HDF5_SEAL_SIZE + size + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[HDF5_SEAL_SIZE + i] = (uint8_t)(i * 7 + i / 251);
    hdf5_seal_make((char *)bytes, bytes + HDF5_SEAL_SIZE, size);
    return bytes;
}

static bool check_bytes(const char *path, const uint8_t *bytes, size_t size, struct error *error)
{
    assert_ok(file_write(path, path, bytes, size, error), *error);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(descriptor >= 0);
    bool ok = hdf5_seal_check(descriptor, path, error);
    close(descriptor);
    return ok;
}

static void test_check(void **state)
{
    enum { SIZE = 550001, WHOLE = SIZE + HDF5_SEAL_SIZE };
    struct error error;
    char *path = path_join(*state, "a.h5");
    uint8_t *bytes = make_sealed(SIZE);
    assert_ok(check_bytes(path, bytes, WHOLE, &error), error);
    assert_fails(check_bytes(path, bytes, WHOLE - 1, &error), error, "a.h5: is cut off: it has 550512 of 550513 bytes");
    assert_fails(check_bytes(path, bytes, HDF5_SEAL_SIZE, &error), error, "is cut off: it has 512 of");
    assert_fails(check_bytes(path, bytes, 100, &error), error, "a.h5: is damaged (its first 512 bytes");
    assert_fails(check_bytes(path, bytes, WHOLE + 1, &error), error, "its checksum does not hold");
    for (size_t i = HDF5_SEAL_SIZE; i < WHOLE; i += 9973) {
        bytes[i] ^= 0x10;
        assert_fails(check_bytes(path, bytes, WHOLE, &error), error, "its checksum does not hold");
        bytes[i] ^= 0x10;
    }
    free(bytes);
    free(path);
}

/* No byte of the seal behind its first word can change unseen; without that word, there is none. */
static void test_changed_seal(void **state)
{
    enum { SIZE = 100 };
    struct error error;
    char *path = path_join(*state, "a.h5");
    uint8_t *bytes = make_sealed(SIZE);
    for (size_t i = 0; i < HDF5_SEAL_SIZE; i++) {
        bytes[i] ^= 1;
        bool ok = check_bytes(path, bytes, SIZE + HDF5_SEAL_SIZE, &error);
        assert_int_equal(ok, i < strlen("drumline-seal "));
        bytes[i] ^= 1;
    }
    assert_ok(check_bytes(path, (const uint8_t *)"", 0, &error), error);
    assert_ok(check_bytes(path, (const uint8_t *)"\x89HDF", 4, &error), error);
    free(bytes);
    free(path);
}

static bool read_whole(const char *path, struct error *error)
{
    struct hdf5_reader *file;
    float values[64];
    const hsize_t size = 64;
    char *name;
    if (!hdf5_open(&file, path, "drumline-example", error))
        return false;
    bool ok = hdf5_read_string(&name, file, "name", error);
    if (ok)
        free(name);
    ok = ok && hdf5_read_dataset(values, file, "g/w", HDF5_FLOAT, 1, &size, error);
    for (int i = 0; ok && i < 64; i++)
        ok = values[i] == (float)i || error_set(error, "a wrong value was read");
    hdf5_reader_close(&file);
    return ok;
}

/* Damage anywhere in a file of ours is found before HDF5, which crashes on some of it, is given the file. */
static void test_damaged_files(void **state)
{
    struct error error;
    char *path = path_join(*state, "a.h5");
    float values[64];
    const hsize_t count = 64;
    hid_t file;
    struct atomic_file to;
    uint8_t *bytes;
    size_t size;
    for (int i = 0; i < 64; i++)
        values[i] = (float)i;
    assert_ok(hdf5_create(&file, path, "drumline-example", &error), error);
    assert_ok(hdf5_write_string(file, "name", "x", &error), error);
    assert_ok(hdf5_write_dataset(file, "g/w", H5T_NATIVE_FLOAT, 1, &count, values, HDF5_CONTIGUOUS, &error), error);
    assert_ok(SAVE(path, &to, hdf5_save(&file, &to, &error), &error), error);
    assert_ok(read_whole(path, &error), error);
    assert_ok(file_read(&bytes, &size, path, 1 << 20, &error), error);
    for (uint32_t round = 0; round < 500; round++) {
        struct random_stream stream;
        random_stream_start(&stream, 1, 1, round, 0);
        size_t place = HDF5_SEAL_SIZE + random_below(&stream, (uint32_t)(size - HDF5_SEAL_SIZE));
        const uint8_t before = bytes[place];
        bytes[place] = (uint8_t)(before ^ (1 + random_below(&stream, 255)));
        assert_ok(file_write(path, path, bytes, size, &error), error);
        assert_fails(read_whole(path, &error), error, "a.h5: is damaged, or was changed by another program");
        bytes[place] = before;
    }
    free(bytes);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answer),
        cmocka_unit_test_setup_teardown(test_check, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_changed_seal, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_files, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
