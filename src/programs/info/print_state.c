/* Prints the state of a run and its sessions. */
#include "base/clock.h"
#include "base/text.h"
#include "programs/info/kinds.h"
#include "programs/info/state.h"
#include "run/json_members.h"
#include "run/metrics.h"
#include "run/metrics_reader.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { BAR_COLUMNS = 30, WORDS_SIZE = 64 };

static const json_t *last_of(const json_t *array)
{
    return json_array_get(array, json_array_size(array) - 1);
}

static bool is_state(const json_t *object, const char *name)
{
    return strcmp(member_string(object, "state"), name) == 0;
}

void info_name_state(char *text, size_t size, const json_t *object)
{
    const json_t *session = last_of(json_object_get(object, "sessions"));
    if (is_state(object, "halted"))
        snprintf(text, size, "halted by %s", member_string(session, "reason"));
    else if (is_state(object, "failed") || is_state(object, "killed"))
        snprintf(text, size, "%s", is_state(object, "failed") ? "FAILED" : "KILLED");
    else
        snprintf(text, size, "%s", member_string(object, "state"));
}

/* From 0 to 1. */
static double fraction_of(const json_t *progress)
{
    double step = member_number(progress, "step"), num_steps = member_number(progress, "num_steps");
    return num_steps > 0 && step > 0 ? step / num_steps : 0;
}

/* Rounded down; 100 only for a run that is done: one that failed to write its last checkpoint is not. */
static int percent_of(const json_t *object)
{
    int percent = (int)(100 * fraction_of(json_object_get(object, "progress")));
    return percent == 100 && !is_state(object, "done") ? 99 : percent;
}

static void print_progress(FILE *out, const json_t *object)
{
    const json_t *progress = json_object_get(object, "progress");
    int percent = percent_of(object), filled = percent * BAR_COLUMNS / 100;
    char bar[BAR_COLUMNS + 1] = "";
    if (member_int(progress, "num_steps") <= 0)
        return;
    memset(bar, '.', BAR_COLUMNS);
    memset(bar, '#', (size_t)filled);
    info_print_field(out, "progress", "[%s] %d %%, step %" PRId64 " of %" PRId64, bar, percent,
                     member_int(progress, "step"), member_int(progress, "num_steps"));
}

static void print_speed(FILE *out, const json_t *object)
{
    const json_t *progress = json_object_get(object, "progress");
    const json_t *line = last_of(json_object_get(json_object_get(object, "train"), "lines"));
    double seconds = member_number(progress, "step_time");
    if (!json_object_get(progress, "windows_per_second"))
        return;
    char steps[WORDS_SIZE] = "", waiting[WORDS_SIZE] = "", age[WORDS_SIZE] = "";
    if (seconds > 0)
        snprintf(steps, sizeof steps, ", %.3g s a step", seconds);
    if (json_object_get(line, "wait_share"))
        snprintf(waiting, sizeof waiting, ", %.0f %% of it spent waiting", 100 * member_number(line, "wait_share"));
    if (is_state(object, "running"))
        snprintf(age, sizeof age, "; logged %.0f s ago", member_number(progress, "age"));
    info_print_field(out, "speed", "%.4g windows/s%s%s%s", member_number(progress, "windows_per_second"), steps,
                     waiting, age);
}

static void print_time_left(FILE *out, const json_t *object)
{
    const json_t *progress = json_object_get(object, "progress"), *left = json_object_get(progress, "seconds_left");
    char duration[WORDS_SIZE], end[WORDS_SIZE] = "";
    if (!left || is_state(object, "done") || is_state(object, "pruned"))
        return;
    double seconds = json_number_value(left);
    time_t date = time(NULL) + (time_t)fmin(seconds, 1e9);
    struct tm local;
    duration_text(duration, seconds);
    if (is_state(object, "running") && localtime_r(&date, &local))
        strftime(end, sizeof end, ", until about %Y-%m-%d %H:%M %Z", &local);
    info_print_field(out, "time left", "%s%s%s", duration, end,
                     is_state(object, "running") ? "" : " at the last speed, once resumed");
}

static void print_holder(FILE *out, const json_t *object)
{
    const json_t *holder = json_object_get(object, "holder"), *session = last_of(json_object_get(object, "sessions"));
    const char *host = member_string(holder, "host"), *job = member_string(holder, "slurm_job");
    char ranks[WORDS_SIZE] = "";
    bool alive = json_is_true(json_object_get(holder, "alive"));
    if (!holder)
        return;
    if (is_state(object, "running"))
        snprintf(ranks, sizeof ranks, "%" PRId64 " rank%s, ", member_int(session, "num_ranks"),
                 PLURAL(member_int(session, "num_ranks")));
    info_print_field(out, alive ? "runs on" : "ran on", "%sprocess %" PRId64 " on %s%s%s; %slast heartbeat %.0f s ago",
                     ranks, member_int(holder, "pid"), *host ? host : "an unknown host", *job ? ", Slurm job " : "",
                     job, alive ? "" : "gone, ", member_number(holder, "age"));
}

/* How the run ended and how to resume it. */
static void print_end(FILE *out, const json_t *object)
{
    const json_t *session = last_of(json_object_get(object, "sessions"));
    int64_t step = member_int(session, "last_step"), lost = member_int(session, "steps_lost");
    if (is_state(object, "failed"))
        info_print_field(out, "failed", "at step %" PRId64 ": %s", step, member_string(session, "message"));
    else if (is_state(object, "killed") && session)
        info_print_field(out, "killed", "at step %" PRId64 " or later, without an end event", step);
    else if (is_state(object, "killed"))
        info_print_field(out, "killed", "before its first step");
    else if (is_state(object, "halted"))
        info_print_field(out, "halted", "by %s at step %" PRId64 ", %s", member_string(session, "reason"), step,
                         member_string(session, "ended"));
    else if (is_state(object, "pruned"))
        info_print_field(out, "pruned", "by --prune at step %" PRId64 ", %s; rerun the command without it to continue",
                         step, member_string(session, "ended"));
    else if (is_state(object, "starting"))
        info_print_field(out, "starting", "a job holds the run, but has not logged its start yet");
    else if (is_state(object, "not begun"))
        info_print_field(out, "not begun", "no training has logged its start yet");
    if (is_state(object, "failed") || is_state(object, "killed") || is_state(object, "halted"))
        info_print_field(out, "to resume", "rerun the same command; continues at step %" PRId64 "%s",
                         member_int(json_object_get(object, "progress"), "checkpoint_step"),
                         lost > 0 ? ", repeats later steps" : "");
}

/* ", 2 kills", or nothing. */
static void add_count(char *text, size_t size, size_t count, const char *what)
{
    size_t used = strlen(text);
    if (count > 0)
        snprintf(text + used, size - used, "%s%zu %s%s", used > 0 ? ", " : "", count, what, PLURAL(count));
}

/* A session that trained to the end, or that its val_loss ended. */
static bool is_done(const json_t *session)
{
    const char *reason = member_string(session, "reason");
    return strcmp(reason, "num_steps") == 0 || strcmp(reason, METRICS_PATIENCE) == 0 ||
           strcmp(reason, METRICS_PRUNED) == 0;
}

/* A session that found nothing to do. */
static bool is_idle(const json_t *session)
{
    return is_done(session) && member_int(session, "last_step") == member_int(session, "from_step") &&
           member_int(session, "steps_lost") == 0;
}

static json_t *busy_sessions(const json_t *object)
{
    json_t *busy = json_array(), *session;
    size_t i;
    json_array_foreach(json_object_get(object, "sessions"), i, session) if (!is_idle(session))
        json_array_append(busy, session);
    return busy;
}

/* Why all sessions but the last ended. */
static void print_restarts(FILE *out, const json_t *sessions)
{
    size_t i, count = json_array_size(sessions), killed = 0, failed = 0, done = 0;
    char reasons[2 * WORDS_SIZE] = "";
    int64_t lost = 0;
    json_t *session;
    if (count < 2)
        return;
    json_array_foreach(sessions, i, session)
    {
        if (i + 1 == count)
            break;
        killed += !json_object_get(session, "reason");
        failed += strcmp(member_string(session, "reason"), METRICS_FAILED) == 0;
        done += is_done(session);
        lost += member_int(session, "steps_lost");
    }
    add_count(reasons, sizeof reasons, count - 1 - killed - failed - done, "halt");
    add_count(reasons, sizeof reasons, killed, "kill");
    add_count(reasons, sizeof reasons, failed, "failure");
    add_count(reasons, sizeof reasons, done, "end");
    info_print_field(out, "restarts", "%zu, after %s; %" PRId64 " step%s repeated", count - 1, reasons, lost,
                     PLURAL(lost));
}

void info_print_state(FILE *out, const json_t *object)
{
    print_progress(out, object);
    print_speed(out, object);
    print_time_left(out, object);
    print_holder(out, object);
    print_end(out, object);
    json_t *sessions = busy_sessions(object);
    print_restarts(out, sessions);
    json_decref(sessions);
}

/* A step or another count; where it is too long for its column, roughly. */
static void print_count(FILE *out, int64_t count, int width)
{
    if (count < 10000000 && count > -1000000)
        fprintf(out, "%*" PRId64, width, count);
    else
        fprintf(out, "%*.1e", width, (double)count);
}

/* The start of a row, up to its first step: "  2026-01-31 12:00       40". */
static void print_beginning(FILE *out, const char *time, int64_t step)
{
    enum { DATE = 10, DATE_AND_MINUTE = 16 };
    char text[DATE_AND_MINUTE + 1];
    snprintf(text, sizeof text, "%s", time);
    if (text[0] && strlen(text) > DATE)
        text[DATE] = ' ';
    fprintf(out, "  ");
    info_print_column(out, text, DATE_AND_MINUTE);
    print_count(out, step, 8);
}

static const char *name_end(const json_t *object, const json_t *session)
{
    const char *reason = member_string(session, "reason");
    bool is_last = session == last_of(json_object_get(object, "sessions"));
    if (!*reason)
        return is_last && is_state(object, "running") ? "running" : "killed";
    if (strcmp(reason, "SLURM_JOB_END_TIME") == 0)
        return "job's end time";
    return is_done(session) && strcmp(reason, METRICS_PRUNED) != 0 ? "done" : reason;
}

static void print_session(FILE *out, const json_t *object, const json_t *session)
{
    char where[2 * WORDS_SIZE];
    const char *job = member_string(session, "slurm_job");
    snprintf(where, sizeof where, "%.60s%s%.20s", member_string(session, "host"), *job ? "/" : "", job);
    print_beginning(out, member_string(session, "began"), member_int(session, "from_step"));
    print_count(out, member_int(session, "last_step"), 9);
    print_count(out, member_int(session, "steps_lost"), 7);
    print_count(out, member_int(session, "num_ranks"), 7);
    fprintf(out, "  ");
    info_print_column(out, where, 12);
    fprintf(out, "  %.15s\n", name_end(object, session));
}

/* A start of a Slurm job that logged no session. */
static void print_start(FILE *out, const json_t *start)
{
    char where[2 * WORDS_SIZE];
    snprintf(where, sizeof where, "job %.60s", member_string(start, "slurm_job"));
    print_beginning(out, member_string(start, "time"), member_int(start, "step"));
    fprintf(out, "%9s%7s", "-", "-");
    print_count(out, member_int(start, "num_ranks"), 7);
    fprintf(out, "  ");
    info_print_column(out, where, 12);
    fprintf(out, "  no step\n");
}

static bool has_session(const json_t *object, const json_t *start)
{
    const char *restarts = member_string(start, "slurm_restarts");
    size_t i;
    json_t *session;
    json_array_foreach(json_object_get(object, "sessions"), i, session)
    {
        const char *of_part = member_string(session, "slurm_restarts");
        if (strcmp(member_string(session, "slurm_job"), member_string(start, "slurm_job")) == 0 &&
            strcmp(*of_part ? of_part : "0", restarts) == 0)
            return true;
    }
    return false;
}

/* Sessions that did something, and starts without a session, by time. */
static json_t *merge(const json_t *object)
{
    json_t *rows = json_array(), *sessions = busy_sessions(object);
    const json_t *starts = json_object_get(object, "starts");
    size_t next = 0, i;
    json_t *start;
    json_array_foreach(starts, i, start)
    {
        if (has_session(object, start))
            continue;
        for (; next < json_array_size(sessions); next++) {
            json_t *session = json_array_get(sessions, next);
            if (strcmp(member_string(session, "began"), member_string(start, "time")) > 0)
                break;
            json_array_append(rows, session);
        }
        json_array_append(rows, start);
    }
    for (; next < json_array_size(sessions); next++)
        json_array_append(rows, json_array_get(sessions, next));
    json_decref(sessions);
    return rows;
}

void info_print_sessions(FILE *out, const json_t *object, size_t most_sessions)
{
    json_t *rows = merge(object);
    size_t count = json_array_size(rows), first = count > most_sessions ? count - most_sessions : 0;
    if (count > 0) {
        fprintf(out, "\n%-18s%8s%9s%7s%7s  %-12s  %s\n", "session, start (UTC)", "from", "to step", "redone", "ranks",
                "host/job", "ended");
        if (first > 0)
            fprintf(out, "  ... and %zu earlier: --json lists all\n", first);
    }
    for (size_t i = first; i < count; i++) {
        const json_t *row = json_array_get(rows, i);
        if (json_object_get(row, "began"))
            print_session(out, object, row);
        else
            print_start(out, row);
    }
    json_decref(rows);
}

void info_print_state_line(FILE *out, const json_t *object)
{
    const json_t *progress = json_object_get(object, "progress"), *left = json_object_get(progress, "seconds_left");
    const json_t *line = last_of(json_object_get(json_object_get(object, "train"), "lines"));
    const json_t *validation = last_of(json_object_get(json_object_get(object, "eval"), "lines"));
    char name[2 * WORDS_SIZE], duration[WORDS_SIZE];
    info_name_state(name, sizeof name, object);
    fprintf(out, "%s", name);
    if (member_int(progress, "num_steps") > 0)
        fprintf(out, ", step %" PRId64 "/%" PRId64 " (%d %%)", member_int(progress, "step"),
                member_int(progress, "num_steps"), percent_of(object));
    const json_t *loss = metrics_reader_value(line, "loss"),
                 *validation_loss = metrics_reader_value(validation, "loss");
    if (loss)
        fprintf(out, ", loss %.4g", json_number_value(loss));
    if (validation_loss)
        fprintf(out, ", eval %.4g at step %" PRId64, json_number_value(validation_loss),
                member_int(validation, "step"));
    if (is_state(object, "running") && left) {
        duration_text(duration, json_number_value(left));
        fprintf(out, ", %.4g windows/s, left %s", member_number(progress, "windows_per_second"), duration);
    }
    fprintf(out, "\n");
}
