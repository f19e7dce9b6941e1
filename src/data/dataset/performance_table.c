#include "data/dataset/performance_table.h"

#include "base/array.h"
#include "base/text.h"

#include <math.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

enum { SPLIT_TEXT_SIZE = 10, BEAT_TYPE_TEXT_SIZE = 4, MAX_ROWS = 1 << 26 };

/* Where each member of the compound lies in a packed row, and how long its strings are. */
struct layout {
    size_t path_size, style_size, drummer_size,
        beat_type_size; /* bytes, filled up with NULs; beat_type_size 0: not there */
    size_t path, split, first_step, num_steps, qpm, numerator, denominator, style, drummer, beat_type, shard;
    size_t row_size;
};

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

static void performance_free(struct performance *performance)
{
    free(performance->path);
    free(performance->style);
    free(performance->drummer);
    *performance = (struct performance){0};
}

bool performance_table_append(struct performance_table *table, const struct performance *performance,
                              struct error *error)
{
    struct performance *rows = array_grow(table->rows, &table->capacity, table->count, 1, sizeof *rows);
    if (!rows)
        return error_set(error, "no memory for %zu performances", table->count);
    table->rows = rows;
    struct performance copy = *performance;
    copy.path = copy_text(performance->path);
    copy.style = copy_text(performance->style);
    copy.drummer = copy_text(performance->drummer);
    if (copy.path == NULL || copy.style == NULL || copy.drummer == NULL) {
        performance_free(&copy);
        return error_set(error, "no memory for the name of a performance");
    }
    table->rows[table->count++] = copy;
    return true;
}

void performance_table_free(struct performance_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        performance_free(&table->rows[i]);
    free(table->rows);
    *table = (struct performance_table){0};
}

/* A packed row: the struct, whose pointers mean nothing there, then its three strings, each with its NUL. */
bool performance_table_pack(uint8_t **bytes, size_t *size, const struct performance_table *table, struct error *error)
{
    *size = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct performance *row = &table->rows[i];
        *size += sizeof *row + strlen(row->path) + strlen(row->style) + strlen(row->drummer) + 3;
    }
    *bytes = malloc(*size + 1);
    if (*bytes == NULL)
        return error_set(error, "no memory for a table of %zu performances", table->count);
    uint8_t *to = *bytes;
    for (size_t i = 0; i < table->count; i++) {
        const struct performance *row = &table->rows[i];
        memcpy(to, row, sizeof *row);
        char *text = stpcpy((char *)to + sizeof *row, row->path) + 1;
        text = stpcpy(text, row->style) + 1;
        to = (uint8_t *)stpcpy(text, row->drummer) + 1;
    }
    return true;
}

/* The next string of packed bytes; NULL where no NUL ends it. */
static char *take_text(const uint8_t **next, const uint8_t *end)
{
    const uint8_t *text = *next, *nul = memchr(text, '\0', (size_t)(end - text));
    *next = nul != NULL ? nul + 1 : end;
    return nul != NULL ? (char *)text : NULL;
}

bool performance_table_unpack(struct performance_table *table, const uint8_t *bytes, size_t size, struct error *error)
{
    const uint8_t *next = bytes, *end = bytes + size;
    bool ok = true;
    *table = (struct performance_table){0};
    while (ok && next < end) {
        struct performance row;
        ok = (size_t)(end - next) > sizeof row;
        if (ok) {
            memcpy(&row, next, sizeof row);
            next += sizeof row;
            row.path = take_text(&next, end);
            row.style = take_text(&next, end);
            row.drummer = take_text(&next, end);
            ok = row.path != NULL && row.style != NULL && row.drummer != NULL;
        }
        ok = ok ? performance_table_append(table, &row, error)
                : error_set(error, "row %zu of a table from another rank is truncated", table->count);
    }
    if (!ok)
        performance_table_free(table);
    return ok;
}

static void hash_number(struct sha256_ctx *context, uint32_t number, size_t num_bytes)
{
    uint8_t bytes[4];
    for (size_t i = 0; i < num_bytes; i++)
        bytes[i] = (uint8_t)(number >> 8 * i);
    sha256_update(context, num_bytes, bytes);
}

static void hash_text(struct sha256_ctx *context, const char *text)
{
    sha256_update(context, strlen(text) + 1, (const uint8_t *)text);
}

static uint32_t float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void hash_floats(struct sha256_ctx *context, const float *values, size_t count)
{
    enum { BLOCK = 256 };
    uint8_t bytes[4 * BLOCK];
    for (size_t first = 0; first < count; first += BLOCK) {
        size_t in_block = count - first < BLOCK ? count - first : BLOCK;
        for (size_t i = 0; i < in_block; i++) {
            uint32_t bits = float_bits(values[first + i]);
            for (size_t b = 0; b < 4; b++)
                bytes[4 * i + b] = (uint8_t)(bits >> 8 * b);
        }
        sha256_update(context, 4 * in_block, bytes);
    }
}

void performance_digest(uint8_t digest[DIGEST_SIZE], const struct performance *performance, const uint8_t *hits,
                        const uint8_t *velocity, const float *offset)
{
    struct sha256_ctx context;
    size_t cells = (size_t)performance->num_steps * NUM_DRUMS;
    sha256_init(&context);
    hash_text(&context, performance->path);
    hash_text(&context, split_name(performance->split));
    hash_text(&context, performance->style);
    hash_text(&context, performance->drummer);
    hash_number(&context, performance->num_steps, 4);
    hash_number(&context, float_bits(performance->qpm), 4);
    hash_number(&context, performance->time_signature.numerator, 1);
    hash_number(&context, performance->time_signature.denominator, 1);
    sha256_update(&context, cells, hits);
    sha256_update(&context, cells, velocity);
    hash_floats(&context, offset, cells);
    sha256_digest(&context, DIGEST_SIZE, digest);
}

void performance_table_digest(char text[2 * DIGEST_SIZE + 1], const struct performance_table *table)
{
    static const char digits[] = "0123456789abcdef";
    struct sha256_ctx context;
    uint8_t digest[DIGEST_SIZE];
    sha256_init(&context);
    for (size_t i = 0; i < table->count; i++)
        sha256_update(&context, DIGEST_SIZE, table->rows[i].digest);
    sha256_digest(&context, DIGEST_SIZE, digest);
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    text[(size_t)2 * DIGEST_SIZE] = '\0';
}

static void lay_out(struct layout *layout, bool with_shard)
{
    layout->path = 0;
    layout->split = layout->path + layout->path_size;
    layout->first_step = layout->split + SPLIT_TEXT_SIZE;
    layout->num_steps = layout->first_step + sizeof(uint64_t);
    layout->qpm = layout->num_steps + sizeof(uint32_t);
    layout->numerator = layout->qpm + sizeof(float);
    layout->denominator = layout->numerator + 1;
    layout->style = layout->denominator + 1;
    layout->drummer = layout->style + layout->style_size;
    layout->beat_type = layout->drummer + layout->drummer_size;
    layout->shard = layout->beat_type + layout->beat_type_size;
    layout->row_size = layout->shard + (with_shard ? sizeof(uint32_t) : 0);
}

static void insert_text(hid_t type, const char *name, size_t offset, size_t size)
{
    hid_t text = hdf5_fixed_text_type(size);
    H5Tinsert(type, name, offset, text);
    H5Tclose(text);
}

/* The compound in memory. */
static hid_t row_type(const struct layout *layout, bool with_shard)
{
    hid_t type = H5Tcreate(H5T_COMPOUND, layout->row_size);
    insert_text(type, "path", layout->path, layout->path_size);
    insert_text(type, "split", layout->split, SPLIT_TEXT_SIZE);
    H5Tinsert(type, "first_step", layout->first_step, H5T_NATIVE_UINT64);
    H5Tinsert(type, "num_steps", layout->num_steps, H5T_NATIVE_UINT32);
    H5Tinsert(type, "qpm", layout->qpm, H5T_NATIVE_FLOAT);
    H5Tinsert(type, "numerator", layout->numerator, H5T_NATIVE_UINT8);
    H5Tinsert(type, "denominator", layout->denominator, H5T_NATIVE_UINT8);
    insert_text(type, "style", layout->style, layout->style_size);
    insert_text(type, "drummer", layout->drummer, layout->drummer_size);
    if (layout->beat_type_size > 0)
        insert_text(type, "beat_type", layout->beat_type, layout->beat_type_size);
    if (with_shard)
        H5Tinsert(type, "shard", layout->shard, H5T_NATIVE_UINT32);
    return type;
}

static size_t longer(size_t size, const char *text)
{
    size_t length = strlen(text);
    return length > size ? length : size;
}

static void pack_row(uint8_t *row, const struct layout *layout, const struct performance *performance, bool with_shard)
{
    memcpy(row + layout->path, performance->path, strlen(performance->path));
    memcpy(row + layout->split, split_name(performance->split), strlen(split_name(performance->split)));
    memcpy(row + layout->first_step, &performance->first_step, sizeof performance->first_step);
    memcpy(row + layout->num_steps, &performance->num_steps, sizeof performance->num_steps);
    memcpy(row + layout->qpm, &performance->qpm, sizeof performance->qpm);
    row[layout->numerator] = performance->time_signature.numerator;
    row[layout->denominator] = performance->time_signature.denominator;
    memcpy(row + layout->style, performance->style, strlen(performance->style));
    memcpy(row + layout->drummer, performance->drummer, strlen(performance->drummer));
    memcpy(row + layout->beat_type, beat_type_name(performance->beat_type),
           strlen(beat_type_name(performance->beat_type)));
    if (with_shard)
        memcpy(row + layout->shard, &performance->shard, sizeof performance->shard);
}

bool performance_table_write(hid_t file, const char *path, const struct performance_table *table, bool with_shard,
                             struct error *error)
{
    struct layout layout = {.path_size = 1, .style_size = 1, .drummer_size = 1, .beat_type_size = BEAT_TYPE_TEXT_SIZE};
    for (size_t i = 0; i < table->count; i++) {
        layout.path_size = longer(layout.path_size, table->rows[i].path);
        layout.style_size = longer(layout.style_size, table->rows[i].style);
        layout.drummer_size = longer(layout.drummer_size, table->rows[i].drummer);
    }
    lay_out(&layout, with_shard);
    uint8_t *rows = calloc(table->count + 1, layout.row_size);
    if (rows == NULL)
        return error_set(error, "%s: no memory for a table of %zu performances", path, table->count);
    for (size_t i = 0; i < table->count; i++)
        pack_row(rows + i * layout.row_size, &layout, &table->rows[i], with_shard);
    hsize_t dims[1] = {table->count};
    hid_t type = row_type(&layout, with_shard);
    bool ok = hdf5_write_dataset(file, "/performances", type, 1, dims, rows, HDF5_COMPRESSED, error);
    H5Tclose(type);
    free(rows);
    return ok;
}

/* The columns, texts first; those that have no bytes are not there. */
static int list_members(struct hdf5_member members[HDF5_MAX_MEMBERS], const struct layout *layout, bool with_shard)
{
    const struct hdf5_member all[] = {
        {"path",        HDF5_MEMBER_TEXT,   layout->path,        layout->path_size                },
        {"split",       HDF5_MEMBER_TEXT,   layout->split,       SPLIT_TEXT_SIZE                  },
        {"style",       HDF5_MEMBER_TEXT,   layout->style,       layout->style_size               },
        {"drummer",     HDF5_MEMBER_TEXT,   layout->drummer,     layout->drummer_size             },
        {"beat_type",   HDF5_MEMBER_TEXT,   layout->beat_type,   layout->beat_type_size           },
        {"first_step",  HDF5_MEMBER_UINT64, layout->first_step,  sizeof(uint64_t)                 },
        {"num_steps",   HDF5_MEMBER_UINT32, layout->num_steps,   sizeof(uint32_t)                 },
        {"qpm",         HDF5_MEMBER_FLOAT,  layout->qpm,         sizeof(float)                    },
        {"numerator",   HDF5_MEMBER_UINT8,  layout->numerator,   sizeof(uint8_t)                  },
        {"denominator", HDF5_MEMBER_UINT8,  layout->denominator, sizeof(uint8_t)                  },
        {"shard",       HDF5_MEMBER_UINT32, layout->shard,       with_shard ? sizeof(uint32_t) : 0},
    };
    int count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].size > 0)
            members[count++] = all[i];
    return count;
}

/* Every column but beat_type, which files of the first version lack, must be there, and texts must be of a size that we read. */
static bool find_layout(struct layout *layout, struct hdf5_reader *file, const char *path, bool with_shard,
                        struct error *error)
{
    enum { PATH, SPLIT, STYLE, DRUMMER, BEAT_TYPE, NUM_TEXTS };
    struct hdf5_member members[HDF5_MAX_MEMBERS];
    uint64_t sizes[HDF5_MAX_MEMBERS];
    *layout = (struct layout){.path_size = 1, .style_size = 1, .drummer_size = 1, .beat_type_size = 1};
    int count = list_members(members, layout, with_shard);
    if (!hdf5_table_layout(sizes, file, "/performances", members, count, error))
        return false;
    for (int i = 0; i < count; i++)
        if ((sizes[i] == 0 && i != BEAT_TYPE) || sizes[i] > (i < NUM_TEXTS ? PERFORMANCE_TEXT_MAX : 1))
            return error_set(error, "%s: /performances lacks a column, or has one of another kind", path);
    layout->path_size = (size_t)sizes[PATH];
    layout->style_size = (size_t)sizes[STYLE];
    layout->drummer_size = (size_t)sizes[DRUMMER];
    layout->beat_type_size = sizes[BEAT_TYPE] > 0 ? BEAT_TYPE_TEXT_SIZE : 0;
    lay_out(layout, with_shard);
    return true;
}

/* The packed rows of the dataset, owned by the caller. */
static bool read_rows(uint8_t **rows, size_t *count, struct layout *layout, struct hdf5_reader *file, const char *path,
                      bool with_shard, struct error *error)
{
    struct hdf5_member members[HDF5_MAX_MEMBERS];
    hsize_t dims[1];
    *rows = NULL;
    if (!hdf5_dataset_dims(dims, file, "/performances", 1, error))
        return false;
    if (dims[0] > MAX_ROWS)
        return error_set(error, "%s: /performances has %llu rows", path, (unsigned long long)dims[0]);
    *count = (size_t)dims[0];
    if (!find_layout(layout, file, path, with_shard, error))
        return false;
    *rows = calloc(*count + 1, layout->row_size);
    if (*rows == NULL)
        return error_set_no_memory(error, "%s: no memory for %zu performances", path, *count);
    int num_members = list_members(members, layout, with_shard);
    return hdf5_read_table(*rows, layout->row_size, *count, file, "/performances", members, num_members, error);
}

static void unpack_text(char *text, const uint8_t *bytes, size_t size)
{
    memcpy(text, bytes, size);
    text[size] = '\0';
}

static bool path_stays_below(const char *path)
{
    if (path[0] == '\0' || path[0] == '/')
        return false;
    for (const char *part = path; part != NULL; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            return false;
    }
    return true;
}

static bool check_row(const struct performance *performance, const char *split_text, uint64_t next_step,
                      struct error *error)
{
    uint32_t bar_steps = time_signature_bar_steps(performance->time_signature);
    if (!text_is_utf8(performance->path) || !path_stays_below(performance->path))
        return error_set(error, "its path is invalid");
    if (!text_is_utf8(performance->style) || !text_is_utf8(performance->drummer))
        return error_set(error, "its style or drummer is not UTF-8 text");
    if (!text_is_utf8(split_text))
        return error_set(error, "its split is not UTF-8 text");
    if (bar_steps == 0)
        return error_set(error, "'%s' is in %u/%u", performance->path, performance->time_signature.numerator,
                         performance->time_signature.denominator);
    if (performance->num_steps == 0 || performance->num_steps % bar_steps != 0 ||
        performance->num_steps > GRID_MAX_STEPS)
        return error_set(error, "'%s' has %u steps: not whole bars of %u", performance->path, performance->num_steps,
                         bar_steps);
    if (performance->first_step != next_step)
        return error_set(error, "'%s' begins at step %llu, not at %llu", performance->path,
                         (unsigned long long)performance->first_step, (unsigned long long)next_step);
    if (!(performance->qpm > 0 && isfinite(performance->qpm)))
        return error_set(error, "'%s' has a tempo of %g", performance->path, (double)performance->qpm);
    return true;
}

static bool unpack_row(struct performance_table *table, const uint8_t *row, const struct layout *layout,
                       bool with_shard, uint64_t next_step, struct error *error)
{
    char path[PERFORMANCE_TEXT_MAX + 1], style[PERFORMANCE_TEXT_MAX + 1], drummer[PERFORMANCE_TEXT_MAX + 1];
    char split_text[SPLIT_TEXT_SIZE + 1], beat_type_text[BEAT_TYPE_TEXT_SIZE + 1];
    struct performance performance = {.path = path, .style = style, .drummer = drummer};
    unpack_text(path, row + layout->path, layout->path_size);
    unpack_text(style, row + layout->style, layout->style_size);
    unpack_text(drummer, row + layout->drummer, layout->drummer_size);
    unpack_text(split_text, row + layout->split, SPLIT_TEXT_SIZE);
    unpack_text(beat_type_text, row + layout->beat_type, layout->beat_type_size);
    performance.beat_type = beat_type_parse(beat_type_text);
    memcpy(&performance.first_step, row + layout->first_step, sizeof performance.first_step);
    memcpy(&performance.num_steps, row + layout->num_steps, sizeof performance.num_steps);
    memcpy(&performance.qpm, row + layout->qpm, sizeof performance.qpm);
    performance.time_signature = (struct time_signature){row[layout->numerator], row[layout->denominator]};
    if (with_shard)
        memcpy(&performance.shard, row + layout->shard, sizeof performance.shard);
    if (!check_row(&performance, split_text, next_step, error))
        return false;
    if (!split_parse(&performance.split, split_text))
        return error_set(error, "'%s' is in a split '%s'", path, split_text);
    return performance_table_append(table, &performance, error);
}

bool performance_table_read(struct performance_table *table, uint64_t *num_steps, struct hdf5_reader *file,
                            const char *path, bool with_shard, struct error *error)
{
    struct layout layout;
    uint8_t *rows = NULL;
    size_t count = 0;
    bool ok;
    *table = (struct performance_table){0};
    *num_steps = 0;
    ok = read_rows(&rows, &count, &layout, file, path, with_shard, error);
    for (size_t i = 0; ok && i < count; i++) {
        if (!unpack_row(table, rows + i * layout.row_size, &layout, with_shard, *num_steps, error))
            ok = error_prefix(error, "%s: /performances, row %zu", path, i);
        else
            *num_steps += table->rows[i].num_steps;
    }
    free(rows);
    if (!ok)
        performance_table_free(table);
    return ok;
}
