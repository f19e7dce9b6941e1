/* A data set that several processes read together, each a part: what lies in the shared memory in the end. */
#include "data/dataset/dataset.h"

#include "tests/data/data_set_fixture.h"
#include "tests/support/scratch.h"

/* Reads the parts from first to last, or the other way round, into `memory`. */
static bool read_parts(struct dataset *dataset, void *memory, const char *folder, int num_parts, bool backwards,
                       struct error *error)
{
    dataset_use_memory(dataset, memory);
    for (int i = 0; i < num_parts; i++)
        if (!dataset_read_part(dataset, folder, backwards ? num_parts - 1 - i : i, num_parts, error))
            return false;
    return dataset_check_content(dataset, folder, error);
}

static struct dataset *begin(const char *folder, uint8_t **memory)
{
    struct error error;
    struct dataset *dataset = dataset_begin(folder, &error);
    if (!dataset)
        fail_msg("%s", error.message);
    *memory = calloc(dataset_memory_size(dataset), 1);
    assert_non_null(*memory);
    return dataset;
}

static void test_parts_are_the_whole(void **state)
{
    struct error error;
    uint8_t *memory;
    (void)state;
    for (uint32_t num_shards = 1; num_shards <= 7; num_shards++) {
        char *folder = scratch_make();
        fixture_data_set(folder, num_shards);
        struct dataset *whole = dataset_open(folder, &error);
        assert_non_null(whole);
        for (int num_parts = 1; num_parts <= 16; num_parts++) {
            struct dataset *dataset = begin(folder, &memory);
            assert_ok(read_parts(dataset, memory, folder, num_parts, num_parts % 2 == 0, &error), error);
            assert_int_equal(dataset_memory_size(dataset), dataset_memory_size(whole));
            assert_memory_equal(memory, whole->own_memory, dataset_memory_size(whole));
            dataset_close(dataset);
            free(memory);
        }
        dataset_close(whole);
        scratch_remove(folder);
    }
}

/* Each part is needed, and none reads what another one does. */
static void test_a_part_is_missing(void **state)
{
    enum { NUM_PARTS = 3 };
    struct error error;
    uint8_t *memory;
    char *folder = scratch_make();
    (void)state;
    fixture_data_set(folder, 2);
    for (int missing = 0; missing < NUM_PARTS; missing++) {
        struct dataset *dataset = begin(folder, &memory);
        dataset_use_memory(dataset, memory);
        for (int part = 0; part < NUM_PARTS; part++)
            if (part != missing)
                assert_ok(dataset_read_part(dataset, folder, part, NUM_PARTS, &error), error);
        assert_fails(dataset_check_content(dataset, folder, &error), error, "content does not match index.h5");
        dataset_close(dataset);
        free(memory);
    }
    scratch_remove(folder);
}

/* Who reads nothing of a shard does not open it, and every shard is opened by somebody, one without performances too. */
static void test_missing_shards_are_found_once(void **state)
{
    enum { NUM_SHARDS = 7, NUM_PARTS = 5 }; /* five performances: the last two shards are empty */
    struct error error;
    uint8_t *memory;
    char *folder = scratch_make(), *aside = path_join(folder, "aside");
    (void)state;
    fixture_data_set(folder, NUM_SHARDS);
    struct dataset *dataset = begin(folder, &memory);
    dataset_use_memory(dataset, memory);
    for (uint32_t shard = 0; shard < NUM_SHARDS; shard++) {
        char *name = shard_name(shard, NUM_SHARDS), *path = path_join(folder, name);
        int num_failed = 0;
        assert_int_equal(rename(path, aside), 0);
        for (int part = 0; part < NUM_PARTS; part++)
            if (!dataset_read_part(dataset, folder, part, NUM_PARTS, &error)) {
                assert_contains(error.message, name);
                assert_contains(error.message, "missing");
                num_failed++;
            }
        assert_int_equal(num_failed, 1);
        assert_int_equal(rename(aside, path), 0);
        free(path);
        free(name);
    }
    dataset_close(dataset);
    free(memory);
    free(aside);
    scratch_remove(folder);
}

/* A shard that two parts share, with a cell that can't be in its last performance: the part that reads it says so. */
static void test_the_part_with_the_damage_says_so(void **state)
{
    struct error error;
    uint8_t *memory;
    char *folder = scratch_make(), *path = path_join(folder, "shard-00000-of-00001.h5");
    struct shard_writer writer = {0};
    (void)state;
    for (uint32_t number = 0; number < 4; number++) {
        char name[] = "p0.mid";
        struct grid grid = fixture_grid(number, 2);
        name[1] = (char)('0' + number);
        if (number == 3)
            grid.velocity[0] = 200;
        fixture_append(&writer, name, SPLIT_TRAIN, &grid);
        grid_free(&grid);
    }
    fixture_write(folder, &writer, 1);
    shard_writer_free(&writer);
    struct dataset *dataset = begin(folder, &memory);
    dataset_use_memory(dataset, memory);
    assert_ok(dataset_read_part(dataset, folder, 0, 2, &error), error);
    assert_fails(dataset_read_part(dataset, folder, 1, 2, &error), error, path);
    assert_contains(error.message, "'p3.mid', step 0, kick: ");
    dataset_close(dataset);
    free(memory);
    free(path);
    scratch_remove(folder);
}

static void test_packed_index(void **state)
{
    struct error error;
    uint8_t *bytes, *memory;
    size_t size;
    char *folder = scratch_make();
    (void)state;
    fixture_data_set(folder, 2);
    struct dataset *dataset = begin(folder, &memory);
    assert_ok(dataset_pack(&bytes, &size, dataset, &error), error);
    struct dataset *again = dataset_unpack(bytes, size, &error);
    assert_non_null(again);
    assert_string_equal(dataset_content_sha256(again), dataset_content_sha256(dataset));
    assert_memory_equal(&again->index.counts, &dataset->index.counts, sizeof again->index.counts);
    assert_ok(read_parts(again, memory, folder, 2, false, &error), error);
    dataset_close(again);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *copy = malloc(cut + 1); /* of its own size, so that a sanitizer sees a read beyond it */
        assert_non_null(copy);
        memcpy(copy, bytes, cut);
        assert_fails(dataset_unpack(copy, cut, &error) != NULL, error, "is truncated");
        free(copy);
    }
    free(bytes);
    free(memory);
    dataset_close(dataset);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_are_the_whole),
        cmocka_unit_test(test_a_part_is_missing),
        cmocka_unit_test(test_missing_shards_are_found_once),
        cmocka_unit_test(test_the_part_with_the_damage_says_so),
        cmocka_unit_test(test_packed_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
