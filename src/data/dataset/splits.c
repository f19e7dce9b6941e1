#include "data/dataset/splits.h"

#include "base/array.h"
#include "base/io/files.h"
#include "base/text.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TABLE_BYTES = 256 << 20, MAX_COLUMNS = 64, NO_COLUMN = -1 };

static const char *const split_names[NUM_SPLITS] = {"train", "validation", "test"};

const char *split_name(enum split split)
{
    return split_names[split];
}

bool split_parse(enum split *split, const char *name)
{
    for (int i = 0; i < NUM_SPLITS; i++)
        if (strcmp(name, split_names[i]) == 0) {
            *split = (enum split)i;
            return true;
        }
    return false;
}

static const char *const beat_type_names[NUM_BEAT_TYPES] = {"", "beat", "fill"};

const char *beat_type_name(enum beat_type type)
{
    return beat_type_names[type];
}

enum beat_type beat_type_parse(const char *name)
{
    for (int i = 1; i < NUM_BEAT_TYPES; i++)
        if (strcmp(name, beat_type_names[i]) == 0)
            return (enum beat_type)i;
    return BEAT_TYPE_UNKNOWN;
}

enum split split_by_hash(const char *path)
{
    struct sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&context);
    sha256_update(&context, strlen(path), (const uint8_t *)path);
    sha256_digest(&context, sizeof digest, digest);
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | digest[i];
    return split_of_number(number);
}

enum split split_of_number(uint64_t number)
{
    unsigned tenth = (unsigned)(number % 10);
    return tenth < 8 ? SPLIT_TRAIN : tenth == 8 ? SPLIT_VALIDATION : SPLIT_TEST;
}

/* The CSV text, read field by field; a field is unquoted where it stands. */
struct csv {
    char *next, *end; /* *end is NUL */
    size_t line;
    bool at_line_end; /* the field read last was the last of its row */
};

/* A quoted field: "" stands for a quote. Returns false where no quote closes it. */
static bool unquote(struct csv *csv, char **after)
{
    char *from = csv->next + 1, *to = csv->next;
    for (; from < csv->end; from++) {
        if (*from == '"' && from[1] != '"') {
            *to = '\0';
            csv->next = from + 1;
            *after = to;
            return true;
        }
        if (*from == '"')
            from++;
        csv->line += *from == '\n';
        *to++ = *from;
    }
    return false;
}

static bool read_field(char **field, struct csv *csv, struct error *error)
{
    size_t line = csv->line;
    char *field_end = NULL;
    *field = csv->next;
    if (*csv->next == '"') {
        if (!unquote(csv, &field_end))
            return error_set(error, "line %zu: unclosed quote", line);
    } else {
        csv->next += strcspn(csv->next, ",\r\n\"");
        if (*csv->next == '"')
            return error_set(error, "line %zu: a quote in the middle of a field", csv->line);
    }
    char *separator = csv->next;
    if (*csv->next == '\r' && csv->next[1] == '\n')
        csv->next++;
    csv->at_line_end = *csv->next != ',';
    if (*csv->next != ',' && *csv->next != '\r' && *csv->next != '\n' && csv->next < csv->end)
        return error_set(error, "line %zu: text after a closing quote", csv->line);
    csv->line += *csv->next == '\n' || *csv->next == '\r';
    if (csv->next < csv->end)
        csv->next++;
    if (field_end == NULL)
        *separator = '\0';
    return true;
}

/* Reads one row; *count is 0 for an empty line. */
static bool read_row(char *fields[MAX_COLUMNS], int *count, struct csv *csv, struct error *error)
{
    *count = 0;
    do {
        if (*count == MAX_COLUMNS)
            return error_set(error, "line %zu: more than %d columns", csv->line, MAX_COLUMNS);
        if (!read_field(&fields[*count], csv, error))
            return false;
        ++*count;
    } while (!csv->at_line_end);
    if (*count == 1 && fields[0][0] == '\0')
        *count = 0;
    return true;
}

struct columns {
    int count, path, split, style, drummer, time_signature, beat_type;
};

static int find_column(char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return NO_COLUMN;
}

static bool read_column_names(struct columns *columns, struct csv *csv, struct error *error)
{
    char *names[MAX_COLUMNS];
    int count;
    if (!read_row(names, &count, csv, error))
        return false;
    columns->count = count;
    columns->path = find_column(names, count, "midi_filename");
    columns->split = find_column(names, count, "split");
    columns->style = find_column(names, count, "style");
    columns->drummer = find_column(names, count, "drummer");
    columns->time_signature = find_column(names, count, "time_signature");
    columns->beat_type = find_column(names, count, "beat_type");
    return columns->path != NO_COLUMN || error_set(error, "line 1: no column 'midi_filename'");
}

static bool take_row(struct performance_info *row, char **fields, const struct columns *columns, struct error *error)
{
    static char unknown[] = "";
    char *path = fields[columns->path];
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    *row = (struct performance_info){.path = path, .style = unknown, .drummer = unknown};
    row->split = NUM_SPLITS;
    if (columns->split != NO_COLUMN && !split_parse(&row->split, fields[columns->split]))
        return error_set(error, "split '%s' is not train, validation or test", fields[columns->split]);
    if (columns->style != NO_COLUMN)
        row->style = fields[columns->style];
    if (columns->drummer != NO_COLUMN)
        row->drummer = fields[columns->drummer];
    if (columns->beat_type != NO_COLUMN)
        row->beat_type = beat_type_parse(fields[columns->beat_type]);
    if (columns->time_signature != NO_COLUMN && fields[columns->time_signature][0] != '\0')
        return time_signature_parse(&row->time_signature, fields[columns->time_signature], error);
    return true;
}

/* Appends a copy of `row`; in a table below the folder its path gets the table's folder before it. */
static bool append_row(struct splits *splits, const struct performance_info *row, const char *below,
                       struct error *error)
{
    struct performance_info *rows = array_grow(splits->rows, &splits->capacity, splits->count, 1, sizeof *rows);
    if (!rows)
        return error_set(error, "no memory for %zu rows", splits->count);
    splits->rows = rows;
    struct performance_info *copy = &splits->rows[splits->count++];
    *copy = *row;
    if (below[0] != '\0')
        copy->path = copy->owned_path = path_join(below, row->path);
    return true;
}

static int compare_rows(const void *left, const void *right)
{
    const struct performance_info *a = left, *b = right;
    return strcmp(a->path, b->path);
}

static bool read_rows(struct splits *splits, struct csv *csv, const char *below, struct error *error)
{
    struct columns columns;
    if (!read_column_names(&columns, csv, error))
        return false;
    splits->is_groove = splits->is_groove || (columns.drummer != NO_COLUMN && columns.beat_type != NO_COLUMN);
    while (csv->next < csv->end) {
        char *fields[MAX_COLUMNS];
        int count;
        size_t line = csv->line;
        struct performance_info row;
        if (!read_row(fields, &count, csv, error))
            return false;
        if (count == 0)
            continue;
        if (count != columns.count)
            return error_set(error, "line %zu: %d columns, where line 1 has %d", line, count, columns.count);
        if (!take_row(&row, fields, &columns, error))
            return error_prefix(error, "line %zu", line);
        if (row.path[0] != '\0' && !append_row(splits, &row, below, error))
            return false;
    }
    return true;
}

static bool keep_text(struct splits *splits, uint8_t *bytes, struct error *error)
{
    char **texts = realloc(splits->texts, (splits->num_texts + 1) * sizeof *texts);
    if (!texts) {
        free(bytes);
        return error_set(error, "no memory for a table");
    }
    splits->texts = texts;
    splits->texts[splits->num_texts++] = (char *)bytes;
    return true;
}

/* Reads the table FOLDER/BELOW/NAME. */
static bool read_table(struct splits *splits, const char *folder, const char *table, struct error *error)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    char *path = path_join(folder, table), *below = format_text("%.*s", (int)(path_name(table) - table), table);
    uint8_t *bytes = NULL;
    size_t size;
    bool ok = file_read(&bytes, &size, path, MAX_TABLE_BYTES, error);
    if (ok && memchr(bytes, '\0', size)) {
        free(bytes);
        ok = error_set(error, "%s: not a text file: it contains a NUL", path);
    } else if (ok && (ok = keep_text(splits, bytes, error))) {
        struct csv csv = {.next = (char *)bytes, .end = (char *)bytes + size, .line = 1};
        if (strncmp(csv.next, byte_order_mark, 3) == 0)
            csv.next += 3;
        if (below[0] != '\0')
            below[strlen(below) - 1] = '\0';
        ok = read_rows(splits, &csv, below, error) || error_prefix(error, "%s", path);
        snprintf(splits->name + strlen(splits->name), sizeof splits->name - strlen(splits->name), "%s%.100s",
                 splits->name[0] ? ", " : "", table);
    }
    free(below);
    free(path);
    return ok;
}

static bool is_info(const char *table)
{
    return strcmp(path_name(table), "info.csv") == 0;
}

/* Whether a CSV is a table of performances: one of its first line's columns is midi_filename. info.csv is one by its name.
 * Fails where the system can't read it. */
static bool is_table(bool *found, const char *folder, const char *table, struct error *error)
{
    char line[4096];
    *found = is_info(table);
    if (*found)
        return true;
    char *path = path_join(folder, table);
    FILE *stream = fopen(path, "re");
    bool ok = true;
    if (!stream) {
        ok = error_set_errno(error, errno, "%s: can't open", path);
    } else {
        bool has_line = fgets(line, sizeof line, stream) != NULL;
        ok = has_line || !ferror(stream) || error_set_errno(error, errno, "%s: can't read", path);
        *found = has_line && strstr(line, "midi_filename");
        fclose(stream);
    }
    free(path);
    return ok;
}

/* What has a table's name but is none that can be read, or may hold one: the splits that it gives would be lost. */
static bool check_skipped(const struct file_list *list, const char *folder, bool below, bool skip_unreadable,
                          struct error *error)
{
    for (size_t i = 0; i < list->num_skipped; i++) {
        const struct skipped_path *skipped = &list->skipped[i];
        const char *slash = strchr(skipped->path, '/'), *reason = path_skip_text(skipped->reason);
        bool is_folder = skipped->reason == PATH_UNREADABLE_FOLDER;
        bool is_near = below ? !slash || (!strchr(slash + 1, '/') && !is_folder) : !slash;
        if (!is_near || (!is_info(skipped->path) && (skipped->error_number == 0 || skip_unreadable)))
            continue;
        char *path = path_join(folder, skipped->path);
        if (skipped->error_number == 0)
            error_set(error, "%s: %s", path, reason);
        else
            error_set_errno(error, skipped->error_number, "%s: %s", path, reason);
        free(path);
        return false;
    }
    return true;
}

/* The tables in the folder itself, or with `below` those in the folders below it that lie just one down. */
static bool read_tables(struct splits *splits, const char *folder, bool below, bool skip_unreadable,
                        struct error *error)
{
    static const char *const suffixes[] = {".csv", NULL};
    struct file_list list;
    bool ok = file_list_make(&list, folder, below, suffixes, error) &&
              check_skipped(&list, folder, below, skip_unreadable, error);
    for (size_t i = 0; ok && i < list.count; i++) {
        const char *slash = strchr(list.paths[i], '/');
        bool is_wanted = below ? slash && !strchr(slash + 1, '/') : !slash, found;
        if (!is_wanted)
            continue;
        ok = is_table(&found, folder, list.paths[i], error);
        if (ok && found)
            ok = read_table(splits, folder, list.paths[i], error);
    }
    file_list_free(&list);
    return ok;
}

static bool sort_rows(struct splits *splits, const char *folder, struct error *error)
{
    if (splits->count > 0)
        qsort(splits->rows, splits->count, sizeof *splits->rows, compare_rows);
    for (size_t i = 1; i < splits->count; i++)
        if (strcmp(splits->rows[i - 1].path, splits->rows[i].path) == 0)
            return error_set(error, "%s: %s: '%s' is listed twice", folder, splits->name, splits->rows[i].path);
    return true;
}

bool splits_read(struct splits *splits, const char *folder, bool skip_unreadable, struct error *error)
{
    *splits = (struct splits){0};
    bool ok = read_tables(splits, folder, false, skip_unreadable, error);
    if (ok && splits->num_texts == 0)
        ok = read_tables(splits, folder, true, skip_unreadable, error);
    if (ok && sort_rows(splits, folder, error))
        return true;
    splits_free(splits);
    return false;
}

void splits_free(struct splits *splits)
{
    for (size_t i = 0; i < splits->count; i++)
        free(splits->rows[i].owned_path);
    for (size_t i = 0; i < splits->num_texts; i++)
        free(splits->texts[i]);
    free(splits->rows);
    free(splits->texts);
    *splits = (struct splits){0};
}

const struct performance_info *splits_find(const struct splits *splits, const char *path)
{
    if (splits->count == 0)
        return NULL;
    const struct performance_info key = {.path = (char *)path};
    return bsearch(&key, splits->rows, splits->count, sizeof key, compare_rows);
}
