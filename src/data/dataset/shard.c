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

void shard_writer_start(struct shard_writer *writer, const struct atomic_file *to, size_t most_memory)
{
    writer->to = to;
    writer->most_memory = most_memory;
}

/* Where memory holds enough, puts it into the file, and what comes after it too. */
static bool stream_if_large(struct shard_writer *writer, struct error *error)
{
    size_t size = hdf5_column_packed_size(writer->hits) + hdf5_column_packed_size(writer->velocity) +
                  hdf5_column_packed_size(writer->offset);
    if (!writer->to || writer->is_streaming || size <= writer->most_memory)
        return true;
    if (!hdf5_create_on_disk(&writer->file, writer->to, SHARD_FORMAT, error))
        return false;
    writer->is_streaming = true;
    return hdf5_column_stream(writer->hits, writer->file, "/hits", error) &&
           hdf5_column_stream(writer->velocity, writer->file, "/velocity", error) &&
           hdf5_column_stream(writer->offset, writer->file, "/offset", error);
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
    if ((!writer->hits && !make_columns(writer, error)) || !performance_table_append(&writer->table, &row, error) ||
        !hdf5_column_append(writer->hits, grid->hits, grid->num_steps, error) ||
        !hdf5_column_append(writer->velocity, grid->velocity, grid->num_steps, error) ||
        !hdf5_column_append(writer->offset, grid->offset, grid->num_steps, error))
        return false;
    writer->num_steps += grid->num_steps;
    return stream_if_large(writer, error);
}

/* More than the table takes in the file. */
static size_t table_room(const struct performance_table *table)
{
    enum { NUMBERS = 256 }; /* bytes of a row beside its texts */
    size_t path = 0, style = 0, drummer = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct performance *row = &table->rows[i];
        path = strlen(row->path) > path ? strlen(row->path) : path;
        style = strlen(row->style) > style ? strlen(row->style) : style;
        drummer = strlen(row->drummer) > drummer ? strlen(row->drummer) : drummer;
    }
    return table->count * (path + style + drummer + NUMBERS);
}

bool shard_writer_write(struct shard_writer *writer, struct atomic_file *to, struct error *error)
{
    const bool was_streaming = writer->is_streaming;
    hid_t file = writer->file;
    if (was_streaming)
        writer->is_streaming = false; /* from here on the file is this function's */
    else if ((!writer->hits && !make_columns(writer, error)) || !hdf5_create(&file, to->path, SHARD_FORMAT, error))
        return false;
    bool ok = hdf5_column_write(writer->hits, file, "/hits", error) &&
              hdf5_column_write(writer->velocity, file, "/velocity", error) &&
              hdf5_column_write(writer->offset, file, "/offset", error) &&
              (!was_streaming || hdf5_reserve(file, table_room(&writer->table), error)) &&
              performance_table_write(file, to->path, &writer->table, false, error);
    if (ok)
        return hdf5_save(&file, to, error);
    hdf5_close(&file);
    return false;
}

void shard_writer_free(struct shard_writer *writer)
{
    performance_table_free(&writer->table);
    hdf5_column_free(writer->hits);
    hdf5_column_free(writer->velocity);
    hdf5_column_free(writer->offset);
    if (writer->is_streaming)
        hdf5_close(&writer->file);
    *writer = (struct shard_writer){0};
}

static const char *const cell_datasets[] = {"/hits", "/velocity", "/offset"};

static bool check_sizes(const struct shard_reader *reader, struct error *error)
{
    hsize_t stored[2];
    for (size_t i = 0; i < sizeof cell_datasets / sizeof cell_datasets[0]; i++) {
        if (!hdf5_dataset_dims(stored, reader->file, cell_datasets[i], 2, error))
            return false;
        if (stored[0] != reader->num_steps || stored[1] != NUM_DRUMS)
            return error_set(error, "%s: %s is %llu x %llu, but its table has %llu steps of %d drums", reader->path,
                             cell_datasets[i], (unsigned long long)stored[0], (unsigned long long)stored[1],
                             (unsigned long long)reader->num_steps, NUM_DRUMS);
    }
    return true;
}

bool shard_reader_open(struct shard_reader *reader, const char *path, struct error *error)
{
    *reader = (struct shard_reader){.file = NULL};
    if (!hdf5_open(&reader->file, path, SHARD_FORMAT, error))
        return false;
    reader->path = format_text("%s", path);
    if (performance_table_read(&reader->table, &reader->num_steps, reader->file, path, false, error) &&
        check_sizes(reader, error))
        return true;
    shard_reader_close(reader);
    return false;
}

void shard_reader_close(struct shard_reader *reader)
{
    hdf5_reader_close(&reader->file);
    performance_table_free(&reader->table);
    free(reader->path);
    *reader = (struct shard_reader){.file = NULL};
}

static bool check_cells(const char *path, const struct performance *row, const struct shard_cells *cells,
                        struct error *error)
{
    for (size_t i = 0; i < (size_t)row->num_steps * NUM_DRUMS; i++) {
        uint8_t hit = cells->hits[i], velocity = cells->velocity[i];
        float offset = cells->offset[i];
        bool valid = hit == 0 ? velocity == 0 && offset == 0.0f
                              : hit == 1 && velocity >= 1 && velocity <= 127 && offset >= -1.0f && offset <= 1.0f;
        if (!valid)
            return error_set(error, "%s: '%s', step %zu, %s: hit %u, velocity %u, offset %g can't be", path, row->path,
                             i / NUM_DRUMS, drum_name((int)(i % NUM_DRUMS)), hit, velocity, (double)offset);
    }
    return true;
}

bool shard_reader_read(struct shard_reader *reader, const struct shard_cells *cells, size_t first, size_t end,
                       struct error *error)
{
    const hsize_t dims[2] = {reader->num_steps, NUM_DRUMS};
    uint64_t start = first < end ? reader->table.rows[first].first_step : 0, num_steps = 0;
    for (size_t i = first; i < end; i++)
        num_steps += reader->table.rows[i].num_steps;
    if (!hdf5_read_rows(cells->hits, reader->file, cell_datasets[0], HDF5_UINT8, 2, dims, start, num_steps, error) ||
        !hdf5_read_rows(cells->velocity, reader->file, cell_datasets[1], HDF5_UINT8, 2, dims, start, num_steps,
                        error) ||
        !hdf5_read_rows(cells->offset, reader->file, cell_datasets[2], HDF5_FLOAT, 2, dims, start, num_steps, error))
        return false;
    for (size_t i = first; i < end; i++) {
        struct performance *row = &reader->table.rows[i];
        size_t from = (size_t)(row->first_step - start) * NUM_DRUMS;
        const struct shard_cells own = {cells->hits + from, cells->velocity + from, cells->offset + from};
        if (!check_cells(reader->path, row, &own, error))
            return false;
        performance_digest(row->digest, row, own.hits, own.velocity, own.offset);
    }
    return true;
}

bool shard_cells_make(struct shard_cells *cells, uint64_t num_steps)
{
    size_t count = (size_t)num_steps * NUM_DRUMS + 1;
    *cells = (struct shard_cells){NULL, NULL, NULL};
    if (num_steps >= SIZE_MAX / (NUM_DRUMS * sizeof *cells->offset) - 1)
        return false;
    *cells = (struct shard_cells){malloc(count), malloc(count), malloc(count * sizeof *cells->offset)};
    if (cells->hits && cells->velocity && cells->offset)
        return true;
    shard_cells_free(cells);
    return false;
}

void shard_cells_free(struct shard_cells *cells)
{
    free(cells->hits);
    free(cells->velocity);
    free(cells->offset);
    *cells = (struct shard_cells){NULL, NULL, NULL};
}

bool shard_read(struct shard *shard, const char *path, struct error *error)
{
    struct shard_reader reader;
    struct shard_cells cells;
    *shard = (struct shard){.num_steps = 0};
    if (!shard_reader_open(&reader, path, error))
        return false;
    bool ok = shard_cells_make(&cells, reader.num_steps) ||
              error_set(error, "%s: no memory for %llu steps", path, (unsigned long long)reader.num_steps);
    if (ok && shard_reader_read(&reader, &cells, 0, reader.table.count, error)) {
        *shard = (struct shard){reader.table, reader.num_steps, cells.hits, cells.velocity, cells.offset};
        reader.table = (struct performance_table){NULL, 0, 0};
    } else if (ok) {
        shard_cells_free(&cells);
        ok = false;
    }
    shard_reader_close(&reader);
    return ok;
}

void shard_free(struct shard *shard)
{
    struct shard_cells cells = {shard->hits, shard->velocity, shard->offset};
    performance_table_free(&shard->table);
    shard_cells_free(&cells);
    *shard = (struct shard){.num_steps = 0};
}
