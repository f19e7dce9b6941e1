/* read_files PATH...: reads shards, indexes and checkpoints as the programs do, and prints a line for each: "PATH<tab>accepted<tab>SUM",
 * where SUM is the sum of XXH3's digests of all things read, each with its name before it, or "PATH<tab>refused<tab>REASON". The last line is
 * "memory<tab>MIB", the most that this process took. tests/base/test_mutants.py has the same sums from another reader. */
#include "base/io/files.h"
#include "base/text.h"
#include "data/dataset/index.h"
#include "data/dataset/shard.h"
#include "model/checkpoint.h"
#include "model/vae/parameters.h"

#include <xxhash.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* "NAME", a NUL and the bytes. */
static void add(uint64_t *sum, const char *name, const void *bytes, size_t size)
{
    XXH3_state_t *state = XXH3_createState();
    XXH3_64bits_reset(state);
    XXH3_64bits_update(state, name, strlen(name) + 1);
    XXH3_64bits_update(state, bytes, size);
    *sum += XXH3_64bits_digest(state);
    XXH3_freeState(state);
}

static void add_text(uint64_t *sum, const char *name, size_t number, const char *text)
{
    char *numbered = format_text("%s %zu", name, number);
    add(sum, numbered, text, strlen(text));
    free(numbered);
}

static void add_number(uint64_t *sum, const char *name, size_t number, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, value);
    add_text(sum, name, number, text);
}

static void add_table(uint64_t *sum, const struct performance_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct performance *row = &table->rows[i];
        add_text(sum, "path", i, row->path);
        add_text(sum, "style", i, row->style);
        add_text(sum, "drummer", i, row->drummer);
        add_number(sum, "first_step", i, row->first_step);
        add_number(sum, "num_steps", i, row->num_steps);
        add_number(sum, "numerator", i, row->time_signature.numerator);
        add_number(sum, "denominator", i, row->time_signature.denominator);
        add(sum, "qpm", &row->qpm, sizeof row->qpm);
    }
}

static bool read_shard(uint64_t *sum, const char *path, struct error *error)
{
    struct shard shard;
    if (!shard_read(&shard, path, error))
        return false;
    size_t count = (size_t)shard.num_steps * NUM_DRUMS;
    add_table(sum, &shard.table);
    add(sum, "hits", shard.hits, count);
    add(sum, "velocity", shard.velocity, count);
    add(sum, "offset", shard.offset, count * sizeof *shard.offset);
    shard_free(&shard);
    return true;
}

static bool read_index(uint64_t *sum, const char *path, struct error *error)
{
    struct dataset_index index;
    char *folder = format_text("%.*s", (int)(path_name(path) - path), path);
    bool ok = dataset_index_read(&index, folder, error);
    free(folder);
    if (!ok)
        return false;
    add_table(sum, &index.table);
    add_text(sum, "content_sha256", 0, index.content_sha256);
    add_number(sum, "attribute num_steps", 0, index.num_steps);
    add_number(sum, "attribute num_shards", 0, index.num_shards);
    add_number(sum, "attribute num_files", 0, index.counts.num_files);
    add_number(sum, "attribute num_hits", 0, index.counts.num_hits);
    dataset_index_free(&index);
    return true;
}

static bool read_weights(uint64_t *sum, struct checkpoint_reader *reader, const struct hparams *hparams,
                         struct error *error)
{
    struct tensor_table table;
    if (!parameters_describe(&table, hparams, error))
        return false;
    const struct tensor_group group = {CHECKPOINT_WEIGHTS, calloc(table.num_floats, sizeof *group.values)};
    bool ok = group.values && checkpoint_read_group(reader, &table, table.num_rows, &group, error);
    for (int i = 0; ok && i < table.num_rows; i++)
        add(sum, table.rows[i].name, group.values + table.rows[i].offset, table.rows[i].count * sizeof *group.values);
    free(group.values);
    return ok;
}

static bool read_checkpoint(uint64_t *sum, const char *path, struct error *error)
{
    struct checkpoint checkpoint;
    struct checkpoint_reader *reader = checkpoint_open(&checkpoint, path, error);
    bool ok = reader && read_weights(sum, reader, &checkpoint.hparams, error);
    if (ok) {
        add_number(sum, "attribute step", 0, checkpoint.step);
        add_number(sum, "attribute epoch", 0, checkpoint.epoch);
        add_number(sum, "attribute seed", 0, checkpoint.seed);
    }
    checkpoint_close(reader);
    return ok;
}

int main(int argc, char **argv)
{
    struct rusage usage;
    for (int i = 1; i < argc; i++) {
        struct error error = {.message = ""};
        uint64_t sum = 0;
        const char *name = path_name(argv[i]);
        bool ok = strncmp(name, "shard", 5) == 0   ? read_shard(&sum, argv[i], &error)
                  : strncmp(name, "index", 5) == 0 ? read_index(&sum, argv[i], &error)
                                                   : read_checkpoint(&sum, argv[i], &error);
        if (ok)
            printf("%s\taccepted\t%016" PRIx64 "\n", argv[i], sum);
        else
            printf("%s\trefused\t%s\n", argv[i], error.message);
        fflush(stdout);
    }
    getrusage(RUSAGE_SELF, &usage);
    printf("memory\t%ld\n", usage.ru_maxrss >> 10);
    return EXIT_SUCCESS;
}
