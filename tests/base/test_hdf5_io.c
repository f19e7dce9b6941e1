#include "tests/base/hdf5_fixture.h"
#include "tests/base/hdf5_settings.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

static void check_dataset(const char *path, enum hdf5_storage storage, int num_dims, const hsize_t *dims)
{
    struct error error;
    size_t count = 1;
    for (int i = 0; i < num_dims; i++)
        count *= (size_t)dims[i];
    float *values = calloc(count + 1, sizeof *values), *found = calloc(count + 1, sizeof *found);
    assert_true(values && found);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)i * 0.25f;
    hid_t file = create(path);
    assert_ok(hdf5_write_dataset(file, "/model/x/w", H5T_NATIVE_FLOAT, num_dims, dims, values, storage, &error), error);
    struct hdf5_reader *reader = open_again(file, path);
    hsize_t found_dims[HDF5_MAX_DIMENSIONS] = {77, 77, 77, 77};
    assert_ok(hdf5_dataset_dims(found_dims, reader, "/model/x/w", num_dims, &error), error);
    assert_memory_equal(found_dims, dims, (size_t)num_dims * sizeof *dims);
    assert_ok(hdf5_read_dataset(found, reader, "model/x/w", HDF5_FLOAT, num_dims, dims, &error), error);
    assert_memory_equal(found, values, count * sizeof *values);
    hdf5_reader_close(&reader);
    free(values);
    free(found);
}

static void test_datasets(void **state)
{
    char *path = path_join(*state, "a.h5");
    static const hsize_t dims[][HDF5_MAX_DIMENSIONS] = {
        {7 },
        {3,  5},
        {0,  9},
        {2,0, 3},
        {2,  3, 4, 5},
        {100003, 9},
        {5000000 }
    };
    static const int num_dims[] = {1, 2, 2, 3, 4, 2, 1};
    for (size_t i = 0; i < sizeof num_dims / sizeof *num_dims; i++)
        for (int storage = HDF5_CONTIGUOUS; storage <= HDF5_COMPRESSED; storage++)
            check_dataset(path, (enum hdf5_storage)storage, num_dims[i], dims[i]);
    check_dataset(path, HDF5_CHECKSUMMED, 0, NULL);
    free(path);
}

static void test_dataset_mismatches(void **state)
{
    struct error error;
    char *path = path_join(*state, "a.h5");
    const float values[6] = {0};
    float found[16];
    const hsize_t dims[2] = {2, 3}, other[2] = {3, 2}, three[3] = {2, 3, 1};
    hsize_t found_dims[4];
    hid_t file = create(path);
    assert_ok(hdf5_write_dataset(file, "g/w", H5T_NATIVE_FLOAT, 2, dims, values, HDF5_CONTIGUOUS, &error), error);
    assert_fails(hdf5_write_dataset(file, "g/w", H5T_NATIVE_FLOAT, 2, dims, values, HDF5_CONTIGUOUS, &error), error,
                 "a.h5: g/w: can't make the dataset (");
    struct hdf5_reader *reader = open_again(file, path);
    assert_fails(hdf5_read_dataset(found, reader, "g/w", HDF5_FLOAT, 2, other, &error), error,
                 "a.h5: g/w: the size of dimension 0 is 2, but must be 3");
    assert_fails(hdf5_read_dataset(found, reader, "g/w", HDF5_FLOAT, 3, three, &error), error, "number of dimensions");
    assert_fails(hdf5_dataset_dims(found_dims, reader, "g/w", 1, &error), error, "number of dimensions");
    assert_fails(hdf5_read_dataset(found, reader, "g/w", HDF5_UINT8, 2, dims, &error), error, "of another type");
    assert_fails(hdf5_read_dataset(found, reader, "g/v", HDF5_FLOAT, 2, dims, &error), error,
                 "g/v: the dataset is missing");
    assert_fails(hdf5_read_dataset(found, reader, "h/v", HDF5_FLOAT, 2, dims, &error), error,
                 "h/v: the dataset is missing");
    assert_fails(hdf5_read_dataset(found, reader, "g", HDF5_FLOAT, 2, dims, &error), error,
                 "g: can't open the dataset");
    assert_fails(hdf5_read_dataset(found, reader, "g/w/x", HDF5_FLOAT, 2, dims, &error), error, "is missing");
    assert_fails(hdf5_dataset_dims(found_dims, reader, "", 2, &error), error, "is missing");
    hdf5_reader_close(&reader);
    free(path);
}

struct pair {
    int32_t number;
    char name[8];
};

static hid_t pair_type(bool with_name)
{
    hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(struct pair)), name = text_type(8, H5T_STR_NULLTERM);
    H5Tset_cset(name, H5T_CSET_UTF8);
    H5Tinsert(type, "number", offsetof(struct pair, number), H5T_NATIVE_INT32);
    if (with_name)
        H5Tinsert(type, "name", offsetof(struct pair, name), name);
    H5Tclose(name);
    return type;
}

/* A table must have every member that is read. */
static void test_compounds(void **state)
{
    struct error error;
    char *path = path_join(*state, "a.h5");
    const struct pair pairs[2] = {
        {1, "one"},
        {2, "two"}
    };
    struct pair found[2];
    const hsize_t two = 2;
    const struct hdf5_member members[] = {
        {"number", HDF5_MEMBER_UINT32, offsetof(struct pair, number),                 sizeof(int32_t)},
        {"name",        HDF5_MEMBER_TEXT,                     offsetof(struct pair,                  name), 8},
        {"gone",       HDF5_MEMBER_FLOAT,                         0,                                        sizeof(float)                                       },
    };
    uint64_t sizes[3];
    hid_t file = create(path), whole = pair_type(true), part = pair_type(false);
    assert_ok(hdf5_write_dataset(file, "whole", whole, 1, &two, pairs, HDF5_COMPRESSED, &error), error);
    assert_ok(hdf5_write_dataset(file, "part", part, 1, &two, pairs, HDF5_COMPRESSED, &error), error);
    struct hdf5_reader *reader = open_again(file, path);
    assert_ok(hdf5_table_layout(sizes, reader, "whole", members, 3, &error), error);
    assert_true(sizes[0] == 1 && sizes[1] == 8 && sizes[2] == 0);
    assert_ok(hdf5_table_layout(sizes, reader, "part", members, 3, &error), error);
    assert_true(sizes[0] == 1 && sizes[1] == 0 && sizes[2] == 0);
    assert_ok(hdf5_read_table(found, sizeof *found, 2, reader, "whole", members, 2, &error), error);
    assert_memory_equal(found, pairs, sizeof pairs);
    assert_ok(hdf5_read_table(found, sizeof *found, 2, reader, "whole", members, 1, &error), error);
    assert_fails(hdf5_read_table(found, sizeof *found, 3, reader, "whole", members, 2, &error), error,
                 "whole: the size of dimension 0 is 2, but must be 3");
    assert_fails(hdf5_read_table(found, sizeof *found, 2, reader, "part", members, 2, &error), error,
                 "part: lacks a column, or has one of another kind");
    hdf5_reader_close(&reader);
    H5Tclose(whole);
    H5Tclose(part);
    free(path);
}

/* Makes a dataset as `properties` says, without writing to it. */
static void put_unwritten(const char *path, hid_t properties, hsize_t size)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), space = H5Screate_simple(1, &size, NULL);
    hid_t dataset = H5Dcreate2(file, "w", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    assert_true(dataset >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Pclose(properties);
    H5Fclose(file);
}

/* Nobody must take memory for what a file only claims to hold, or read another file through one of ours. */
static void test_claims(void **state)
{
    struct error error;
    char *path = path_join(*state, "a.h5");
    hsize_t dims[1];
    const hsize_t chunk = 1024;
    put_foreign(path, FORMAT, 1);
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(properties, 1, &chunk);
    put_unwritten(path, properties, UINT64_C(1) << 60);
    struct hdf5_reader *file;
    assert_ok(hdf5_open(&file, path, FORMAT, &error), error);
    assert_fails(hdf5_dataset_dims(dims, file, "w", 1, &error), error,
                 "w: claims to be larger than what is stored can hold");
    hdf5_reader_close(&file);
    put_foreign(path, FORMAT, 1);
    properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(properties, "/etc/passwd", 0, 16);
    put_unwritten(path, properties, 4);
    assert_ok(hdf5_open(&file, path, FORMAT, &error), error);
    assert_fails(hdf5_dataset_dims(dims, file, "w", 1, &error), error,
                 "w: is stored in other files (external storage)");
    hdf5_reader_close(&file);
    free(path);
}

/* Code that a filter's number names is never looked for. */
static void test_no_plugins(void **state)
{
    unsigned loaded = ~0u;
    (void)state;
    hdf5_start();
    assert_true(H5PLget_loading_state(&loaded) >= 0);
    assert_int_equal(loaded, 0);
}

/* The first test, because the link is made with what hdf5_start turns off. */
static void test_external_link(void **state)
{
    struct error error;
    char *path = path_join(*state, "a.h5"), *other = path_join(*state, "b.h5");
    const float value = 1;
    float found;
    struct hdf5_reader *reader;
    const hsize_t one = 1;
    put_foreign(other, FORMAT, 1);
    hid_t file = H5Fopen(other, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_ok(hdf5_write_dataset(file, "w", H5T_NATIVE_FLOAT, 1, &one, &value, HDF5_CONTIGUOUS, &error), error);
    H5Fclose(file);
    put_foreign(path, FORMAT, 1);
    file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(H5Lcreate_external(other, "w", file, "w", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    hid_t linked = H5Dopen2(file, "w", H5P_DEFAULT);
    assert_true(linked >= 0);
    H5Dclose(linked);
    H5Fclose(file);
    assert_ok(hdf5_open(&reader, path, FORMAT, &error), error);
    assert_fails(hdf5_read_dataset(&found, reader, "w", HDF5_FLOAT, 1, &one, &error), error,
                 "w: is reached by a link that may lead to another file");
    hdf5_reader_close(&reader);
    file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hdf5_start();
    assert_true(H5Dopen2(file, "w", H5P_DEFAULT) < 0);
    H5Fclose(file);
    free(path);
    free(other);
}

/* H5dont_atexit succeeds once: if it fails now, hdf5_start has called it. */
static void test_nothing_at_the_end(void **state)
{
    (void)state;
    hdf5_start();
    assert_true(H5dont_atexit() < 0);
}

/* A small file with something of each kind in it. */
static uint8_t *make_sample(const char *path, size_t *size)
{
    struct error error;
    uint8_t *bytes = NULL;
    float values[300];
    const hsize_t dims[2] = {30, 10};
    struct values settings = {
        .count = 5, .name = "n", .sizes = {2, {3, 4}}
    };
    for (int i = 0; i < 300; i++)
        values[i] = (float)i;
    hid_t file = create(path);
    assert_ok(hdf5_write_settings(file, &table, &settings, &error), error);
    assert_ok(hdf5_write_dataset(file, "g/c", H5T_NATIVE_FLOAT, 2, dims, values, HDF5_CHECKSUMMED, &error), error);
    assert_ok(hdf5_write_dataset(file, "g/d", H5T_NATIVE_FLOAT, 2, dims, values, HDF5_COMPRESSED, &error), error);
    assert_ok(save(&file, path, &error), error);
    assert_ok(file_read(&bytes, size, path, 1 << 20, &error), error);
    return bytes;
}

/* Reads all of a file; true where nothing failed and the values are right. */
static bool read_sample(const char *path, struct error *error)
{
    float values[300];
    const hsize_t dims[2] = {30, 10};
    struct values settings = {0};
    struct hdf5_reader *file;
    settings_default(&table, &settings);
    if (!hdf5_open(&file, path, FORMAT, error))
        return false;
    bool ok = hdf5_read_settings(&settings, file, &table, error) &&
              hdf5_read_dataset(values, file, "g/c", HDF5_FLOAT, 2, dims, error);
    for (int i = 0; ok && i < 300; i++)
        ok = values[i] == (float)i || error_set(error, "a checksum did not find a changed value");
    ok = ok && hdf5_read_dataset(values, file, "g/d", HDF5_FLOAT, 2, dims, error);
    hdf5_reader_close(&file);
    settings_free(&table, &settings);
    return ok;
}

static void test_cut_files(void **state)
{
    struct error error;
    size_t size;
    char *path = path_join(*state, "a.h5");
    uint8_t *bytes = make_sample(path, &size);
    assert_ok(read_sample(path, &error), error);
    for (size_t length = 0; length < size; length += 1 + length / 16) {
        assert_ok(file_write(path, path, bytes, length, &error), error);
        assert_fails(read_sample(path, &error), error, "a.h5: ");
    }
    free(bytes);
    free(path);
}

/* A value that was changed is found by the dataset's checksum, where there is no seal to find it. */
static void test_changed_values(void **state)
{
    struct error error;
    size_t size, num_changed = 0;
    char *path = path_join(*state, "a.h5");
    uint8_t *bytes = make_sample(path, &size);
    for (size_t i = 0; i + 4 <= size; i++) {
        const float sought = 123.0f, changed = 124.0f;
        if (memcmp(bytes + i, &sought, sizeof sought) != 0)
            continue;
        memcpy(bytes + i, &changed, sizeof changed);
        num_changed++;
    }
    assert_int_equal(num_changed, 1);
    memset(bytes, 0, HDF5_SEAL_SIZE);
    assert_ok(file_write(path, path, bytes, size, &error), error);
    assert_fails(read_sample(path, &error), error, "g/c: the dataset is damaged (");
    free(bytes);
    free(path);
}

static void test_full_disk(void **state)
{
    struct error error = {.message = ""};
    struct rlimit limit, low = {.rlim_cur = 4096};
    static float values[10000];
    const hsize_t count = 10000;
    char *path = path_join(*state, "a.h5");
    hid_t file = create(path);
    assert_ok(hdf5_write_dataset(file, "w", H5T_NATIVE_FLOAT, 1, &count, values, HDF5_CONTIGUOUS, &error), error);
    getrlimit(RLIMIT_FSIZE, &limit);
    low.rlim_max = limit.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &low);
    bool ok = save(&file, path, &error);
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_false(ok);
    assert_contains(error.message, "a.h5: can't write: File too large");
    assert_true(file == H5I_INVALID_HID);
    free(path);
}

/* The clocks that HDF5 may ask, so many seconds ahead. */
static time_t seconds_ahead;

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec real;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &real);
    *now = (struct timeval){.tv_sec = real.tv_sec + seconds_ahead, .tv_usec = real.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *now)
{
    struct timeval real;
    gettimeofday(&real, NULL);
    if (now)
        *now = real.tv_sec;
    return real.tv_sec;
}

/* The same content is the same bytes, whenever it is written. */
static void test_same_bytes(void **state)
{
    char *path = path_join(*state, "a.h5");
    size_t sizes[2];
    uint8_t *first = make_sample(path, &sizes[0]);
    seconds_ahead = 3600;
    uint8_t *second = make_sample(path, &sizes[1]);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(first, second, sizes[0]);
    free(first);
    free(second);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_external_link, scratch_set_up, scratch_tear_down),
        cmocka_unit_test(test_nothing_at_the_end),
        cmocka_unit_test_setup_teardown(test_datasets, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_dataset_mismatches, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_compounds, scratch_set_up, scratch_tear_down),
        cmocka_unit_test(test_no_plugins),
        cmocka_unit_test_setup_teardown(test_claims, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_cut_files, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_changed_values, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_full_disk, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_same_bytes, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
