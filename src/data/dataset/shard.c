#include "data/dataset/shard.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *shard_name(uint32_t number, uint32_t count)
{
    return format_text("shard-%05u-of-%05u.h5", number, count);
}

bool shard_is_name(const char *name)
{
    unsigned number, count;
    int length = 0;
    return sscanf(name, "shard-%9u-of-%9u.h5%n", &number, &count, &length) == 2 && length > 0 && name[length] == '\0' &&
           number < count;
}

static bool make_columns(struct shard_writer *writer, struct error *error)
{
    return hdf5_column_make(&writer->hits, H5T_NATIVE_UINT8, NUM_DRUMS, error) &&
           hdf5_column_make(&writer->velocity, H5T_NATIVE_UINT8, NUM_DRUMS, error) &&
           hdf5_column_make(&writer->offset, H5T_NATIVE_FLOAT, NUM_DRUMS, error);
}

bool shard_writer_append(struct shard_writer *writer, const struct performance *about, const struct grid *grid,
                         struct error *error)
{
    struct performance row = *about;
    row.first_step = writer->num_steps;
    row.num_steps = grid->num_steps;
    row.qpm = grid->qpm;
    row.time_signature = grid->time_signature;
    performance_digest(row.digest, &row, grid->hits, grid->velocity, grid->offset);
    if ((writer->hits == NULL && !make_columns(writer, error)) ||
        !performance_table_append(&writer->table, &row, error) ||
        !hdf5_column_append(writer->hits, grid->hits, grid->num_steps, error) ||
        !hdf5_column_append(writer->velocity, grid->velocity, grid->num_steps, error) ||
        !hdf5_column_append(writer->offset, grid->offset, grid->num_steps, error))
        return false;
    writer->num_steps += grid->num_steps;
    return true;
}

bool shard_writer_write(struct shard_writer *writer, const char *path, struct error *error)
{
    hid_t file;
    if ((writer->hits == NULL && !make_columns(writer, error)) || !hdf5_create(&file, path, SHARD_FORMAT, error))
        return false;
    bool ok = hdf5_column_write(writer->hits, file, "/hits", error) &&
              hdf5_column_write(writer->velocity, file, "/velocity", error) &&
              hdf5_column_write(writer->offset, file, "/offset", error) &&
              performance_table_write(file, path, &writer->table, false, error);
    if (ok)
        return hdf5_close(&file, path, error);
    H5Fclose(file);
    return false;
}

void shard_writer_free(struct shard_writer *writer)
{
    performance_table_free(&writer->table);
    hdf5_column_free(writer->hits);
    hdf5_column_free(writer->velocity);
    hdf5_column_free(writer->offset);
    *writer = (struct shard_writer){0};
}

static bool check_cells(const struct shard *shard, const struct performance *row, const char *path, struct error *error)
{
    size_t start = (size_t)row->first_step * NUM_DRUMS, end = start + (size_t)row->num_steps * NUM_DRUMS;
    for (size_t i = start; i < end; i++) {
        uint8_t hit = shard->hits[i], velocity = shard->velocity[i];
        float offset = shard->offset[i];
        bool sound = hit == 0 ? velocity == 0 && offset == 0.0F
                              : hit == 1 && velocity >= 1 && velocity <= 127 && offset >= -1.0F && offset <= 1.0F;
        if (!sound)
            return error_set(error, "%s: '%s', step %zu, %s: hit %u, velocity %u, offset %g can't be", path, row->path,
                             (i - start) / NUM_DRUMS, drum_name((int)(i % NUM_DRUMS)), hit, velocity, (double)offset);
    }
    return true;
}

static bool read_cells(struct shard *shard, hid_t file, const char *path, struct error *error)
{
    hsize_t dims[2] = {shard->num_steps, NUM_DRUMS}, stored[2];
    static const char *const names[] = {"/hits", "/velocity", "/offset"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!hdf5_dataset_dims(stored, file, names[i], 2, error))
            return false;
        if (stored[0] != dims[0] || stored[1] != dims[1])
            return error_set(error, "%s: %s is %llu x %llu, where its table tells of %llu steps of %d drums", path,
                             names[i], (unsigned long long)stored[0], (unsigned long long)stored[1],
                             (unsigned long long)dims[0], NUM_DRUMS);
    }
    size_t cells = (size_t)shard->num_steps * NUM_DRUMS;
    shard->hits = malloc(cells + 1);
    shard->velocity = malloc(cells + 1);
    shard->offset = malloc((cells + 1) * sizeof *shard->offset);
    if (shard->hits == NULL || shard->velocity == NULL || shard->offset == NULL)
        return error_set(error, "%s: no memory for %llu steps", path, (unsigned long long)shard->num_steps);
    return hdf5_read_dataset(shard->hits, file, names[0], H5T_NATIVE_UINT8, 2, dims, error) &&
           hdf5_read_dataset(shard->velocity, file, names[1], H5T_NATIVE_UINT8, 2, dims, error) &&
           hdf5_read_dataset(shard->offset, file, names[2], H5T_NATIVE_FLOAT, 2, dims, error);
}

bool shard_read(struct shard *shard, const char *path, struct error *error)
{
    struct error ignored;
    hid_t file;
    *shard = (struct shard){0};
    if (!hdf5_open(&file, path, SHARD_FORMAT, error))
        return false;
    bool ok = performance_table_read(&shard->table, &shard->num_steps, file, path, false, error) &&
              read_cells(shard, file, path, error);
    for (size_t i = 0; ok && i < shard->table.count; i++) {
        struct performance *row = &shard->table.rows[i];
        size_t start = (size_t)row->first_step * NUM_DRUMS;
        ok = check_cells(shard, row, path, error);
        if (ok)
            performance_digest(row->digest, row, shard->hits + start, shard->velocity + start, shard->offset + start);
    }
    hdf5_close(&file, path, &ignored);
    if (!ok)
        shard_free(shard);
    return ok;
}

void shard_free(struct shard *shard)
{
    performance_table_free(&shard->table);
    free(shard->hits);
    free(shard->velocity);
    free(shard->offset);
    *shard = (struct shard){0};
}
