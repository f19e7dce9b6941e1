#include "data/dataset/windows.h"

#include "tests/data/data_set_fixture.h"
#include "tests/support/save.h"
#include "tests/support/scratch.h"

#include <math.h>

/* Opens a data set that must be there. */
static struct dataset *open_valid(const char *folder)
{
    struct error error;
    struct dataset *dataset = dataset_open(folder, &error);
    if (!dataset)
        fail_msg("%s", error.message);
    return dataset;
}

static void expect_refusal(const char *folder, const char *part)
{
    struct error error;
    struct dataset *dataset;
    assert_fails((dataset = dataset_open(folder, &error)) != NULL, error, part);
}

static void test_holds_what_was_written(void **state)
{
    (void)state;
    for (uint32_t num_shards = 1; num_shards <= 7; num_shards++) {
        char *folder = scratch_make();
        fixture_data_set(folder, num_shards);
        struct dataset *dataset = open_valid(folder);
        assert_int_equal(dataset->index.table.count, 5);
        assert_int_equal(dataset->index.num_steps, (1 + 2 + 3 + 4 + 5) * GRID_BAR_STEPS);
        assert_int_equal(dataset->index.counts.skipped[SKIPPED_SHORT], 2);
        assert_int_equal(dataset->index.counts.num_silent_bars, 40);
        assert_int_equal(dataset->index.num_lost, 2);
        assert_int_equal(dataset->index.lost[0].pitch, 24);
        assert_int_equal(dataset->index.lost[0].notes, 17);
        assert_int_equal(dataset->index.lost[1].files, 1);
        for (uint32_t number = 0; number < 5; number++) {
            const struct performance *row = &dataset->index.table.rows[number];
            struct grid grid = fixture_grid(number, number + 1);
            size_t cell = (size_t)row->first_step * NUM_DRUMS, cells = (size_t)grid.num_steps * NUM_DRUMS;
            assert_int_equal(row->path[1], '0' + number);
            assert_int_equal(row->num_steps, grid.num_steps);
            assert_int_equal(row->split, number % 3 == 1 ? SPLIT_VALIDATION : SPLIT_TRAIN);
            assert_string_equal(row->style, "funk");
            assert_memory_equal(&row->qpm, &grid.qpm, sizeof grid.qpm);
            assert_memory_equal(dataset->hits + cell, grid.hits, cells);
            assert_memory_equal(dataset->velocity + cell, grid.velocity, cells);
            assert_memory_equal(dataset->offset + cell, grid.offset, cells * sizeof *grid.offset);
            grid_free(&grid);
        }
        dataset_close(dataset);
        scratch_remove(folder);
    }
}

static void test_hash_knows_content_alone(void **state)
{
    char first[2 * DIGEST_SIZE + 1];
    (void)state;
    for (uint32_t num_shards = 1; num_shards <= 4; num_shards++) {
        char *folder = scratch_make();
        fixture_data_set(folder, num_shards);
        struct dataset *dataset = open_valid(folder);
        if (num_shards == 1)
            strcpy(first, dataset_content_sha256(dataset));
        assert_string_equal(dataset_content_sha256(dataset), first);
        dataset_close(dataset);
        scratch_remove(folder);
    }
}

static void test_digest_sees_everything(void **state)
{
    uint8_t original[DIGEST_SIZE], changed[DIGEST_SIZE];
    struct grid grid = fixture_grid(1, 1);
    char path[] = "a.mid", style[] = "funk", drummer[] = "d1", other[] = "b";
    const struct performance about = {
        .path = path, .style = style, .drummer = drummer, .num_steps = 16, .qpm = 120, .time_signature = {4, 4}
    };
    struct performance changes[7];
    (void)state;
    performance_digest(original, &about, grid.hits, grid.velocity, grid.offset);
    for (size_t i = 0; i < 7; i++)
        changes[i] = about;
    changes[0].path = other;
    changes[1].style = other;
    changes[2].drummer = other;
    changes[3].split = SPLIT_TEST;
    changes[4].qpm = nextafterf(120, 121);
    changes[5].time_signature.numerator = 8;
    changes[6].time_signature.denominator = 8;
    for (size_t i = 0; i < 7; i++) {
        performance_digest(changed, &changes[i], grid.hits, grid.velocity, grid.offset);
        assert_memory_not_equal(original, changed, DIGEST_SIZE);
    }
    grid.offset[16 * NUM_DRUMS - 1] = nextafterf(grid.offset[16 * NUM_DRUMS - 1], 2);
    performance_digest(changed, &about, grid.hits, grid.velocity, grid.offset);
    assert_memory_not_equal(original, changed, DIGEST_SIZE);
    grid_free(&grid);
}

static void test_nothing_there(void **state)
{
    char *folder = scratch_make(), *nowhere = path_join(folder, "nowhere");
    (void)state;
    expect_refusal(folder, "not a data set: it has no index.h5");
    expect_refusal(nowhere, "no such folder");
    free(nowhere);
    scratch_remove(folder);
}

static void test_missing_and_swapped_shards(void **state)
{
    char *folder = scratch_make(), *first = path_join(folder, "shard-00000-of-00002.h5");
    char *second = path_join(folder, "shard-00001-of-00002.h5"), *aside = path_join(folder, "aside");
    (void)state;
    fixture_data_set(folder, 2);
    assert_int_equal(rename(second, aside), 0);
    expect_refusal(folder, "shard-00001-of-00002.h5: missing");
    assert_int_equal(rename(first, second), 0);
    assert_int_equal(rename(aside, first), 0);
    expect_refusal(folder, "shard-00000-of-00002.h5: does not match index.h5");
    free(aside);
    free(second);
    free(first);
    scratch_remove(folder);
}

/* Writes what was read again. */
static void write_again(const struct shard *shard, const char *path)
{
    struct shard_writer writer = {0};
    struct error error;
    struct atomic_file to;
    for (size_t i = 0; i < shard->table.count; i++) {
        const struct performance *row = &shard->table.rows[i];
        size_t start = (size_t)row->first_step * NUM_DRUMS;
        struct grid grid = {row->num_steps,          row->qpm,
                            row->time_signature,     shard->hits + start,
                            shard->velocity + start, shard->offset + start};
        assert_ok(shard_writer_append(&writer, row, &grid, &error), error);
    }
    assert_ok(SAVE(path, &to, shard_writer_write(&writer, &to, &error), &error), error);
    shard_writer_free(&writer);
}

/* A shard of the same performances, with one value changed. */
static void test_changed_content(void **state)
{
    char *folder = scratch_make(), *path = path_join(folder, "shard-00000-of-00001.h5");
    struct shard shard;
    struct error error;
    (void)state;
    fixture_data_set(folder, 1);
    assert_ok(shard_read(&shard, path, &error), error);
    for (size_t i = 0; i < (size_t)shard.num_steps * NUM_DRUMS; i++)
        if (shard.velocity[i] == 100)
            shard.velocity[i] = 101;
    write_again(&shard, path);
    expect_refusal(folder, "content does not match index.h5");
    shard_free(&shard);
    free(path);
    scratch_remove(folder);
}

/* One cell of a shard gets a value that can't be. */
static void expect_cell_refused(uint8_t hit, uint8_t velocity, float offset)
{
    char *folder = scratch_make(), *path = path_join(folder, "shard-00000-of-00001.h5");
    struct shard_writer writer = {0};
    struct shard read;
    struct error error;
    struct atomic_file to;
    struct grid grid = fixture_grid(0, 1);
    size_t cell = 5 * NUM_DRUMS + 2;
    grid.hits[cell] = hit;
    grid.velocity[cell] = velocity;
    grid.offset[cell] = offset;
    fixture_append(&writer, "a.mid", SPLIT_TRAIN, &grid);
    assert_ok(SAVE(path, &to, shard_writer_write(&writer, &to, &error), &error), error);
    assert_fails(shard_read(&read, path, &error), error, "'a.mid', step 5, closed hi-hat");
    assert_contains(error.message, "shard-00000-of-00001.h5");
    grid_free(&grid);
    shard_writer_free(&writer);
    free(path);
    scratch_remove(folder);
}

static void test_hostile_cells(void **state)
{
    (void)state;
    expect_cell_refused(2, 100, 0);
    expect_cell_refused(1, 0, 0);
    expect_cell_refused(1, 128, 0);
    expect_cell_refused(1, 100, 1.0001f);
    expect_cell_refused(1, 100, -1.0001f);
    expect_cell_refused(1, 100, NAN);
    expect_cell_refused(1, 100, INFINITY);
    expect_cell_refused(0, 1, 0);
    expect_cell_refused(0, 0, 0.5f);
    expect_cell_refused(0, 0, NAN);
}

/* One row of a shard's table gets a value that can't be. */
static void expect_row_refused(void (*change)(struct performance *row), const char *part)
{
    char *folder = scratch_make(), *path = path_join(folder, "shard-00000-of-00001.h5");
    struct shard_writer writer = {0};
    struct shard read;
    struct error error;
    struct atomic_file to;
    struct grid grid = fixture_grid(0, 2);
    fixture_append(&writer, "a.mid", SPLIT_TRAIN, &grid);
    fixture_append(&writer, "b.mid", SPLIT_TRAIN, &grid);
    change(&writer.table.rows[1]);
    assert_ok(SAVE(path, &to, shard_writer_write(&writer, &to, &error), &error), error);
    assert_fails(shard_read(&read, path, &error), error, part);
    grid_free(&grid);
    shard_writer_free(&writer);
    free(path);
    scratch_remove(folder);
}

static void begin_later(struct performance *row)
{
    row->first_step = 33;
}

static void begin_far_away(struct performance *row)
{
    row->first_step = UINT64_MAX;
}

static void be_no_whole_bar(struct performance *row)
{
    row->num_steps = 31;
}

static void be_empty(struct performance *row)
{
    row->num_steps = 0;
}

static void be_longer(struct performance *row)
{
    row->num_steps = 48;
}

static void be_huge(struct performance *row)
{
    row->num_steps = UINT32_MAX - 15;
}

static void lose_tempo(struct performance *row)
{
    row->qpm = NAN;
}

static void lose_meter(struct performance *row)
{
    row->time_signature.denominator = 0;
}

static void lie_above(struct performance *row)
{
    memcpy(row->path, "../b", 5);
}

static void be_absolute(struct performance *row)
{
    memcpy(row->path, "/b.m", 5);
}

static void be_no_text(struct performance *row)
{
    row->path[0] = (char)0xff;
}

static void hold_a_newline(struct performance *row)
{
    row->style[1] = '\n';
}

static void test_hostile_rows(void **state)
{
    (void)state;
    expect_row_refused(begin_later, "begins at step 33, not at 32");
    expect_row_refused(begin_far_away, "begins at step 18446744073709551615");
    expect_row_refused(be_no_whole_bar, "31 steps: not whole bars");
    expect_row_refused(be_empty, "0 steps: not whole bars");
    expect_row_refused(be_longer, "its table has 80 steps");
    expect_row_refused(be_huge, "not whole bars");
    expect_row_refused(lose_tempo, "a tempo of");
    expect_row_refused(lose_meter, "is in 4/0");
    expect_row_refused(lie_above, "row 1: its path is invalid");
    expect_row_refused(be_absolute, "row 1: its path is invalid");
    expect_row_refused(be_no_text, "row 1: its path is invalid");
    expect_row_refused(hold_a_newline, "row 1: its style");
}

static void test_damaged_files(void **state)
{
    char *folder = scratch_make(), *path = path_join(folder, "shard-00000-of-00001.h5");
    char *index = path_join(folder, INDEX_NAME);
    struct error error;
    uint8_t *bytes;
    size_t size;
    (void)state;
    fixture_data_set(folder, 1);
    assert_ok(file_read(&bytes, &size, path, 1 << 20, &error), error);
    for (size_t part = 0; part < 8; part++) {
        FILE *stream = fopen(path, "wb");
        assert_non_null(stream);
        assert_int_equal(fwrite(bytes, 1, size * part / 8, stream), size * part / 8);
        assert_int_equal(fclose(stream), 0);
        expect_refusal(folder, "shard-00000-of-00001.h5");
    }
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, size, stream), size);
    assert_int_equal(fclose(stream), 0);
    dataset_close(open_valid(folder));
    assert_int_equal(truncate(index, 1000), 0);
    expect_refusal(folder, INDEX_NAME);
    assert_int_equal(rename(path, index), 0); /* a shard in the index's place */
    expect_refusal(folder, INDEX_NAME);
    free(bytes);
    free(index);
    free(path);
    scratch_remove(folder);
}

static size_t count_windows(const struct dataset *dataset, const char *split, int bars, int hop_bars)
{
    struct windows windows;
    struct error error;
    assert_ok(windows_make(&windows, dataset, split, bars, hop_bars, &error), error);
    size_t count = windows.count;
    assert_int_equal(windows.num_steps, bars * GRID_BAR_STEPS);
    for (size_t i = 0; i < count; i++) {
        const struct performance *row = &dataset->index.table.rows[windows.performance[i]];
        assert_true(windows.first_step[i] >= row->first_step);
        assert_true(windows.first_step[i] + windows.num_steps <= row->first_step + row->num_steps);
        assert_int_equal((windows.first_step[i] - row->first_step) % ((uint64_t)hop_bars * GRID_BAR_STEPS), 0);
    }
    windows_free(&windows);
    return count;
}

/* Train holds 1, 3 and 4 bars; validation 2 and 5. */
static void test_windows(void **state)
{
    char *folder = scratch_make();
    (void)state;
    fixture_data_set(folder, 2);
    struct dataset *dataset = open_valid(folder);
    assert_int_equal(count_windows(dataset, "train", 1, 1), 8);
    assert_int_equal(count_windows(dataset, "train", 2, 1), 5);
    assert_int_equal(count_windows(dataset, "train", 2, 2), 3);
    assert_int_equal(count_windows(dataset, "train", 4, 4), 1);
    assert_int_equal(count_windows(dataset, "validation", 2, 2), 3);
    assert_int_equal(count_windows(dataset, "validation", 4, 1), 2);
    dataset_close(dataset);
    scratch_remove(folder);
}

static void test_windows_refusals(void **state)
{
    char *folder = scratch_make();
    struct windows windows;
    struct error error;
    (void)state;
    fixture_data_set(folder, 1);
    struct dataset *dataset = open_valid(folder);
    assert_fails(windows_make(&windows, dataset, "test", 1, 1, &error), error,
                 "'test' holds no window of 1 bars of 4/4 (train holds 8, validation 7, test 0)");
    assert_fails(windows_make(&windows, dataset, "train", 5, 1, &error), error, "train holds 0, validation 1");
    assert_fails(windows_make(&windows, dataset, "dev", 1, 1, &error), error, "split 'dev'");
    assert_fails(windows_make(&windows, dataset, "train", 0, 1, &error), error, "0 bars");
    assert_fails(windows_make(&windows, dataset, "train", 1, 0, &error), error, "every 0 bars");
    dataset_close(dataset);
    scratch_remove(folder);
}

/* Windows are of 16 steps a bar: what is in 3/4 has none, and 2/2 is as good as 4/4. */
static void test_windows_of_other_meters(void **state)
{
    char *folder = scratch_make();
    struct shard_writer shard = {0};
    struct grid grid = fixture_grid(0, 3);
    (void)state;
    grid.time_signature = (struct time_signature){3, 4};
    fixture_append(&shard, "a.mid", SPLIT_TRAIN, &grid);
    grid.time_signature = (struct time_signature){2, 2};
    fixture_append(&shard, "b.mid", SPLIT_TRAIN, &grid);
    fixture_write(folder, &shard, 1);
    struct dataset *dataset = open_valid(folder);
    assert_int_equal(count_windows(dataset, "train", 1, 1), 3);
    dataset_close(dataset);
    grid_free(&grid);
    shard_writer_free(&shard);
    scratch_remove(folder);
}

/* Rows of another length of text each. */
static void fill_table(struct performance_table *table)
{
    char path[] = "a/gr\xc3\xb6\xc3\x9f"
                  "e.mid",
         style[] = "funk", drummer[] = "";
    struct error error;
    for (uint32_t i = 0; i < 3; i++) {
        struct performance row = {
            .path = path + i,
            .style = style + i,
            .drummer = drummer,
            .split = (enum split)i,
            .beat_type = (enum beat_type)i,
            .first_step = 16 * (uint64_t)i,
            .num_steps = 16,
            .qpm = 90.5f + (float)i,
            .time_signature = {4, 4},
            .shard = i
        };
        memset(row.digest, (int)(0xa0 + i), DIGEST_SIZE);
        assert_ok(performance_table_append(table, &row, &error), error);
    }
}

static void expect_same_row(const struct performance *a, const struct performance *b)
{
    assert_string_equal(a->path, b->path);
    assert_string_equal(a->style, b->style);
    assert_string_equal(a->drummer, b->drummer);
    assert_int_equal(a->split, b->split);
    assert_int_equal(a->first_step, b->first_step);
    assert_int_equal(a->num_steps, b->num_steps);
    assert_true(a->qpm == b->qpm);
    assert_true(time_signature_equal(a->time_signature, b->time_signature));
    assert_int_equal(a->shard, b->shard);
    assert_int_equal(a->beat_type, b->beat_type);
    assert_memory_equal(a->digest, b->digest, DIGEST_SIZE);
}

static void test_packed_tables(void **state)
{
    struct performance_table table = {0}, again, none = {0};
    struct error error;
    uint8_t *bytes;
    size_t size, num_valid = 0;
    (void)state;
    fill_table(&table);
    assert_ok(performance_table_pack(&bytes, &size, &table, &error), error);
    assert_ok(performance_table_unpack(&again, bytes, size, &error), error);
    assert_int_equal(again.count, table.count);
    for (size_t i = 0; i < table.count; i++)
        expect_same_row(&again.rows[i], &table.rows[i]);
    performance_table_free(&again);
    /* Cut off anywhere but between two rows. A copy of its own size lets a sanitizer see a read beyond it. */
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *copy = malloc(cut > 0 ? cut : 1);
        assert_non_null(copy);
        memcpy(copy, bytes, cut);
        if (performance_table_unpack(&again, copy, cut, &error)) {
            assert_int_equal(again.count, num_valid++);
            performance_table_free(&again);
        } else {
            assert_non_null(strstr(error.message, "is truncated"));
            assert_int_equal(again.count, 0);
        }
        free(copy);
    }
    assert_int_equal(num_valid, table.count);
    free(bytes);
    assert_ok(performance_table_pack(&bytes, &size, &none, &error), error);
    assert_int_equal(size, 0);
    free(bytes);
    performance_table_free(&table);
}

static void test_unsorted_shards(void **state)
{
    struct shard_writer shard = {0};
    struct grid grid = fixture_grid(0, 1);
    struct dataset_index index;
    struct dataset_counts counts = {0};
    struct error error;
    (void)state;
    fixture_append(&shard, "b.mid", SPLIT_TRAIN, &grid);
    fixture_append(&shard, "a.mid", SPLIT_TRAIN, &grid);
    assert_fails(dataset_index_make(&index, &shard.table, 1, &counts, &error), error, "not sorted by path");
    grid_free(&grid);
    shard_writer_free(&shard);
}

static void test_shard_names(void **state)
{
    char *name = shard_name(2, 8);
    (void)state;
    assert_string_equal(name, "shard-00002-of-00008.h5");
    assert_true(shard_is_name(name));
    assert_false(shard_is_name("shard-00008-of-00008.h5"));
    assert_false(shard_is_name("shard-00002-of-00008.h5.bak"));
    assert_false(shard_is_name("index.h5"));
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holds_what_was_written),
        cmocka_unit_test(test_hash_knows_content_alone),
        cmocka_unit_test(test_digest_sees_everything),
        cmocka_unit_test(test_nothing_there),
        cmocka_unit_test(test_missing_and_swapped_shards),
        cmocka_unit_test(test_changed_content),
        cmocka_unit_test(test_hostile_cells),
        cmocka_unit_test(test_hostile_rows),
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_windows_refusals),
        cmocka_unit_test(test_windows_of_other_meters),
        cmocka_unit_test(test_packed_tables),
        cmocka_unit_test(test_unsorted_shards),
        cmocka_unit_test(test_shard_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
