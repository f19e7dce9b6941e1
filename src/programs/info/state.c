/* Reads the state of a run; print_state.c prints it. */
#include "programs/info/state.h"

#include "base/io/files.h"
#include "base/text.h"
#include "programs/info/kinds.h"
#include "run/json_members.h"
#include "run/metrics.h"
#include "run/metrics_reader.h"
#include "run/run_folder.h"
#include "run/run_lock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_STARTS_BYTES = 1 << 22, MOST_STARTS = 1000 };

struct info_state {
    char *starts_path, *train_folder; /* owned */
    struct metrics_reader *train, *eval;
};

static struct metrics_reader *make_reader(char *folder)
{
    char *path = path_join(folder, RUN_METRICS_NAME);
    struct metrics_reader *reader = metrics_reader_make(path);
    free(path);
    free(folder);
    return reader;
}

struct info_state *info_state_make(const char *run_dir)
{
    struct info_state *state = calloc(1, sizeof *state);
    if (!state)
        return NULL;
    state->starts_path = path_join(run_dir, RUN_STARTS_NAME);
    state->train_folder = run_train_folder(run_dir);
    state->train = make_reader(run_train_folder(run_dir));
    state->eval = make_reader(run_eval_folder(run_dir));
    if (state->train && state->eval)
        return state;
    info_state_free(state);
    return NULL;
}

void info_state_free(struct info_state *state)
{
    if (!state)
        return;
    metrics_reader_free(state->train);
    metrics_reader_free(state->eval);
    free(state->starts_path);
    free(state->train_folder);
    free(state);
}

static void read_metrics(json_t *object, const char *key, struct metrics_reader *reader)
{
    struct error error;
    if (!metrics_reader_read(reader, &error))
        info_add_damage(object, error.message);
    json_t *lines = metrics_reader_lines(reader), *event = metrics_reader_event(reader);
    if (event || json_array_size(lines) > 0) {
        json_t *metrics = json_object();
        json_object_set(metrics, "lines", lines);
        if (event)
            json_object_set(metrics, "event", event);
        json_object_set_new(object, key, metrics);
    }
    json_decref(lines);
}

/* Seconds since a time as the metrics have it, 0 where it is none or lies ahead. */
static double seconds_since(const char *text)
{
    struct tm date = {0};
    char end = '\0';
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%c", &date.tm_year, &date.tm_mon, &date.tm_mday, &date.tm_hour,
               &date.tm_min, &date.tm_sec, &end) != 7 ||
        end != 'Z' || date.tm_year < 1970)
        return 0;
    date.tm_year -= 1900;
    date.tm_mon -= 1;
    return fmax(0, difftime(time(NULL), timegm(&date)));
}

static bool read_holder(json_t *object, const struct info_state *state)
{
    struct folder_lock_view view;
    run_lock_look(&view, state->train_folder);
    if (view.state == FOLDER_LOCK_FREE)
        return false;
    json_t *holder = json_object();
    json_object_set_new(holder, "host", json_clean_text(view.host));
    json_object_set_new(holder, "pid", json_integer(view.pid));
    json_object_set_new(holder, "slurm_job", json_clean_text(view.slurm_job));
    json_object_set_new(holder, "age", json_real(view.age));
    json_object_set_new(holder, "alive", json_boolean(view.state == FOLDER_LOCK_HELD));
    json_object_set_new(object, "holder", holder);
    return view.state == FOLDER_LOCK_HELD;
}

/* Whether the job that holds the lock made the session. Old sessions have no process id. */
static bool made_by_holder(const json_t *session, const json_t *holder)
{
    return !json_object_get(session, "pid") ||
           (member_int(session, "pid") == member_int(holder, "pid") &&
            strcmp(member_string(session, "host"), member_string(holder, "host")) == 0);
}

static const char *name_of_state(const json_t *object, const json_t *session, bool held)
{
    const json_t *reason = json_object_get(session, "reason");
    if (held)
        return session && !reason && made_by_holder(session, json_object_get(object, "holder")) ? "running"
                                                                                                : "starting";
    if (!session)
        return json_object_get(object, "holder") ? "killed" : "not begun";
    if (!reason)
        return "killed";
    const char *text = member_string(session, "reason");
    return strcmp(text, "num_steps") == 0 || strcmp(text, METRICS_PATIENCE) == 0     ? "done"
           : strcmp(text, METRICS_PRUNED) == 0                                       ? "pruned"
           : strcmp(text, METRICS_FAILED) == 0 || strcmp(text, METRICS_STALLED) == 0 ? "failed"
                                                                                     : "halted";
}

/* The step to resume from: the latest valid checkpoint's, or where that is not known the latest one's. */
static int64_t newest_step(const json_t *object)
{
    const json_t *newest = json_object_get(object, "newest");
    if (newest)
        return member_step(newest, "step");
    return json_integer_value(json_array_get(json_object_get(object, "checkpoints"), 0));
}

static void read_progress(json_t *object, const json_t *session, bool runs)
{
    const json_t *lines = json_object_get(json_object_get(object, "train"), "lines");
    const json_t *line = json_array_get(lines, json_array_size(lines) - 1);
    json_t *progress = json_object();
    int64_t step = member_step(session, "last_step"), num_steps = member_step(session, "num_steps");
    double age = seconds_since(member_string(line, "time"));
    double step_seconds = member_number(line, "step_time");
    if (num_steps > 0 && num_steps < step) /* a start for fewer steps than there are finds nothing to do */
        num_steps = step;
    json_object_set_new(progress, "step", json_integer(step));
    json_object_set_new(progress, "num_steps", json_integer(num_steps));
    json_object_set_new(progress, "checkpoint_step", json_integer(newest_step(object)));
    json_t *rate = json_object_get(line, "windows_per_second");
    if (line)
        json_object_set_new(progress, "age", json_real(age));
    if (json_is_number(rate))
        json_object_set(progress, "windows_per_second", rate);
    if (step_seconds > 0) {
        double left = step_seconds * fmax(0, (double)num_steps - (double)step) - (runs ? age : 0);
        json_object_set_new(progress, "step_time", json_real(step_seconds));
        json_object_set_new(progress, "seconds_left", json_real(fmax(0, left)));
    }
    json_object_set_new(object, "progress", progress);
}

/* Steps of the last session that no checkpoint holds. */
static void read_loss(const json_t *object, json_t *session)
{
    int64_t lost = member_step(session, "last_step") - newest_step(object);
    if (session && lost > 0)
        json_object_set_new(session, "steps_lost", json_integer(lost));
}

/* A line of requeues.tsv: job, restart, step, nodes, ranks, date. */
static void take_start(json_t *starts, const char *line)
{
    static const char *const keys[] = {"slurm_job", "slurm_restarts", "step", "num_nodes", "num_ranks", "time"};
    enum { NUM_KEYS = sizeof keys / sizeof *keys };
    json_t *start = json_object();
    int i = 0;
    for (const char *field = line; i < NUM_KEYS; i++) {
        size_t length = strcspn(field, "\t");
        char *text = format_text("%.*s", (int)(length < 64 ? length : 64), field);
        bool is_number = i >= 2 && i < 5;
        json_object_set_new(start, keys[i], is_number ? json_integer(strtoll(text, NULL, 10)) : json_clean_text(text));
        free(text);
        if (field[length] == '\0' && i < NUM_KEYS - 1)
            break;
        field += length + 1;
    }
    if (i == NUM_KEYS)
        json_array_append(starts, start);
    json_decref(start);
    if (json_array_size(starts) > MOST_STARTS)
        json_array_remove(starts, 0);
}

static void read_starts(json_t *object, const char *path)
{
    struct error error;
    uint8_t *bytes;
    size_t size;
    json_t *starts = json_array();
    if (file_exists(path) && !file_read(&bytes, &size, path, MOST_STARTS_BYTES, &error)) {
        info_add_damage(object, error.message);
    } else if (file_exists(path)) {
        char *line = (char *)bytes;
        for (char *end; (end = strchr(line, '\n')); line = end + 1) {
            *end = '\0';
            take_start(starts, line);
        }
        free(bytes);
    }
    json_object_set_new(object, "starts", starts);
}

void info_state_read(struct info_state *state, json_t *object)
{
    bool held = read_holder(object, state);
    read_metrics(object, "train", state->train);
    read_metrics(object, "eval", state->eval);
    read_starts(object, state->starts_path);
    json_t *sessions = metrics_reader_sessions(state->train),
           *session = json_array_get(sessions, json_array_size(sessions) - 1);
    const char *name = name_of_state(object, session, held);
    bool runs = strcmp(name, "running") == 0;
    json_object_set_new(object, "state", json_string(name));
    json_object_set_new(object, "sessions", sessions);
    if (!runs)
        read_loss(object, session);
    read_progress(object, session, runs);
}
