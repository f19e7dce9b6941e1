/* Datasets that are compressed and read by chunks, against HDF5's own filters. */
#include "base/io/files.h"
#include "base/random.h"
#include "tests/base/hdf5_fixture.h"

/* Bytes that nothing can compress, and rows so wide that a chunk holds less than one. */
static void test_extremes(void **state)
{
    enum { COUNT = 700001 };
    struct error error;
    char *path = path_join(*state, "a.h5");
    const hsize_t narrow[2] = {COUNT, 1}, wide[2] = {1, COUNT};
    struct random_stream stream;
    uint8_t *bytes = malloc(COUNT), *found = malloc(COUNT);
    assert_true(bytes && found);
    random_stream_start(&stream, 5, 1, 0, 0);
    for (size_t i = 0; i < COUNT; i++)
        bytes[i] = (uint8_t)random_below(&stream, 256);
    hid_t file = create(path);
    assert_ok(hdf5_write_dataset(file, "n", H5T_NATIVE_UINT8, 2, narrow, bytes, HDF5_COMPRESSED, &error), error);
    assert_ok(hdf5_write_dataset(file, "w", H5T_NATIVE_UINT8, 2, wide, bytes, HDF5_COMPRESSED, &error), error);
    struct hdf5_reader *reader = open_again(file, path);
    assert_ok(hdf5_read_dataset(found, reader, "n", HDF5_UINT8, 2, narrow, &error), error);
    assert_memory_equal(found, bytes, COUNT);
    memset(found, 0, COUNT);
    assert_ok(hdf5_read_dataset(found, reader, "w", HDF5_UINT8, 2, wide, &error), error);
    assert_memory_equal(found, bytes, COUNT);
    hdf5_reader_close(&reader);
    free(found);
    free(bytes);
    free(path);
}

/* Where the one chunk of dataset `name` begins in the file's bytes, with its size in *chunk_size. */
static size_t find_chunk(size_t *chunk_size, const char *path, const char *name, const uint8_t *bytes, size_t size)
{
    hid_t file;
    hsize_t start[2] = {0}, stored;
    uint32_t skipped;
    assert_true((file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT)) >= 0);
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    assert_true(H5Dget_chunk_storage_size(dataset, start, &stored) >= 0);
    uint8_t *chunk = malloc((size_t)stored);
    assert_true(chunk && H5Dread_chunk(dataset, H5P_DEFAULT, start, &skipped, chunk) >= 0);
    size_t place = 0;
    while (place + stored <= size && memcmp(bytes + place, chunk, (size_t)stored) != 0)
        place++;
    assert_true(place + stored <= size);
    free(chunk);
    H5Dclose(dataset);
    H5Fclose(file);
    *chunk_size = (size_t)stored;
    return place;
}

enum { NUM_SAMPLES = 300 };

/* A small file with one compressed dataset, and no seal that would find a change first. Owned by the caller. */
static uint8_t *make_sample(const char *path, size_t *size)
{
    struct error error;
    uint8_t *bytes;
    float values[NUM_SAMPLES];
    const hsize_t dims[2] = {NUM_SAMPLES / 3, 3};
    for (int i = 0; i < NUM_SAMPLES; i++)
        values[i] = (float)i;
    hid_t file = create(path);
    assert_ok(hdf5_write_dataset(file, "d", H5T_NATIVE_FLOAT, 2, dims, values, HDF5_COMPRESSED, &error), error);
    assert_ok(save(&file, path, &error), error);
    assert_ok(file_read(&bytes, size, path, 1 << 20, &error), error);
    memset(bytes, 0, HDF5_SEAL_SIZE);
    return bytes;
}

static bool read_sample(const char *path, const uint8_t *bytes, size_t size, struct error *error)
{
    float values[NUM_SAMPLES];
    const hsize_t dims[2] = {NUM_SAMPLES / 3, 3};
    struct hdf5_reader *file;
    if (!file_write(path, path, bytes, size, error) || !hdf5_open(&file, path, FORMAT, error))
        return false;
    bool ok = hdf5_read_dataset(values, file, "d", HDF5_FLOAT, 2, dims, error);
    for (int i = 0; ok && i < NUM_SAMPLES; i++)
        ok = values[i] == (float)i || error_set(error, "a changed value was not found");
    hdf5_reader_close(&file);
    return ok;
}

/* Whichever byte of a compressed chunk is another one. */
static void test_changed_chunks(void **state)
{
    struct error error;
    size_t size, chunk_size;
    char *path = path_join(*state, "a.h5");
    uint8_t *bytes = make_sample(path, &size);
    assert_ok(read_sample(path, bytes, size, &error), error);
    size_t place = find_chunk(&chunk_size, path, "d", bytes, size);
    for (size_t i = place; i < place + chunk_size; i++) {
        bytes[i] ^= 0x10;
        assert_fails(read_sample(path, bytes, size, &error), error, "d: the dataset is damaged (");
        bytes[i] ^= 0x10;
    }
    free(bytes);
    free(path);
}

/* A dataset of `num_rows` x 3 floats as another program may have stored it; only `with_checksum` is it stored as ours are. */
static void write_foreign(hid_t file, const char *name, hsize_t num_rows, hsize_t chunk_rows, bool with_checksum,
                          const float *values)
{
    const hsize_t dims[2] = {num_rows, 3}, most[2] = {H5S_UNLIMITED, 3}, chunk[2] = {chunk_rows, 3};
    hid_t space = H5Screate_simple(2, dims, most), creation = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_chunk(creation, 2, chunk) >= 0 && H5Pset_shuffle(creation) >= 0 &&
                H5Pset_deflate(creation, 1) >= 0);
    assert_true(!with_checksum || H5Pset_fletcher32(creation) >= 0);
    hid_t dataset = H5Dcreate2(file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    assert_true(H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(dataset);
    H5Pclose(creation);
    H5Sclose(space);
}

static void test_foreign_chunks(void **state)
{
    enum { ROWS = 1000 };
    struct error error;
    char *path = path_join(*state, "a.h5");
    static float values[ROWS * 3], found[ROWS * 3];
    const hsize_t dims[2] = {ROWS, 3}, chunk_rows[] = {1, 7, ROWS, 3 * ROWS, 5 << 20};
    for (size_t i = 0; i < ROWS * 3; i++)
        values[i] = (float)i * 0.3f;
    for (size_t i = 0; i < 2 * sizeof chunk_rows / sizeof *chunk_rows; i++) {
        hid_t file = create(path);
        write_foreign(file, "w", ROWS, chunk_rows[i / 2], i % 2 == 0, values);
        struct hdf5_reader *reader = open_again(file, path);
        memset(found, 0, sizeof found);
        assert_ok(hdf5_read_dataset(found, reader, "w", HDF5_FLOAT, 2, dims, &error), error);
        assert_memory_equal(found, values, sizeof values);
        hdf5_reader_close(&reader);
    }
    free(path);
}

enum { COLUMN_ROWS = 20000, COLUMN_WIDTH = 9 };

/* The bytes of a file of `num_rows` rows, appended piece by piece as `memory_type`, or where that is negative, written at
 * once. Owned by the caller. */
static uint8_t *write_column(size_t *size, const char *path, hid_t memory_type, const float *values, size_t num_rows)
{
    struct error error;
    uint8_t *bytes;
    const hsize_t dims[2] = {num_rows, COLUMN_WIDTH};
    hid_t file = create(path);
    if (memory_type < 0) {
        assert_ok(hdf5_write_dataset(file, "c", H5T_NATIVE_FLOAT, 2, dims, values, HDF5_COMPRESSED, &error), error);
    } else {
        struct hdf5_column *column;
        assert_ok(hdf5_column_make(&column, memory_type, COLUMN_WIDTH, &error), error);
        for (size_t row = 0, piece = 1; row < num_rows; row += piece, piece = piece * 7 % 9973) {
            piece = piece < num_rows - row ? piece : num_rows - row;
            assert_ok(hdf5_column_append(column, values + row * COLUMN_WIDTH, piece, &error), error);
        }
        assert_ok(hdf5_column_write(column, file, "c", &error), error);
        hdf5_column_free(column);
    }
    assert_ok(save(&file, path, &error), error);
    assert_ok(file_read(&bytes, size, path, 8 << 20, &error), error);
    return bytes;
}

/* Rows that come bit by bit make the same file as all at once, whatever the chunks' borders, and in the file's byte order. */
static void test_columns(void **state)
{
    enum { CHUNK_ROWS = (256 << 10) / (COLUMN_WIDTH * 4) };
    static const size_t counts[] = {0, 1, 100, CHUNK_ROWS - 1, CHUNK_ROWS, CHUNK_ROWS + 1, 2 * CHUNK_ROWS, COLUMN_ROWS};
    static float values[COLUMN_ROWS * COLUMN_WIDTH], swapped[COLUMN_ROWS * COLUMN_WIDTH];
    char *path = path_join(*state, "a.h5");
    for (size_t i = 0; i < COLUMN_ROWS * COLUMN_WIDTH; i++)
        values[i] = i % 5 == 0 ? (float)i * 0.3f : 0;
    memcpy(swapped, values, sizeof values);
    assert_true(H5Tconvert(H5T_NATIVE_FLOAT, H5T_IEEE_F32BE, COLUMN_ROWS * COLUMN_WIDTH, swapped, NULL, H5P_DEFAULT) >=
                0);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        size_t sizes[3];
        uint8_t *whole = write_column(&sizes[0], path, H5I_INVALID_HID, values, counts[i]);
        uint8_t *pieces = write_column(&sizes[1], path, H5T_NATIVE_FLOAT, values, counts[i]);
        uint8_t *big_endian = write_column(&sizes[2], path, H5T_IEEE_F32BE, swapped, counts[i]);
        assert_int_equal(sizes[1], sizes[0]);
        assert_memory_equal(pieces, whole, sizes[0]);
        assert_int_equal(sizes[2], sizes[0]);
        assert_memory_equal(big_endian, whole, sizes[0]);
        free(big_endian);
        free(pieces);
        free(whole);
    }
    free(path);
}

/* A compound's strings have no order of bytes: what is stored is what is in memory, and need not be converted. */
static void test_compound_is_kept(void **state)
{
    struct error error;
    char *path = path_join(*state, "a.h5");
    const hsize_t dims[1] = {2};
    const uint8_t rows[2][12] = {"\1\0\0\0kick", "\2\0\0\0snare"};
    hid_t text = H5Tcopy(H5T_C_S1), type = H5Tcreate(H5T_COMPOUND, sizeof rows[0]);
    assert_true(H5Tset_size(text, 8) >= 0 && H5Tinsert(type, "number", 0, H5T_STD_U32LE) >= 0 &&
                H5Tinsert(type, "name", 4, text) >= 0);
    hid_t file = create(path);
    assert_ok(hdf5_write_dataset(file, "t", type, 1, dims, rows, HDF5_COMPRESSED, &error), error);
    assert_ok(save(&file, path, &error), error);
    assert_true((file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT)) >= 0);
    hid_t dataset = H5Dopen2(file, "t", H5P_DEFAULT), stored = H5Dget_type(dataset);
    assert_true(H5Tequal(stored, type) > 0);
    H5Tclose(stored);
    H5Dclose(dataset);
    H5Tclose(type);
    H5Tclose(text);
    hdf5_close(&file);
    free(path);
}

/* A dataset that takes several answers of the reader, and its rows from one within its first chunk on. */
static void test_many_parts(void **state)
{
    enum { ROWS = 150000, COLUMNS = 9, FIRST = 4321 };
    static const enum hdf5_storage storages[] = {HDF5_CONTIGUOUS, HDF5_COMPRESSED};
    struct error error;
    const hsize_t dims[2] = {ROWS, COLUMNS};
    char *path = path_join(*state, "a.h5");
    float *values = malloc(ROWS * COLUMNS * sizeof *values), *found = malloc(ROWS * COLUMNS * sizeof *found);
    assert_true(values && found);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        values[i] = (float)i;
    for (size_t storage = 0; storage < sizeof storages / sizeof *storages; storage++) {
        hid_t file = create(path);
        assert_ok(hdf5_write_dataset(file, "d", H5T_NATIVE_FLOAT, 2, dims, values, storages[storage], &error), error);
        struct hdf5_reader *reader = open_again(file, path);
        memset(found, 0, ROWS * COLUMNS * sizeof *found);
        assert_ok(hdf5_read_dataset(found, reader, "d", HDF5_FLOAT, 2, dims, &error), error);
        assert_memory_equal(found, values, ROWS * COLUMNS * sizeof *found);
        assert_ok(hdf5_read_rows(found, reader, "d", HDF5_FLOAT, 2, dims, FIRST, ROWS - FIRST, &error), error);
        assert_memory_equal(found, values + FIRST * COLUMNS, (ROWS - FIRST) * COLUMNS * sizeof *found);
        hdf5_reader_close(&reader);
    }
    free(found);
    free(values);
    free(path);
}

/* Any rows of datasets of more than one chunk, however they are stored. */
static void test_some_rows(void **state)
{
    enum { ROWS = 40000, COLUMNS = 9 };
    static const enum hdf5_storage storages[] = {HDF5_CONTIGUOUS, HDF5_CHECKSUMMED, HDF5_COMPRESSED};
    static const hsize_t places[] = {0, 1, 7280, 7281, 7282, 14562, 39999, 40000};
    const size_t num_places = sizeof places / sizeof *places;
    struct error error;
    struct random_stream stream;
    const hsize_t dims[2] = {ROWS, COLUMNS};
    char *path = path_join(*state, "a.h5");
    float *values = calloc(ROWS * COLUMNS, sizeof *values), *found = calloc(ROWS * COLUMNS, sizeof *found);
    assert_true(values && found);
    random_stream_start(&stream, 6, 1, 0, 0);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        values[i] = random_uniform(&stream);
    for (size_t storage = 0; storage < sizeof storages / sizeof *storages; storage++) {
        hid_t file = create(path);
        assert_ok(hdf5_write_dataset(file, "d", H5T_NATIVE_FLOAT, 2, dims, values, storages[storage], &error), error);
        struct hdf5_reader *reader = open_again(file, path);
        for (size_t i = 0; i < num_places; i++)
            for (size_t k = i; k < num_places; k++) {
                size_t count = (size_t)(places[k] - places[i]) * COLUMNS;
                found[count < ROWS * COLUMNS ? count : 0] = -1;
                assert_ok(
                    hdf5_read_rows(found, reader, "d", HDF5_FLOAT, 2, dims, places[i], places[k] - places[i], &error),
                    error);
                if (count > 0)
                    assert_memory_equal(found, values + places[i] * COLUMNS, count * sizeof *found);
                if (count < ROWS * COLUMNS)
                    assert_true(found[count] < 0);
            }
        assert_fails(hdf5_read_rows(found, reader, "d", HDF5_FLOAT, 2, dims, 1, ROWS, &error), error, "fewer rows");
        assert_fails(hdf5_read_rows(found, reader, "d", HDF5_FLOAT, 2, dims, ROWS + 1, 0, &error), error, "fewer rows");
        assert_fails(hdf5_read_rows(found, reader, "d", HDF5_FLOAT, 2, dims, 2, (hsize_t)-1, &error), error,
                     "fewer rows");
        hdf5_reader_close(&reader);
    }
    free(found);
    free(values);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_many_parts, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_some_rows, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_extremes, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_changed_chunks, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_foreign_chunks, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_columns, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_compound_is_kept, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
