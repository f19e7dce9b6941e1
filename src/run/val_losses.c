#include "run/val_losses.h"

#include "base/array.h"
#include "base/io/files.h"
#include "run/json_members.h"
#include "run/metrics_reader.h"
#include "run/run_folder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 1 << 26 };

struct evaluation_line {
    int64_t step;
    size_t number; /* of the line: of equal steps the last counts */
    double loss;
};

struct evaluation_lines {
    struct evaluation_line *items; /* owned */
    size_t count, capacity;
};

static bool is_of_validation(const json_t *line)
{
    return json_is_number(json_object_get(line, "step")) && strcmp(member_string(line, "split"), "validation") == 0;
}

static bool take_line(struct evaluation_lines *lines, const char *text)
{
    bool ok = true;
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (is_of_validation(object)) {
        const json_t *loss = metrics_reader_value(object, "loss");
        double value = loss ? json_number_value(loss) : (double)NAN;
        struct evaluation_line *items =
            array_grow(lines->items, &lines->capacity, lines->count, 1, sizeof *lines->items);
        ok = items != NULL;
        if (ok) {
            lines->items = items;
            items[lines->count] = (struct evaluation_line){member_step(object, "step"), lines->count,
                                                           isfinite(value) ? value : (double)NAN};
            lines->count++;
        }
    }
    json_decref(object);
    return ok;
}

static int compare_lines(const void *left, const void *right)
{
    const struct evaluation_line *a = left, *b = right;
    if (a->step != b->step)
        return a->step < b->step ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* The last line of each step. */
static bool make_curve(struct val_losses *losses, struct evaluation_lines *lines)
{
    losses->steps = calloc(lines->count + 1, sizeof *losses->steps);
    losses->losses = calloc(lines->count + 1, sizeof *losses->losses);
    if (!losses->steps || !losses->losses)
        return false;
    if (lines->count > 1)
        qsort(lines->items, lines->count, sizeof *lines->items, compare_lines);
    for (size_t i = 0; i < lines->count; i++) {
        if (losses->count > 0 && losses->steps[losses->count - 1] == lines->items[i].step)
            losses->count--;
        losses->steps[losses->count] = lines->items[i].step;
        losses->losses[losses->count++] = lines->items[i].loss;
    }
    return true;
}

static bool read_file(struct val_losses *losses, const char *path, struct error *error)
{
    uint8_t *bytes;
    size_t size;
    struct evaluation_lines lines = {0};
    if (!file_read(&bytes, &size, path, MOST_BYTES, error))
        return false;
    bool ok = true;
    char *text = (char *)bytes, *behind = text + size;
    for (char *end; ok && (end = memchr(text, '\n', (size_t)(behind - text))); text = end + 1) {
        *end = '\0';
        ok = take_line(&lines, text);
    }
    ok = ok && make_curve(losses, &lines);
    free(lines.items);
    free(bytes);
    return ok || error_set_no_memory(error, "%s: out of memory", path);
}

bool val_losses_read(struct val_losses *losses, const char *run_dir, struct error *error)
{
    bool is_there;
    char *folder = run_eval_folder(run_dir), *path = path_join(folder, RUN_METRICS_NAME);
    *losses = (struct val_losses){0};
    bool ok = path_look(&is_there, path, error) && (!is_there || read_file(losses, path, error));
    if (!ok)
        val_losses_free(losses);
    free(path);
    free(folder);
    return ok;
}

void val_losses_free(struct val_losses *losses)
{
    free(losses->steps);
    free(losses->losses);
    *losses = (struct val_losses){0};
}

int64_t val_losses_last_step(const struct val_losses *losses)
{
    return losses->count > 0 ? losses->steps[losses->count - 1] : -1;
}

double val_losses_mean(const struct val_losses *losses, int64_t step)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < losses->count && losses->steps[i] <= step; i++) {
        if (isfinite(losses->losses[i])) {
            sum += losses->losses[i];
            count++;
        }
    }
    return count > 0 ? sum / (double)count : (double)INFINITY;
}
