#include "run/metrics_history.h"

#include "base/array.h"
#include "base/io/files.h"
#include "base/metric.h"
#include "base/text.h"
#include "run/json_members.h"
#include "run/metrics_reader.h"
#include "run/run_folder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 1 << 28, MOST_COLUMNS = 200 };

/* A line that still counts. */
struct line {
    int64_t step;
    json_t *object; /* owned */
};

struct lines {
    struct line *items; /* owned; by step once they are sorted */
    size_t count, capacity;
};

static void lines_free(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        json_decref(lines->items[i].object);
    free(lines->items);
    *lines = (struct lines){0};
}

/* Drops what comes after `step`: it is about to be repeated. */
static void drop_after(struct lines *lines, int64_t step)
{
    size_t kept = 0;
    for (size_t i = 0; i < lines->count; i++) {
        if (lines->items[i].step <= step)
            lines->items[kept++] = lines->items[i];
        else
            json_decref(lines->items[i].object);
    }
    lines->count = kept;
}

static bool take_line(struct lines *lines, const char *text)
{
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const char *event = member_string(object, "event");
    bool has_step = json_is_number(json_object_get(object, "step"));
    if (has_step && (strcmp(event, "start") == 0 || strcmp(event, "resume") == 0))
        drop_after(lines, member_step(object, "step"));
    if (!has_step || *event) {
        json_decref(object);
        return true;
    }
    struct line *items = array_grow(lines->items, &lines->capacity, lines->count, 1, sizeof *items);
    if (!items) {
        json_decref(object);
        return false;
    }
    lines->items = items;
    lines->items[lines->count++] = (struct line){member_step(object, "step"), object};
    return true;
}

static bool read_lines(struct lines *lines, const char *path, struct error *error)
{
    uint8_t *bytes;
    size_t size;
    bool ok = true;
    if (!file_exists(path))
        return true;
    if (!file_read(&bytes, &size, path, MOST_BYTES, error))
        return false;
    char *text = (char *)bytes;
    for (char *end; ok && (end = strchr(text, '\n')); text = end + 1) {
        *end = '\0';
        ok = take_line(lines, text);
    }
    free(bytes);
    return ok || error_set(error, "%s: out of memory", path);
}

/* "total_loss" of the first version is "loss"; an evaluation's metrics have their split's prefix. */
static void canonical_name(char name[METRIC_NAME_SIZE], const char *key, const char *prefix)
{
    bool summed = true;
    for (size_t i = 0; i < metric_count; i++) {
        const struct metric_row *row = &metric_table[i];
        if (row->old_name && !row->head && strcmp(row->old_name, key) == 0)
            key = row->name;
        if (!row->head && strcmp(row->name, key) == 0)
            summed = row->rule != METRIC_GAUGE && row->rule != METRIC_COUNT;
    }
    bool prefixed = *prefix && strncmp(key, prefix, strlen(prefix)) == 0;
    snprintf(name, METRIC_NAME_SIZE, "%s%.*s", summed && !prefixed ? prefix : "", METRIC_NAME_SIZE - 12, key);
}

int metrics_history_find(const struct metrics_history *history, const char *name)
{
    for (size_t i = 0; i < history->num_columns; i++)
        if (strcmp(history->names[i], name) == 0)
            return (int)i;
    return -1;
}

/* Of a metric's name: others come from a damaged or a stranger's file. */
static const char name_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

/* The column of a number in a line, -1 where it is none; with `add`, a new one where needed. */
static int column_of(struct metrics_history *history, const char *key, const char *prefix, bool add)
{
    char name[METRIC_NAME_SIZE];
    if (strcmp(key, "step") == 0 || !*key || key[strspn(key, name_characters)])
        return -1;
    canonical_name(name, key, prefix);
    int column = metrics_history_find(history, name);
    if (column >= 0 || !add || history->num_columns == MOST_COLUMNS)
        return column;
    history->names[history->num_columns] = format_text("%s", name);
    return (int)history->num_columns++;
}

static const char *prefix_of(const json_t *line, bool evaluation)
{
    const char *split = member_string(line, "split");
    return evaluation ? metric_prefix(*split ? split : "validation") : "";
}

static void name_columns(struct metrics_history *history, const struct lines *lines, bool evaluation)
{
    for (size_t i = 0; i < lines->count; i++) {
        const char *key;
        json_t *value;
        json_object_foreach(lines->items[i].object, key, value) if (json_is_number(value))
            column_of(history, key, prefix_of(lines->items[i].object, evaluation), true);
    }
}

static int compare_steps(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

static bool make_rows(struct metrics_history *history, const struct lines *train, const struct lines *eval)
{
    size_t count = train->count + eval->count, rows = 0;
    history->steps = calloc(count + 1, sizeof *history->steps);
    if (!history->steps)
        return false;
    for (size_t i = 0; i < count; i++)
        history->steps[i] = i < train->count ? train->items[i].step : eval->items[i - train->count].step;
    qsort(history->steps, count, sizeof *history->steps, compare_steps);
    for (size_t i = 0; i < count; i++)
        if (rows == 0 || history->steps[rows - 1] != history->steps[i])
            history->steps[rows++] = history->steps[i];
    history->num_rows = rows;
    history->values = malloc((rows * history->num_columns + 1) * sizeof *history->values);
    for (size_t i = 0; history->values && i < rows * history->num_columns; i++)
        history->values[i] = NAN;
    return history->values != NULL;
}

static void fill(struct metrics_history *history, const struct lines *lines, bool evaluation)
{
    for (size_t i = 0; i < lines->count; i++) {
        const struct line *line = &lines->items[i];
        const int64_t *place = bsearch(&line->step, history->steps, history->num_rows, sizeof *place, compare_steps);
        double *row = history->values + (size_t)(place - history->steps) * history->num_columns;
        const char *key;
        json_t *value;
        json_object_foreach(line->object, key, value)
        {
            int column = column_of(history, key, prefix_of(line->object, evaluation), false);
            if (column >= 0 && json_is_number(value))
                row[column] = json_number_value(value);
        }
    }
}

static bool read_sessions(struct metrics_history *history, const char *path, struct error *error)
{
    struct metrics_reader *reader = metrics_reader_make(path);
    bool ok = reader ? metrics_reader_read(reader, error) : error_set(error, "%s: out of memory", path);
    if (ok)
        history->sessions = metrics_reader_sessions(reader);
    metrics_reader_free(reader);
    return ok;
}

bool metrics_history_read(struct metrics_history *history, const char *run_dir, struct error *error)
{
    struct lines train = {0}, eval = {0};
    char *train_folder = run_train_folder(run_dir), *eval_folder = run_eval_folder(run_dir);
    char *train_path = path_join(train_folder, RUN_METRICS_NAME), *eval_path = path_join(eval_folder, RUN_METRICS_NAME);
    *history = (struct metrics_history){.names = calloc(MOST_COLUMNS, sizeof(char *))};
    bool ok = history->names || error_set(error, "%s: out of memory", run_dir);
    ok = ok && read_lines(&train, train_path, error) && read_lines(&eval, eval_path, error) &&
         read_sessions(history, train_path, error);
    if (ok) {
        name_columns(history, &train, false);
        name_columns(history, &eval, true);
        ok = make_rows(history, &train, &eval) || error_set(error, "%s: out of memory", run_dir);
    }
    if (ok) {
        fill(history, &train, false);
        fill(history, &eval, true);
    } else {
        metrics_history_free(history);
    }
    lines_free(&train);
    lines_free(&eval);
    free(train_path);
    free(eval_path);
    free(train_folder);
    free(eval_folder);
    return ok;
}

void metrics_history_free(struct metrics_history *history)
{
    for (size_t i = 0; i < history->num_columns; i++)
        free(history->names[i]);
    free(history->names);
    free(history->steps);
    free(history->values);
    json_decref(history->sessions);
    *history = (struct metrics_history){0};
}
