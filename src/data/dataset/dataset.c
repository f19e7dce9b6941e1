#include "data/dataset/dataset.h"

#include "base/io/files.h"
#include "data/dataset/shard.h"

#include <stdlib.h>
#include <string.h>

static bool make_room(struct dataset *dataset, const char *folder, struct error *error)
{
    size_t cells = (size_t)dataset->index.num_steps * NUM_DRUMS;
    dataset->hits = malloc(cells + 1);
    dataset->velocity = malloc(cells + 1);
    dataset->offset = malloc((cells + 1) * sizeof *dataset->offset);
    if (dataset->hits != NULL && dataset->velocity != NULL && dataset->offset != NULL)
        return true;
    return error_set(error, "%s: no memory for %llu steps", folder, (unsigned long long)dataset->index.num_steps);
}

static bool same_performance(const struct performance *a, const struct performance *b)
{
    return strcmp(a->path, b->path) == 0 && strcmp(a->style, b->style) == 0 && strcmp(a->drummer, b->drummer) == 0 &&
           a->split == b->split && a->num_steps == b->num_steps && !(a->qpm < b->qpm) && !(a->qpm > b->qpm) &&
           time_signature_equal(a->time_signature, b->time_signature);
}

/* The rows of one shard stand in the index in the shard's own order, among those of others. */
static bool take_shard(struct dataset *dataset, const struct shard *shard, uint32_t number, const char *path,
                       struct error *error)
{
    size_t taken = 0;
    for (size_t i = 0; i < dataset->index.table.count; i++) {
        struct performance *row = &dataset->index.table.rows[i];
        if (row->shard != number)
            continue;
        if (taken == shard->table.count || !same_performance(row, &shard->table.rows[taken]))
            return error_set(error, "%s: is not the shard that %s was made with: '%s' is not where it should be", path,
                             INDEX_NAME, row->path);
        const struct performance *source = &shard->table.rows[taken++];
        size_t from = (size_t)source->first_step * NUM_DRUMS, to = (size_t)row->first_step * NUM_DRUMS;
        size_t cells = (size_t)row->num_steps * NUM_DRUMS;
        memcpy(dataset->hits + to, shard->hits + from, cells);
        memcpy(dataset->velocity + to, shard->velocity + from, cells);
        memcpy(dataset->offset + to, shard->offset + from, cells * sizeof *dataset->offset);
        memcpy(row->digest, source->digest, DIGEST_SIZE);
    }
    if (taken != shard->table.count)
        return error_set(error, "%s: is not the shard that %s was made with: '%s' is not in the index", path,
                         INDEX_NAME, shard->table.rows[taken].path);
    return true;
}

static bool read_shards(struct dataset *dataset, const char *folder, struct error *error)
{
    bool ok = true;
    for (uint32_t number = 0; ok && number < dataset->index.num_shards; number++) {
        struct shard shard;
        char *name = shard_name(number, dataset->index.num_shards);
        char *path = path_join(folder, name);
        if (!file_exists(path)) {
            ok = error_set(error, "%s: missing, though %s/%s names it: run drumline-preprocess again", path, folder,
                           INDEX_NAME);
        } else if ((ok = shard_read(&shard, path, error))) {
            ok = take_shard(dataset, &shard, number, path, error);
            shard_free(&shard);
        }
        free(path);
        free(name);
    }
    return ok;
}

static bool check_content(const struct dataset *dataset, const char *folder, struct error *error)
{
    char found[2 * DIGEST_SIZE + 1];
    performance_table_digest(found, &dataset->index.table);
    if (strcmp(found, dataset->index.content_sha256) == 0)
        return true;
    return error_set(error, "%s: the shards' content is not what %s was made with (SHA-256 %.8s..., not %.8s...)",
                     folder, INDEX_NAME, found, dataset->index.content_sha256);
}

struct dataset *dataset_open(const char *folder, struct error *error)
{
    struct dataset *dataset = calloc(1, sizeof *dataset);
    if (dataset == NULL) {
        error_set(error, "%s: no memory", folder);
        return NULL;
    }
    if (dataset_index_read(&dataset->index, folder, error) && make_room(dataset, folder, error) &&
        read_shards(dataset, folder, error) && check_content(dataset, folder, error))
        return dataset;
    dataset_close(dataset);
    return NULL;
}

void dataset_close(struct dataset *dataset)
{
    if (dataset == NULL)
        return;
    dataset_index_free(&dataset->index);
    free(dataset->hits);
    free(dataset->velocity);
    free(dataset->offset);
    free(dataset);
}

const char *dataset_content_sha256(const struct dataset *dataset)
{
    return dataset->index.content_sha256;
}

uint64_t windows_in(const struct performance *row, uint32_t bars, uint32_t hop_bars)
{
    uint32_t has_bars = row->num_steps / GRID_BAR_STEPS;
    if (time_signature_bar_steps(row->time_signature) != GRID_BAR_STEPS || has_bars < bars)
        return 0;
    return (has_bars - bars) / hop_bars + 1;
}

static bool refuse_empty(const uint64_t counts[NUM_SPLITS], enum split split, int bars, struct error *error)
{
    return error_set(error,
                     "the split '%s' holds no window of %d bars of 4/4 (train holds %llu, validation %llu, test %llu)",
                     split_name(split), bars, (unsigned long long)counts[SPLIT_TRAIN],
                     (unsigned long long)counts[SPLIT_VALIDATION], (unsigned long long)counts[SPLIT_TEST]);
}

static void list_windows(struct windows *windows, const struct performance_table *table, enum split split,
                         uint32_t hop_bars)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct performance *row = &table->rows[i];
        uint64_t count = row->split == split ? windows_in(row, (uint32_t)windows->bars, hop_bars) : 0;
        for (uint64_t w = 0; w < count; w++) {
            windows->performance[windows->count] = (uint32_t)i;
            windows->first_step[windows->count++] = row->first_step + w * hop_bars * GRID_BAR_STEPS;
        }
    }
}

bool windows_make(struct windows *windows, const struct dataset *dataset, const char *split, int bars, int hop_bars,
                  struct error *error)
{
    const struct performance_table *table = &dataset->index.table;
    uint64_t counts[NUM_SPLITS] = {0};
    enum split number;
    *windows = (struct windows){.dataset = dataset, .bars = bars};
    if (!split_parse(&number, split))
        return error_set(error, "split '%s': give one of train, validation, test", split);
    if (bars < 1 || hop_bars < 1 || bars > GRID_MAX_STEPS / GRID_BAR_STEPS)
        return error_set(error, "windows of %d bars every %d bars can't be", bars, hop_bars);
    for (size_t i = 0; i < table->count; i++)
        counts[table->rows[i].split] += windows_in(&table->rows[i], (uint32_t)bars, (uint32_t)hop_bars);
    if (counts[number] == 0)
        return refuse_empty(counts, number, bars, error);
    if (counts[number] > UINT32_MAX)
        return error_set(error, "more than %u windows", UINT32_MAX);
    windows->num_steps = (uint32_t)bars * GRID_BAR_STEPS;
    windows->first_step = calloc((size_t)counts[number], sizeof *windows->first_step);
    windows->performance = calloc((size_t)counts[number], sizeof *windows->performance);
    if (windows->first_step == NULL || windows->performance == NULL) {
        windows_free(windows);
        return error_set(error, "no memory for %llu windows", (unsigned long long)counts[number]);
    }
    list_windows(windows, table, number, (uint32_t)hop_bars);
    return true;
}

void windows_free(struct windows *windows)
{
    free(windows->first_step);
    free(windows->performance);
    *windows = (struct windows){0};
}
