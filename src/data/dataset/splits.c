#include "data/dataset/splits.h"

#include "base/array.h"
#include "base/io/files.h"

#include <nettle/sha2.h>
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
            return error_set(error, "line %zu: a quote that nothing closes", line);
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
    if (columns->path == NO_COLUMN || columns->split == NO_COLUMN)
        return error_set(error, "line 1: no column '%s'", columns->path == NO_COLUMN ? "midi_filename" : "split");
    return true;
}

static bool take_row(struct performance_info *row, char **fields, const struct columns *columns, struct error *error)
{
    static char unknown[] = "";
    char *path = fields[columns->path];
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    *row = (struct performance_info){.path = path, .style = unknown, .drummer = unknown};
    if (!split_parse(&row->split, fields[columns->split]))
        return error_set(error, "split '%s' is none of train, validation, test", fields[columns->split]);
    if (columns->style != NO_COLUMN)
        row->style = fields[columns->style];
    if (columns->drummer != NO_COLUMN)
        row->drummer = fields[columns->drummer];
    if (columns->time_signature != NO_COLUMN && fields[columns->time_signature][0] != '\0')
        return time_signature_parse(&row->time_signature, fields[columns->time_signature], error);
    return true;
}

static bool append_row(struct splits *splits, size_t *capacity, const struct performance_info *row, struct error *error)
{
    struct performance_info *rows = array_grow(splits->rows, capacity, splits->count, 1, sizeof *rows);
    if (!rows)
        return error_set(error, "no memory for %zu rows", splits->count);
    splits->rows = rows;
    splits->rows[splits->count++] = *row;
    return true;
}

static int compare_rows(const void *left, const void *right)
{
    const struct performance_info *a = left, *b = right;
    return strcmp(a->path, b->path);
}

static bool read_table(struct splits *splits, struct csv *csv, struct error *error)
{
    struct columns columns;
    size_t capacity = 0;
    if (!read_column_names(&columns, csv, error))
        return false;
    splits->is_groove = columns.drummer != NO_COLUMN && columns.beat_type != NO_COLUMN;
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
        if (row.path[0] != '\0' && !append_row(splits, &capacity, &row, error))
            return false;
    }
    if (splits->count > 0)
        qsort(splits->rows, splits->count, sizeof *splits->rows, compare_rows);
    for (size_t i = 1; i < splits->count; i++)
        if (strcmp(splits->rows[i - 1].path, splits->rows[i].path) == 0)
            return error_set(error, "'%s' is listed twice", splits->rows[i].path);
    return true;
}

bool splits_read(struct splits *splits, const char *folder, struct error *error)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    char *path = path_join(folder, "info.csv");
    uint8_t *bytes = NULL;
    size_t size;
    bool ok = false;
    *splits = (struct splits){0};
    if (!file_exists(path)) {
        ok = true;
        goto done;
    }
    if (!file_read(&bytes, &size, path, MAX_TABLE_BYTES, error))
        goto done;
    splits->text = (char *)bytes;
    if (memchr(bytes, '\0', size) != NULL) {
        error_set(error, "%s: no text file: it holds a NUL", path);
        goto done;
    }
    struct csv csv = {.next = splits->text, .end = splits->text + size, .line = 1};
    if (strncmp(csv.next, byte_order_mark, 3) == 0)
        csv.next += 3;
    ok = read_table(splits, &csv, error) || error_prefix(error, "%s", path);
done:
    free(path);
    if (!ok)
        splits_free(splits);
    return ok;
}

void splits_free(struct splits *splits)
{
    free(splits->rows);
    free(splits->text);
    *splits = (struct splits){0};
}

const struct performance_info *splits_find(const struct splits *splits, const char *path)
{
    if (splits->count == 0)
        return NULL;
    const struct performance_info key = {.path = (char *)path};
    return bsearch(&key, splits->rows, splits->count, sizeof key, compare_rows);
}
