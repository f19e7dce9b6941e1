#include "data/dataset/dataset.h"

#include "base/io/files.h"
#include "data/dataset/shard.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_STEPS = 1 << 18 }; /* read at a time, and some 14 MB, where no performance is longer */

/* What of the data set one process reads: the performances that begin in positions [first, end) of all shards' steps, one
 * shard after another. */
struct part {
    uint64_t first, end;
    bool is_last; /* which takes what begins at the very end: shards without a performance */
};

/* The performances of one shard. */
struct shard_rows {
    uint32_t number;
    struct performance **rows; /* [count]: in the index, in the shard's order; not owned */
    size_t count;
    uint64_t position; /* the steps of all shards before it */
};

struct dataset *dataset_begin(const char *folder, struct error *error)
{
    struct dataset *dataset = calloc(1, sizeof *dataset);
    if (!dataset) {
        error_set(error, "%s: no memory", folder);
        return NULL;
    }
    if (dataset_index_read(&dataset->index, folder, error))
        return dataset;
    dataset_close(dataset);
    return NULL;
}

bool dataset_pack(uint8_t **bytes, size_t *size, const struct dataset *dataset, struct error *error)
{
    return dataset_index_pack(bytes, size, &dataset->index, error);
}

struct dataset *dataset_unpack(const uint8_t *bytes, size_t size, struct error *error)
{
    struct dataset *dataset = calloc(1, sizeof *dataset);
    if (!dataset) {
        error_set(error, "no memory for a data set");
        return NULL;
    }
    if (dataset_index_unpack(&dataset->index, bytes, size, error))
        return dataset;
    dataset_close(dataset);
    return NULL;
}

static size_t num_cells(const struct dataset *dataset)
{
    return (size_t)dataset->index.num_steps * NUM_DRUMS;
}

size_t dataset_memory_size(const struct dataset *dataset)
{
    return num_cells(dataset) * (sizeof *dataset->offset + 2) + dataset->index.table.count * DIGEST_SIZE;
}

void dataset_use_memory(struct dataset *dataset, void *memory)
{
    size_t cells = num_cells(dataset);
    dataset->offset = memory;
    dataset->hits = (uint8_t *)(dataset->offset + cells);
    dataset->velocity = dataset->hits + cells;
    dataset->digests = dataset->velocity + cells;
}

static bool same_performance(const struct performance *a, const struct performance *b)
{
    return strcmp(a->path, b->path) == 0 && strcmp(a->style, b->style) == 0 && strcmp(a->drummer, b->drummer) == 0 &&
           a->split == b->split && a->num_steps == b->num_steps && !(a->qpm < b->qpm) && !(a->qpm > b->qpm) &&
           time_signature_equal(a->time_signature, b->time_signature);
}

static bool check_rows(const struct shard_rows *shard, const struct shard_reader *reader, struct error *error)
{
    for (size_t i = 0; i < shard->count; i++)
        if (i == reader->table.count || !same_performance(shard->rows[i], &reader->table.rows[i]))
            return error_set(error, "%s: does not match %s: '%s' is not where it should be", reader->path, INDEX_NAME,
                             shard->rows[i]->path);
    if (reader->table.count > shard->count)
        return error_set(error, "%s: does not match %s: '%s' is not in the index", reader->path, INDEX_NAME,
                         reader->table.rows[shard->count].path);
    return true;
}

/* How many rows from `first` on, at least one, are read together. */
static size_t block_end(const struct performance_table *table, size_t first, size_t end)
{
    uint64_t steps = table->rows[first].num_steps;
    size_t next = first + 1;
    while (next < end && steps + table->rows[next].num_steps <= BLOCK_STEPS)
        steps += table->rows[next++].num_steps;
    return next;
}

/* Copies rows [first, end) of the shard from `cells`, where they lie one after another, to their places. */
static void place_rows(struct dataset *dataset, const struct shard_rows *shard, const struct shard_reader *reader,
                       const struct shard_cells *cells, size_t first, size_t end)
{
    size_t from = 0;
    for (size_t i = first; i < end; i++) {
        const struct performance *row = shard->rows[i];
        size_t to = (size_t)row->first_step * NUM_DRUMS, count = (size_t)row->num_steps * NUM_DRUMS;
        size_t number = (size_t)(row - dataset->index.table.rows);
        memcpy(dataset->hits + to, cells->hits + from, count);
        memcpy(dataset->velocity + to, cells->velocity + from, count);
        memcpy(dataset->offset + to, cells->offset + from, count * sizeof *dataset->offset);
        memcpy(dataset->digests + number * DIGEST_SIZE, reader->table.rows[i].digest, DIGEST_SIZE);
        from += count;
    }
}

static bool read_rows(struct dataset *dataset, const struct shard_rows *shard, struct shard_reader *reader,
                      size_t first, size_t end, struct error *error)
{
    struct shard_cells cells;
    uint64_t room = 0;
    for (size_t at = first; at < end;) {
        uint64_t steps = 0;
        for (size_t next = block_end(&reader->table, at, end); at < next; at++)
            steps += reader->table.rows[at].num_steps;
        room = steps > room ? steps : room;
    }
    if (!shard_cells_make(&cells, room))
        return error_set(error, "%s: no memory for %llu steps", reader->path, (unsigned long long)room);
    bool ok = true;
    for (size_t at = first, next; ok && at < end; at = next) {
        next = block_end(&reader->table, at, end);
        ok = shard_reader_read(reader, &cells, at, next, error);
        if (ok)
            place_rows(dataset, shard, reader, &cells, at, next);
    }
    shard_cells_free(&cells);
    return ok;
}

static bool is_in_part(const struct part *part, uint64_t position)
{
    return position >= part->first && (position < part->end || part->is_last);
}

/* Reads what of the shard is in the part; nothing where that is none. */
static bool read_shard(struct dataset *dataset, const struct shard_rows *shard, const struct part *part,
                       const char *folder, struct error *error)
{
    struct shard_reader reader;
    size_t first = 0, end = shard->count;
    uint64_t start = shard->position;
    for (size_t i = 0; i < shard->count; start += shard->rows[i++]->num_steps) {
        if (start < part->first)
            first = i + 1;
        if (start >= part->end && !part->is_last && i < end)
            end = i;
    }
    if (shard->count == 0 ? !is_in_part(part, shard->position) : first >= end)
        return true;
    char *name = shard_name(shard->number, dataset->index.num_shards), *path = path_join(folder, name);
    bool is_there, ok = path_look(&is_there, path, error);
    if (ok && !is_there)
        ok = error_set(error, "%s: missing, but %s/%s lists it: run drumline-preprocess again", path, folder,
                       INDEX_NAME);
    if (ok && (ok = shard_reader_open(&reader, path, error))) {
        ok = check_rows(shard, &reader, error) && read_rows(dataset, shard, &reader, first, end, error);
        shard_reader_close(&reader);
    }
    free(path);
    free(name);
    return ok;
}

/* The index's rows by shard, in each shard's order: *rows [count] and *starts [num_shards + 1], both the caller's. */
static bool sort_by_shard(struct performance ***rows, size_t **starts, const struct dataset *dataset)
{
    const struct performance_table *table = &dataset->index.table;
    size_t num_shards = dataset->index.num_shards;
    *rows = malloc((table->count + 1) * sizeof **rows);
    *starts = calloc(num_shards + 2, sizeof **starts);
    if (!*rows || !*starts)
        return false;
    for (size_t i = 0; i < table->count; i++)
        (*starts)[table->rows[i].shard + 2]++;
    for (size_t s = 2; s < num_shards + 2; s++)
        (*starts)[s] += (*starts)[s - 1];
    for (size_t i = 0; i < table->count; i++)
        (*rows)[(*starts)[table->rows[i].shard + 1]++] = &table->rows[i];
    return true;
}

bool dataset_read_part(struct dataset *dataset, const char *folder, int part_number, int num_parts, struct error *error)
{
    uint64_t num_steps = dataset->index.num_steps, divisor = (uint64_t)num_parts, number = (uint64_t)part_number;
    uint64_t each = num_steps / divisor, rest = num_steps % divisor;
    struct part part = {.is_last = part_number == num_parts - 1};
    struct performance **rows;
    size_t *starts;
    part.first = each * number + (number < rest ? number : rest);
    part.end = part.first + each + (number < rest);
    bool ok = sort_by_shard(&rows, &starts, dataset) || error_set(error, "%s: no memory to read it", folder);
    uint64_t position = 0;
    for (uint32_t s = 0; ok && s < dataset->index.num_shards; s++) {
        struct shard_rows shard = {s, rows + starts[s], starts[s + 1] - starts[s], position};
        for (size_t i = 0; i < shard.count; i++)
            position += shard.rows[i]->num_steps;
        ok = read_shard(dataset, &shard, &part, folder, error);
    }
    free(rows);
    free(starts);
    return ok;
}

bool dataset_check_content(struct dataset *dataset, const char *folder, struct error *error)
{
    char found[2 * DIGEST_SIZE + 1];
    for (size_t i = 0; i < dataset->index.table.count; i++)
        memcpy(dataset->index.table.rows[i].digest, dataset->digests + i * DIGEST_SIZE, DIGEST_SIZE);
    performance_table_digest(found, &dataset->index.table);
    if (strcmp(found, dataset->index.content_sha256) == 0)
        return true;
    return error_set(error, "%s: the shards' content does not match %s (SHA-256 %.8s..., not %.8s...)", folder,
                     INDEX_NAME, found, dataset->index.content_sha256);
}

struct dataset *dataset_open(const char *folder, struct error *error)
{
    struct dataset *dataset = dataset_begin(folder, error);
    if (!dataset)
        return NULL;
    dataset->own_memory = malloc(dataset_memory_size(dataset) + 1);
    bool ok = dataset->own_memory ||
              error_set(error, "%s: no memory for %llu steps", folder, (unsigned long long)dataset->index.num_steps);
    if (ok) {
        dataset_use_memory(dataset, dataset->own_memory);
        ok = dataset_read_part(dataset, folder, 0, 1, error) && dataset_check_content(dataset, folder, error);
    }
    if (ok)
        return dataset;
    dataset_close(dataset);
    return NULL;
}

void dataset_close(struct dataset *dataset)
{
    if (!dataset)
        return;
    dataset_index_free(&dataset->index);
    free(dataset->own_memory);
    free(dataset);
}

const char *dataset_content_sha256(const struct dataset *dataset)
{
    return dataset->index.content_sha256;
}
