/* Small data sets for tests: grids that follow from a number, and a folder that holds them. */
#ifndef DRUMLINE_TESTS_DATA_DATA_SET_FIXTURE_H
#define DRUMLINE_TESTS_DATA_DATA_SET_FIXTURE_H

#include "base/io/files.h"
#include "base/random.h"
#include "data/dataset/dataset.h"
#include "data/dataset/shard.h"
#include "tests/support/save.h"
#include "tests/support/unit.h"

#include <stdlib.h>

/* A grid of whole bars of 4/4, hit in about a third of its cells. */
static inline struct grid fixture_grid(uint32_t number, uint32_t num_bars)
{
    struct grid grid;
    struct error error;
    struct random_stream stream;
    assert_ok(grid_make(&grid, num_bars * GRID_BAR_STEPS, &error), error);
    grid.qpm = 90 + (float)number;
    grid.time_signature = (struct time_signature){4, 4};
    random_stream_start(&stream, 99, RANDOM_DRUMMER, number, 0);
    for (size_t i = 0; i < (size_t)grid.num_steps * NUM_DRUMS; i++) {
        if (random_below(&stream, 3) != 0)
            continue;
        grid.hits[i] = 1;
        grid.velocity[i] = (uint8_t)(1 + random_below(&stream, 127));
        grid.offset[i] = 2 * random_uniform(&stream) - 1;
    }
    return grid;
}

static inline void fixture_append(struct shard_writer *shard, const char *path, enum split split,
                                  const struct grid *grid)
{
    struct error error;
    char style[] = "funk", drummer[] = "d1";
    struct performance about = {.path = (char *)path, .style = style, .drummer = drummer, .split = split};
    assert_ok(shard_writer_append(shard, &about, grid, &error), error);
}

/* Writes the shards and their index into the folder. */
static inline void fixture_write(const char *folder, struct shard_writer *shards, uint32_t num_shards)
{
    struct error error;
    struct atomic_file to;
    struct dataset_index index;
    struct dataset_counts counts = {.num_files = 7, .num_silent_bars = 40, .skipped = {[SKIPPED_SHORT] = 2}};
    struct performance_table *tables = calloc(num_shards, sizeof *tables);
    assert_non_null(tables);
    for (uint32_t s = 0; s < num_shards; s++) {
        char *name = shard_name(s, num_shards), *path = path_join(folder, name);
        assert_ok(SAVE(path, &to, shard_writer_write(&shards[s], &to, &error), &error), error);
        tables[s] = shards[s].table;
        free(path);
        free(name);
    }
    char *path = path_join(folder, INDEX_NAME);
    assert_ok(dataset_index_make(&index, tables, num_shards, &counts, &error), error);
    index.lost[0] = (struct lost_pitch){24, 17, 2};
    index.lost[1] = (struct lost_pitch){100, 3, 1};
    index.num_lost = 2;
    assert_ok(SAVE(path, &to, dataset_index_write(&index, &to, &error), &error), error);
    dataset_index_free(&index);
    free(path);
    free(tables);
}

/* Five performances, p0.mid of 1 bar to p4.mid of 5, dealt out over the shards; p1 and p4 are for validation, none is
 * for the test. */
static inline void fixture_data_set(const char *folder, uint32_t num_shards)
{
    struct shard_writer *shards = calloc(num_shards, sizeof *shards);
    assert_non_null(shards);
    for (uint32_t number = 0; number < 5; number++) {
        char path[] = "p0.mid";
        struct grid grid = fixture_grid(number, number + 1);
        path[1] = (char)('0' + number);
        fixture_append(&shards[number % num_shards], path, number % 3 == 1 ? SPLIT_VALIDATION : SPLIT_TRAIN, &grid);
        grid_free(&grid);
    }
    fixture_write(folder, shards, num_shards);
    for (uint32_t s = 0; s < num_shards; s++)
        shard_writer_free(&shards[s]);
    free(shards);
}

#endif
