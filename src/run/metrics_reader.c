#include "run/metrics_reader.h"

#include "base/metric.h"
#include "base/text.h"
#include "run/json_members.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    BUFFER_BYTES = 1 << 18, /* longer than any line of ours */
    RECENT_LINES = 32,
    RECENT_SHOWN = 5,
    MOST_SESSIONS = 1000,
};
static const off_t most_bytes = 1 << 28; /* of a file; what lies before its last so many is not looked at */

struct metrics_reader {
    char *path;
    off_t offset;               /* end of the last whole line that was read */
    ino_t inode;                /* of the file that the offset is in */
    char *recent[RECENT_LINES]; /* a ring of what look like lines of numbers */
    size_t num_recent;          /* all that were ever put in, less those taken back */
    size_t session_began;       /* num_recent at the last event */
    json_t *sessions, *event;
};

struct metrics_reader *metrics_reader_make(const char *path)
{
    struct metrics_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return NULL;
    reader->path = format_text("%s", path);
    reader->sessions = json_array();
    return reader;
}

static void forget(struct metrics_reader *reader)
{
    for (int i = 0; i < RECENT_LINES; i++) {
        free(reader->recent[i]);
        reader->recent[i] = NULL;
    }
    json_array_clear(reader->sessions);
    json_decref(reader->event);
    reader->event = NULL;
    reader->offset = 0;
    reader->num_recent = reader->session_began = 0;
}

void metrics_reader_free(struct metrics_reader *reader)
{
    if (!reader)
        return;
    forget(reader);
    json_decref(reader->sessions);
    free(reader->path);
    free(reader);
}

/* Lines of the first version get today's names. */
static void rename_metrics(json_t *line)
{
    for (size_t i = 0; i < metric_count; i++) {
        const struct metric_row *row = &metric_table[i];
        json_t *value = row->old_name ? json_object_get(line, row->old_name) : NULL;
        if (!value)
            continue;
        if (!json_object_get(line, row->name))
            json_object_set(line, row->name, value);
        json_object_del(line, row->old_name);
    }
}

static json_t *parse_numbers(const char *line)
{
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(object) && json_is_number(json_object_get(object, "step"))) {
        rename_metrics(object);
        return object;
    }
    json_decref(object);
    return NULL;
}

/* Steps after `from` are repeated, so their lines count no more. */
static void forget_after(struct metrics_reader *reader, int64_t from)
{
    size_t oldest = reader->num_recent > RECENT_LINES ? reader->num_recent - RECENT_LINES : 0;
    while (reader->num_recent > oldest) {
        char **last = &reader->recent[(reader->num_recent - 1) % RECENT_LINES];
        json_t *object = parse_numbers(*last);
        bool counts = object && member_step(object, "step") <= from;
        json_decref(object);
        if (counts)
            break;
        free(*last);
        *last = NULL;
        reader->num_recent--;
    }
}

/* The newest line of numbers since the last event, NULL where there is none. */
static json_t *last_numbers(const struct metrics_reader *reader)
{
    size_t oldest = reader->num_recent > RECENT_LINES ? reader->num_recent - RECENT_LINES : 0;
    if (oldest < reader->session_began)
        oldest = reader->session_began;
    for (size_t i = reader->num_recent; i > oldest; i--) {
        json_t *object = parse_numbers(reader->recent[(i - 1) % RECENT_LINES]);
        if (object)
            return object;
    }
    return NULL;
}

static void put_last_step(json_t *session, const json_t *line)
{
    json_object_set_new(session, "last_step", json_integer(member_step(line, "step")));
    json_object_set_new(session, "last_time", json_clean_text(member_string(line, "time")));
}

static void copy_text(json_t *session, const char *key, const json_t *event)
{
    const char *text = json_string_value(json_object_get(event, key));
    if (text && *text)
        json_object_set_new(session, key, json_clean_text(text));
}

static void begin_session(struct metrics_reader *reader, const json_t *event)
{
    static const char *const texts[] = {"host", "slurm_job", "slurm_restarts"};
    json_t *session = json_object(), *before = json_array_get(reader->sessions, json_array_size(reader->sessions) - 1);
    int64_t from = member_step(event, "step"), lost = member_step(before, "last_step") - from;
    if (before && lost > 0)
        json_object_set_new(before, "steps_lost", json_integer(lost));
    json_object_set_new(session, "from_step", json_integer(from));
    json_object_set_new(session, "last_step", json_integer(from));
    json_object_set_new(session, "num_steps", json_integer(member_step(event, "num_steps")));
    json_object_set_new(session, "num_ranks", json_integer(member_int(event, "num_ranks")));
    json_object_set_new(session, "began", json_clean_text(member_string(event, "time")));
    if (json_is_integer(json_object_get(event, "pid")))
        json_object_set_new(session, "pid", json_integer(member_int(event, "pid")));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        copy_text(session, texts[i], event);
    if (json_array_size(reader->sessions) == MOST_SESSIONS)
        json_array_remove(reader->sessions, 0);
    json_array_append_new(reader->sessions, session);
    forget_after(reader, from);
}

static void end_session(json_t *session, const json_t *event)
{
    put_last_step(session, event);
    json_object_set_new(session, "num_steps", json_integer(member_step(event, "num_steps")));
    json_object_set_new(session, "ended", json_clean_text(member_string(event, "time")));
    json_object_set_new(session, "reason", json_clean_text(member_string(event, "reason")));
    copy_text(session, "message", event);
}

static void take_event(struct metrics_reader *reader, const char *line)
{
    json_t *event = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    json_t *session = json_array_get(reader->sessions, json_array_size(reader->sessions) - 1),
           *numbers = last_numbers(reader);
    const char *name = member_string(event, "event");
    bool ends = strcmp(name, "end") == 0, begins = strcmp(name, "start") == 0 || strcmp(name, "resume") == 0;
    bool is_open = session && !json_object_get(session, "reason");
    if ((ends || begins) && json_is_number(json_object_get(event, "step"))) {
        if (is_open && numbers)
            put_last_step(session, numbers);
        if (begins)
            begin_session(reader, event);
        else if (is_open)
            end_session(session, event);
        json_decref(reader->event);
        reader->event = json_incref(event);
        reader->session_began = reader->num_recent;
    }
    json_decref(numbers);
    json_decref(event);
}

/* Lines of numbers are kept as text: only the last ones are ever asked for. */
static void take_line(struct metrics_reader *reader, const char *line)
{
    if (strstr(line, "\"event\"")) {
        take_event(reader, line);
    } else if (line[0] == '{' && strstr(line, "\"step\"")) {
        char **place = &reader->recent[reader->num_recent++ % RECENT_LINES];
        free(*place);
        *place = format_text("%s", line);
    }
}

/* Takes the whole lines from the file's place on. With `cut` the first one is not whole. */
static bool take_lines(struct metrics_reader *reader, FILE *file, bool cut, struct error *error)
{
    size_t held = 0, got;
    char *buffer = malloc(BUFFER_BYTES);
    if (!buffer)
        return error_set(error, "%s: out of memory", reader->path);
    while ((got = fread(buffer + held, 1, BUFFER_BYTES - held, file)) > 0) {
        char *line = buffer, *end;
        held += got;
        for (; (end = memchr(line, '\n', held - (size_t)(line - buffer))); line = end + 1, cut = false) {
            *end = '\0';
            if (!cut)
                take_line(reader, line);
        }
        size_t taken = (size_t)(line - buffer);
        if (held == BUFFER_BYTES && taken == 0) {
            cut = true;
            taken = held;
        }
        reader->offset += (off_t)taken;
        held -= taken;
        memmove(buffer, buffer + taken, held);
    }
    bool ok = !ferror(file) || error_set_errno(error, errno, "%s: can't read", reader->path);
    free(buffer);
    return ok;
}

bool metrics_reader_read(struct metrics_reader *reader, struct error *error)
{
    struct stat status;
    if (stat(reader->path, &status) != 0) {
        forget(reader);
        return errno == ENOENT || error_set_errno(error, errno, "%s: can't read", reader->path);
    }
    if (!S_ISREG(status.st_mode))
        return error_set(error, "%s: is not a regular file", reader->path);
    FILE *file = fopen(reader->path, "rb");
    if (!file)
        return error_set_errno(error, errno, "%s: can't read", reader->path);
    if (status.st_ino != reader->inode || status.st_size < reader->offset)
        forget(reader);
    reader->inode = status.st_ino;
    bool cut = status.st_size - reader->offset > most_bytes;
    if (cut)
        reader->offset = status.st_size - most_bytes;
    bool ok =
        fseeko(file, reader->offset, SEEK_SET) == 0 || error_set_errno(error, errno, "%s: can't read", reader->path);
    ok = ok && take_lines(reader, file, cut, error);
    fclose(file);
    return ok;
}

json_t *metrics_reader_lines(const struct metrics_reader *reader)
{
    json_t *lines = json_array();
    size_t oldest = reader->num_recent > RECENT_LINES ? reader->num_recent - RECENT_LINES : 0;
    for (size_t i = reader->num_recent; i > oldest && json_array_size(lines) < RECENT_SHOWN; i--) {
        json_t *object = parse_numbers(reader->recent[(i - 1) % RECENT_LINES]);
        if (object)
            json_array_insert_new(lines, 0, object);
    }
    return lines;
}

json_t *metrics_reader_event(const struct metrics_reader *reader)
{
    return reader->event;
}

json_t *metrics_reader_sessions(const struct metrics_reader *reader)
{
    json_t *sessions = json_deep_copy(reader->sessions),
           *session = json_array_get(sessions, json_array_size(sessions) - 1);
    json_t *numbers = last_numbers(reader);
    if (session && numbers && !json_object_get(session, "reason"))
        put_last_step(session, numbers);
    json_decref(numbers);
    return sessions;
}

const json_t *metrics_reader_value(const json_t *line, const char *name)
{
    char key[METRIC_NAME_SIZE];
    const char *split = json_string_value(json_object_get(line, "split"));
    snprintf(key, sizeof key, "%s%s", metric_prefix(split), name);
    const json_t *value = json_object_get(line, key);
    if (!value)
        value = json_object_get(line, name);
    return json_is_number(value) ? value : NULL;
}
