/* The end of a metrics.jsonl, which another program may be writing at this moment. */
#include "base/files.h"
#include "programs/info_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAIL_BYTES = 1 << 18, LINES_SHOWN = 5 };

/* The last TAIL_BYTES of the file, ended with NUL; owned by the caller. NULL where there is no such file or it can't be read. */
static char *read_tail(const char *path, size_t *size)
{
    char *tail = NULL;
    FILE *file = file_exists(path) ? fopen(path, "rb") : NULL;
    if (!file)
        return NULL;
    long length = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    long start = length > TAIL_BYTES ? length - TAIL_BYTES : 0;
    if (length >= 0 && fseek(file, start, SEEK_SET) == 0)
        tail = malloc(TAIL_BYTES + 1);
    if (tail) {
        *size = fread(tail, 1, TAIL_BYTES, file);
        tail[*size] = '\0';
    }
    fclose(file);
    return tail;
}

/* Takes a line into the list, whose oldest goes where it is full, or as the last event. */
static void take_line(json_t *metrics, const char *line, size_t length)
{
    json_t *lines = json_object_get(metrics, "lines"), *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(object) && json_object_get(object, "event")) {
        json_object_set(metrics, "event", object);
    } else if (json_is_object(object) && json_is_number(json_object_get(object, "step"))) {
        json_array_append(lines, object);
        if (json_array_size(lines) > LINES_SHOWN)
            json_array_remove(lines, 0);
    }
    json_decref(object);
}

json_t *info_read_metrics(const char *path)
{
    size_t size = 0;
    char *tail = read_tail(path, &size);
    if (!tail)
        return NULL;
    json_t *metrics = json_object();
    json_object_set_new(metrics, "lines", json_array());
    for (char *line = tail, *end; (end = memchr(line, '\n', size - (size_t)(line - tail))); line = end + 1)
        take_line(metrics, line, (size_t)(end - line));
    free(tail);
    return metrics;
}

static void print_number(const json_t *line, const char *key, int width, int decimals, double scale)
{
    const json_t *number = json_object_get(line, key);
    if (json_is_number(number))
        printf("%*.*f", width, decimals, json_number_value(number) * scale);
    else
        printf("%*s", width, "-");
}

static void print_event(const json_t *event)
{
    const char *reason = info_string(event, "reason");
    if (event)
        info_print_field("last event", "%s at step %" PRId64 ", %s%s%s", info_string(event, "event"),
                         info_int(event, "step"), info_string(event, "time"), *reason ? ": " : "", reason);
}

void info_print_metrics(const json_t *metrics, const char *title)
{
    const json_t *lines = json_object_get(metrics, "lines");
    size_t i, count = json_array_size(lines);
    json_t *line;
    if (!metrics)
        return;
    print_event(json_object_get(metrics, "event"));
    if (count == 0) {
        info_print_field(title, "no numbers yet");
        return;
    }
    printf("\n%-12s%9s%9s%9s%9s%9s%8s%9s%6s\n", title, "loss", "hits", "veloc.", "offsets", "KL bits", "F1", "wind./s",
           "wait");
    json_array_foreach(lines, i, line)
    {
        printf("  %-10" PRId64, info_int(line, "step"));
        print_number(line, "total_loss", 9, 2, 1);
        print_number(line, "hits_loss", 9, 2, 1);
        print_number(line, "velocities_loss", 9, 2, 1);
        print_number(line, "offsets_loss", 9, 2, 1);
        print_number(line, "kl_bits", 9, 1, 1);
        print_number(line, "hits_f1", 8, 3, 1);
        print_number(line, "windows_per_second", 9, 1, 1);
        print_number(line, "wait_share", 5, 0, 100);
        puts(json_object_get(line, "wait_share") ? "%" : " ");
    }
}
