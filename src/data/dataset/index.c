#include "data/dataset/index.h"

#include "base/cli/options.h"
#include "base/io/files.h"
#include "base/io/foreign_file.h"
#include "base/text.h"
#include "base/version.h"
#include "data/dataset/shard.h"

#include <stdlib.h>
#include <string.h>

#define LOST_NAME "/lost_notes"

static const struct {
    const char *name, *words;
} reasons[NUM_SKIP_REASONS] = {
    {"unreadable",     "could not be read"                                          },
    {"damaged",        "not a MIDI file, or damaged"                                },
    {"unsupported",    "a kind of MIDI file that is not supported"                  },
    {"name",           "file name is not UTF-8, too long, or has control characters"},
    {"no_drums",       "no hit of any of the nine drums"                            },
    {"time_signature", "another time signature"                                     },
    {"broken_bar",     "a bar is not a whole number of sixteenths"                  },
    {"short",          "fewer bars than --min_bars"                                 },
    {"long",           "longer than 1,048,576 sixteenths"                           },
    {"not_drums",      "nothing identifies its notes as drums: see --channel"       },
};

const char *skip_reason_name(enum skip_reason reason)
{
    return reasons[reason].name;
}

const char *skip_reason_words(enum skip_reason reason)
{
    return reasons[reason].words;
}

/* The stretches of one file share a path; they lie in one shard, in the order of time. */
static int compare_performances(const void *left, const void *right)
{
    const struct performance *a = left, *b = right;
    int order = strcmp(a->path, b->path);
    if (order != 0)
        return order;
    if (a->shard != b->shard)
        return a->shard < b->shard ? -1 : 1;
    return (a->first_step > b->first_step) - (a->first_step < b->first_step);
}

static bool is_by_path(const struct performance_table *table)
{
    for (size_t i = 1; i < table->count; i++)
        if (strcmp(table->rows[i - 1].path, table->rows[i].path) > 0)
            return false;
    return true;
}

static bool gather_rows(struct performance_table *all, const struct performance_table *tables, uint32_t num_shards,
                        struct error *error)
{
    for (uint32_t s = 0; s < num_shards; s++) {
        if (!is_by_path(&tables[s]))
            return error_set(error, "the performances of shard %u are not sorted by path", s);
        for (size_t i = 0; i < tables[s].count; i++) {
            struct performance row = tables[s].rows[i];
            row.shard = s;
            if (!performance_table_append(all, &row, error))
                return false;
        }
    }
    return true;
}

bool dataset_index_make(struct dataset_index *index, const struct performance_table *tables, uint32_t num_shards,
                        const struct dataset_counts *counts, struct error *error)
{
    *index = (struct dataset_index){.counts = *counts, .num_shards = num_shards};
    if (!gather_rows(&index->table, tables, num_shards, error)) {
        dataset_index_free(index);
        return false;
    }
    if (index->table.count > 0)
        qsort(index->table.rows, index->table.count, sizeof *index->table.rows, compare_performances);
    for (size_t i = 0; i < index->table.count; i++) {
        index->table.rows[i].first_step = index->num_steps;
        index->num_steps += index->table.rows[i].num_steps;
    }
    performance_table_digest(index->content_sha256, &index->table);
    return true;
}

/* Maps rows [first, end) of the index, which lie one after another in one shard from `shard_step` on. */
static bool map_rows(hid_t properties, hid_t space, const struct dataset_index *index, size_t first, size_t end,
                     uint64_t shard_step, uint64_t shard_num_steps, const char *name)
{
    const struct performance *row = &index->table.rows[first], *last = &index->table.rows[end - 1];
    hsize_t count[2] = {last->first_step + last->num_steps - row->first_step, NUM_DRUMS};
    hsize_t start[2] = {row->first_step, 0}, source_start[2] = {shard_step, 0};
    hsize_t source_dims[2] = {shard_num_steps, NUM_DRUMS};
    char *file_name = shard_name(row->shard, index->num_shards);
    hid_t source = H5Screate_simple(2, source_dims, NULL);
    bool ok = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
              H5Sselect_hyperslab(source, H5S_SELECT_SET, source_start, NULL, count, NULL) >= 0 &&
              H5Pset_virtual(properties, space, file_name, name, source) >= 0;
    H5Sclose(source);
    free(file_name);
    return ok;
}

/* Rows that follow each other in the index and in their shard become one mapping. `shard_steps` [num_shards] is how far
 * each shard has been mapped, `shard_sizes` how many steps it has. */
static bool map_shards(hid_t properties, hid_t space, const struct dataset_index *index, uint64_t *shard_steps,
                       const uint64_t *shard_sizes, const char *name)
{
    const struct performance_table *table = &index->table;
    for (size_t first = 0, end; first < table->count; first = end) {
        uint32_t shard = table->rows[first].shard;
        uint64_t start = shard_steps[shard];
        for (end = first; end < table->count && table->rows[end].shard == shard; end++)
            shard_steps[shard] += table->rows[end].num_steps;
        if (!map_rows(properties, space, index, first, end, start, shard_sizes[shard], name))
            return false;
    }
    return true;
}

static bool write_virtual(hid_t file, const char *path, const struct dataset_index *index, const char *name, hid_t type,
                          struct error *error)
{
    hsize_t dims[2] = {index->num_steps, NUM_DRUMS};
    uint64_t *steps = calloc(2 * (size_t)index->num_shards + 1, sizeof *steps);
    if (!steps)
        return error_set(error, "%s: no memory for %u shards", path, index->num_shards);
    for (size_t i = 0; i < index->table.count; i++)
        steps[index->num_shards + index->table.rows[i].shard] += index->table.rows[i].num_steps;
    hid_t space = H5Screate_simple(2, dims, NULL), properties = H5Pcreate(H5P_DATASET_CREATE);
    hid_t dataset = H5I_INVALID_HID;
    H5Pset_obj_track_times(properties, false);
    if (map_shards(properties, space, index, steps, steps + index->num_shards, name))
        dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    bool ok = dataset >= 0 || hdf5_fail(error, path, "can't create a virtual dataset over the shards");
    if (dataset >= 0)
        H5Dclose(dataset);
    H5Pclose(properties);
    H5Sclose(space);
    free(steps);
    return ok;
}

static bool write_skipped(hid_t file, const struct dataset_counts *counts, struct error *error)
{
    for (int reason = 0; reason < NUM_SKIP_REASONS; reason++) {
        char *name = format_text("skipped_%s", reasons[reason].name);
        bool ok = hdf5_write_int(file, name, (int64_t)counts->skipped[reason], error);
        free(name);
        if (!ok)
            return false;
    }
    return true;
}

static bool write_splits(hid_t file, const struct performance_table *table, struct error *error)
{
    int64_t counts[NUM_SPLITS] = {0};
    bool ok = true;
    for (size_t i = 0; i < table->count; i++)
        counts[table->rows[i].split]++;
    for (int split = 0; ok && split < NUM_SPLITS; split++) {
        char *name = format_text("num_%s", split_name((enum split)split));
        ok = hdf5_write_int(file, name, counts[split], error);
        free(name);
    }
    return ok;
}

static bool write_drum_map(hid_t file, const struct drum_map *map, struct error *error)
{
    if (map->name[0] == '\0')
        return true;
    char *table = drum_map_text(map);
    bool ok = hdf5_write_string(file, "drum_map", map->name, error) &&
              hdf5_write_string(file, "drum_map_table", table, error);
    free(table);
    return ok;
}

/* Rows of pitch, notes, files. */
static bool write_lost(hid_t file, const struct dataset_index *index, struct error *error)
{
    uint64_t rows[NUM_PITCHES][3];
    hsize_t dims[2] = {index->num_lost, 3};
    for (size_t i = 0; i < index->num_lost; i++) {
        rows[i][0] = index->lost[i].pitch;
        rows[i][1] = index->lost[i].notes;
        rows[i][2] = index->lost[i].files;
    }
    return hdf5_write_dataset(file, LOST_NAME, H5T_NATIVE_UINT64, 2, dims, rows, HDF5_CHECKSUMMED, error);
}

static bool write_attributes(hid_t file, const struct dataset_index *index, struct error *error)
{
    const struct dataset_counts *counts = &index->counts;
    return hdf5_write_string(file, "content_sha256", index->content_sha256, error) &&
           hdf5_write_string(file, "representation", representation_table[index->representation].name, error) &&
           hdf5_write_string(file, "program_version", drumline_version(), error) &&
           hdf5_write_int(file, "num_performances", (int64_t)index->table.count, error) &&
           hdf5_write_int(file, "num_steps", (int64_t)index->num_steps, error) &&
           hdf5_write_int(file, "num_shards", index->num_shards, error) &&
           hdf5_write_int(file, "num_files", (int64_t)counts->num_files, error) &&
           hdf5_write_int(file, "num_hits", (int64_t)counts->num_hits, error) &&
           hdf5_write_int(file, "num_unknown_pitches", (int64_t)counts->num_unknown, error) &&
           hdf5_write_int(file, "num_melodic_notes", (int64_t)counts->num_melodic, error) &&
           hdf5_write_int(file, "num_silent_bars", (int64_t)counts->num_silent_bars, error) &&
           write_splits(file, &index->table, error) && write_skipped(file, counts, error) &&
           write_drum_map(file, &index->drum_map, error);
}

bool dataset_index_write(const struct dataset_index *index, struct atomic_file *to, struct error *error)
{
    hid_t file;
    if (!hdf5_create(&file, to->path, INDEX_FORMAT, error))
        return false;
    bool ok = write_attributes(file, index, error) && write_lost(file, index, error) &&
              performance_table_write(file, to->path, &index->table, true, error) &&
              write_virtual(file, to->path, index, "/hits", H5T_STD_U8LE, error) &&
              write_virtual(file, to->path, index, "/velocity", H5T_STD_U8LE, error) &&
              write_virtual(file, to->path, index, "/offset", H5T_IEEE_F32LE, error);
    if (ok)
        return hdf5_save(&file, to, error);
    hdf5_close(&file);
    return false;
}

static bool read_count(uint64_t *count, struct hdf5_reader *file, const char *path, const char *name,
                       struct error *error)
{
    int64_t value;
    if (!hdf5_read_int(&value, file, name, error))
        return false;
    *count = (uint64_t)value;
    return value >= 0 || error_set(error, "%s: %s is %lld", path, name, (long long)value);
}

/* The first version called the attribute left_out_NAME. Reasons that came after it may be missing. */
static bool read_skipped(uint64_t *count, struct hdf5_reader *file, const char *path, enum skip_reason reason,
                         struct error *error)
{
    char *name = format_text("skipped_%s", reasons[reason].name);
    char *old_name = format_text("left_out_%s", reasons[reason].name);
    bool is_old = !hdf5_has_attribute(file, name) && hdf5_has_attribute(file, old_name);
    bool ok = true;
    *count = 0;
    if (reason <= SKIPPED_LONG || hdf5_has_attribute(file, name))
        ok = read_count(count, file, path, is_old ? old_name : name, error);
    free(old_name);
    free(name);
    return ok;
}

static bool read_counts(struct dataset_index *index, struct hdf5_reader *file, const char *path, struct error *error)
{
    struct dataset_counts *counts = &index->counts;
    uint64_t num_shards, num_steps;
    bool ok = read_count(&num_shards, file, path, "num_shards", error) &&
              read_count(&num_steps, file, path, "num_steps", error) &&
              read_count(&counts->num_kept, file, path, "num_performances", error) &&
              read_count(&counts->num_files, file, path, "num_files", error) &&
              read_count(&counts->num_hits, file, path, "num_hits", error) &&
              read_count(&counts->num_unknown, file, path, "num_unknown_pitches", error) &&
              read_count(&counts->num_melodic, file, path, "num_melodic_notes", error);
    if (ok && hdf5_has_attribute(file, "num_silent_bars"))
        ok = read_count(&counts->num_silent_bars, file, path, "num_silent_bars", error);
    for (int reason = 0; ok && reason < NUM_SKIP_REASONS; reason++)
        ok = read_skipped(&counts->skipped[reason], file, path, (enum skip_reason)reason, error);
    if (!ok)
        return false;
    if (num_shards == 0 || num_shards > 99999 || num_steps != index->num_steps ||
        counts->num_kept != index->table.count)
        return error_set(error, "%s: its counts do not match its table", path);
    index->num_shards = (uint32_t)num_shards;
    for (size_t i = 0; i < index->table.count; i++)
        if (index->table.rows[i].shard >= num_shards)
            return error_set(error, "%s: '%s' is in shard %u of %u", path, index->table.rows[i].path,
                             index->table.rows[i].shard, index->num_shards);
    return true;
}

static bool read_content_hash(struct dataset_index *index, struct hdf5_reader *file, const char *path,
                              struct error *error)
{
    char *text = NULL;
    if (!hdf5_read_string(&text, file, "content_sha256", error))
        return false;
    bool ok = strlen(text) == strspn(text, "0123456789abcdef") && strlen(text) == (size_t)2 * DIGEST_SIZE;
    if (ok)
        memcpy(index->content_sha256, text, 2 * DIGEST_SIZE + 1);
    else
        error_set(error, "%s: content_sha256 is no SHA-256", path);
    free(text);
    return ok;
}

static bool read_lost(struct dataset_index *index, struct hdf5_reader *file, const char *path, struct error *error)
{
    uint64_t rows[NUM_PITCHES][3];
    hsize_t dims[2];
    if (!hdf5_has_object(file, LOST_NAME))
        return true;
    if (!hdf5_dataset_dims(dims, file, LOST_NAME, 2, error))
        return false;
    if (dims[0] > NUM_PITCHES || dims[1] != 3)
        return error_set(error, "%s: " LOST_NAME " is %llu by %llu", path, (unsigned long long)dims[0],
                         (unsigned long long)dims[1]);
    if (!hdf5_read_dataset(rows, file, LOST_NAME, HDF5_UINT64, 2, dims, error))
        return false;
    for (size_t i = 0; i < dims[0]; i++) {
        index->lost[i] = (struct lost_pitch){rows[i][0], rows[i][1], rows[i][2]};
        if (rows[i][0] >= NUM_PITCHES || rows[i][1] > INT64_MAX || rows[i][2] > INT64_MAX)
            return error_set(error, "%s: " LOST_NAME " has a row of pitch %llu", path, (unsigned long long)rows[i][0]);
    }
    index->num_lost = (size_t)dims[0];
    return true;
}

static bool read_drum_map(struct drum_map *map, struct hdf5_reader *file, const char *path, struct error *error)
{
    char *name = NULL, *table = NULL;
    if (!hdf5_has_attribute(file, "drum_map")) {
        drum_map_builtin(map, "roland");
        return true;
    }
    bool ok =
        hdf5_read_string(&name, file, "drum_map", error) && hdf5_read_string(&table, file, "drum_map_table", error);
    if (ok && !text_is_utf8(name))
        ok = error_set(error, "%s: drum_map is not UTF-8 text", path);
    if (ok && !drum_map_parse(map, name, table, error))
        ok = error_prefix(error, "%s: drum_map_table", path);
    free(table);
    free(name);
    return ok;
}

/* Data sets of the first version do not say it: they are for the first of the table. */
static bool read_representation(struct dataset_index *index, struct hdf5_reader *file, const char *path,
                                struct error *error)
{
    char *name = NULL;
    index->representation = 0;
    if (!hdf5_has_attribute(file, "representation"))
        return true;
    if (!hdf5_read_string(&name, file, "representation", error))
        return false;
    const struct representation *found = representation_find(name, error);
    free(name);
    if (!found)
        return error_prefix(error, "%s", path);
    index->representation = (int)(found - representation_table);
    return true;
}

static bool is_own_shard(const char *file_name, void *context)
{
    const struct dataset_index *index = context;
    unsigned number, count;
    return shard_is_name(file_name) && sscanf(file_name, "shard-%u-of-%u", &number, &count) == 2 &&
           count == index->num_shards;
}

/* This program reads the shards themselves, but others read the index's datasets over them. */
static bool check_virtual(struct dataset_index *index, struct hdf5_reader *file, struct error *error)
{
    static const char *const names[] = {"/hits", "/velocity", "/offset"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!hdf5_check_sources(file, names[i], is_own_shard, index, error))
            return false;
    return true;
}

bool dataset_index_read(struct dataset_index *index, const char *folder, struct error *error)
{
    char *path = path_join(folder, INDEX_NAME);
    struct hdf5_reader *file;
    *index = (struct dataset_index){0};
    bool is_there;
    bool ok = foreign_file_check(folder, error) && folder_check(folder, error) && path_look(&is_there, path, error);
    if (ok && !is_there)
        ok = error_set(error, "%s: not a data set: it has no %s (create one with drumline-preprocess)", folder,
                       INDEX_NAME);
    if (ok && (ok = hdf5_open(&file, path, INDEX_FORMAT, error))) {
        ok = performance_table_read(&index->table, &index->num_steps, file, path, true, error) &&
             read_counts(index, file, path, error) && read_content_hash(index, file, path, error) &&
             read_drum_map(&index->drum_map, file, path, error) && read_lost(index, file, path, error) &&
             read_representation(index, file, path, error) && check_virtual(index, file, error);
        hdf5_reader_close(&file);
    }
    if (!ok)
        dataset_index_free(index);
    free(path);
    return ok;
}

/* A packed index: the struct, whose table means nothing there, then the packed table. */
bool dataset_index_pack(uint8_t **bytes, size_t *size, const struct dataset_index *index, struct error *error)
{
    uint8_t *table = NULL;
    size_t table_size;
    *bytes = NULL;
    if (!performance_table_pack(&table, &table_size, &index->table, error))
        return false;
    *size = sizeof *index + table_size;
    *bytes = malloc(*size);
    if (*bytes) {
        memcpy(*bytes, index, sizeof *index);
        memcpy(*bytes + sizeof *index, table, table_size);
    }
    free(table);
    return *bytes || error_set(error, "no memory for the index of %zu performances", index->table.count);
}

bool dataset_index_unpack(struct dataset_index *index, const uint8_t *bytes, size_t size, struct error *error)
{
    if (size < sizeof *index) {
        *index = (struct dataset_index){.num_steps = 0};
        return error_set(error, "an index from another rank is truncated");
    }
    memcpy(index, bytes, sizeof *index);
    size_t count = index->table.count;
    if (!performance_table_unpack(&index->table, bytes + sizeof *index, size - sizeof *index, error))
        return false;
    if (index->table.count == count)
        return true;
    dataset_index_free(index);
    return error_set(error, "an index from another rank is truncated");
}

void dataset_index_free(struct dataset_index *index)
{
    performance_table_free(&index->table);
    *index = (struct dataset_index){0};
}
