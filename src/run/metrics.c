#include "run/metrics.h"

#include "base/clock.h"
#include "base/host.h"
#include "base/io/files.h"
#include "base/log.h"
#include "base/text.h"
#include "run/run_folder.h"

#include <jansson.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void put_time(json_t *object)
{
    char date[32];
    date_now(date);
    json_object_set_new(object, "time", json_string(date));
}

/* Whether others may be appending to the file, too. */
enum writers { ONE_WRITER, SEVERAL_WRITERS };

/* A FIFO without a reader would have us wait in open, deaf to signals. */
static int open_for_appending(const char *path, struct stat *status, struct error *error)
{
    int file = open(path, O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0644);
    int reason = errno;
    if (file >= 0 && fstat(file, status) == 0 && S_ISREG(status->st_mode))
        return file;
    if (file >= 0)
        close(file);
    if (stat(path, status) == 0 && !S_ISREG(status->st_mode))
        error_set(error, "%s: can't write: is not a regular file", path);
    else
        error_set_errno(error, reason, "%s: can't write", path);
    return -1;
}

static bool ends_in_a_line(int file)
{
    char last;
    struct stat status;
    return fstat(file, &status) != 0 || status.st_size == 0 || pread(file, &last, 1, status.st_size - 1) != 1 ||
           last == '\n';
}

/* Where a full disk cut a line before. Another writer's line that is just being written looks like that for a moment. */
static bool ends_in_a_cut_line(int file)
{
    enum { LOOKS = 20, PAUSE_NANOSECONDS = 1000000 };
    for (int i = 0; i < LOOKS; i++) {
        if (ends_in_a_line(file))
            return false;
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NANOSECONDS}, NULL);
    }
    return true;
}

/* One write to the end of the file, so that lines of several writers do not mix. Half a line, where the disk is full, is taken
 * back by a single writer; of several none can do so without cutting what another has appended since. */
static bool append_line(const char *path, const char *text, enum writers writers, struct error *error)
{
    struct stat status;
    int file = open_for_appending(path, &status, error);
    if (file < 0)
        return false;
    char *line = format_text("%s%s\n", ends_in_a_cut_line(file) ? "\n" : "", text);
    size_t size = strlen(line);
    ssize_t written = write(file, line, size);
    int reason = written < 0 ? errno : ENOSPC;
    bool ok = written == (ssize_t)size;
    if (!ok && written > 0 && writers == ONE_WRITER && ftruncate(file, status.st_size) != 0)
        reason = errno;
    close(file);
    free(line);
    return ok || error_set_errno(error, reason, "%s: can't write", path);
}

static bool append(const char *folder, json_t *object, enum writers writers, struct error *error)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9)), *path = path_join(folder, RUN_METRICS_NAME);
    bool ok = text || error_set(error, "%s: out of memory", path);
    json_decref(object);
    ok = ok && folder_make(folder, error) && append_line(path, text, writers, error);
    free(text);
    free(path);
    return ok;
}

void metrics_line_start(struct metrics_line *line, const struct metric_set *set, uint64_t step, const char *split)
{
    *line = (struct metrics_line){.step = step, .set = set, .split = split};
    metric_values_clear(&line->values);
}

/* Whether lines of that kind have the metric. */
static bool is_part_of(const struct metric *metric, const char *split)
{
    return metric->row->places & (split ? METRIC_IN_EVALUATION : METRIC_IN_TRAINING);
}

static void put_metric(json_t *object, const struct metric *metric, const char *split, double value)
{
    char key[METRIC_NAME_SIZE];
    metric_key(key, metric, split);
    if (!isfinite(value))
        return;
    json_object_set_new(object, key,
                        metric->row->rule == METRIC_COUNT ? json_integer((json_int_t)value) : json_real(value));
}

static void put_skipped_windows(json_t *object, uint64_t count)
{
    if (count > 0)
        json_object_set_new(object, "skipped_windows", json_integer((json_int_t)count));
}

bool metrics_append_more(const char *folder, const struct metrics_line *line, json_t *more, struct error *error)
{
    json_t *object = json_object();
    json_object_set_new(object, "step", json_integer((json_int_t)line->step));
    put_time(object);
    if (line->split)
        json_object_set_new(object, "split", json_string(line->split));
    for (int i = 0; i < line->set->count; i++)
        if (is_part_of(&line->set->metrics[i], line->split))
            put_metric(object, &line->set->metrics[i], line->split, line->values.values[i]);
    put_skipped_windows(object, line->skipped_windows);
    if (more)
        json_object_update(object, more);
    return append(folder, object, line->split ? SEVERAL_WRITERS : ONE_WRITER, error);
}

bool metrics_append(const char *folder, const struct metrics_line *line, struct error *error)
{
    return metrics_append_more(folder, line, NULL, error);
}

/* JSON is UTF-8, and a message may name files that are not: then each byte beyond ASCII becomes '?'. */
static void put_text(json_t *object, const char *key, const char *text)
{
    if (!text || !*text || json_object_set_new(object, key, json_string(text)) == 0)
        return;
    char *clean = format_text("%s", text);
    for (char *c = clean; *c; c++)
        if ((unsigned char)*c > '~')
            *c = '?';
    json_object_set_new(object, key, json_string(clean));
    free(clean);
}

static void put_process(json_t *object)
{
    char host[HOST_NAME_SIZE];
    host_name(host);
    put_text(object, "host", host);
    json_object_set_new(object, "pid", json_integer((json_int_t)getpid()));
    put_text(object, "slurm_job", getenv("SLURM_JOB_ID"));
    put_text(object, "slurm_restarts", getenv("SLURM_RESTART_COUNT"));
}

bool metrics_append_event(const char *folder, const struct metrics_event *event, struct error *error)
{
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string(event->event));
    json_object_set_new(object, "step", json_integer((json_int_t)event->step));
    json_object_set_new(object, "num_steps", json_integer((json_int_t)event->num_steps));
    put_time(object);
    json_object_set_new(object, "num_ranks", json_integer(event->num_ranks));
    put_skipped_windows(object, event->skipped_windows);
    if (event->reason)
        put_text(object, "reason", event->reason);
    else
        put_process(object);
    put_text(object, "message", event->message);
    return append(folder, object, ONE_WRITER, error);
}

/* "  loss 7.31  hits_loss 5.02" */
static void describe(char *text, size_t size, const struct metrics_line *line)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < line->set->count && used < size; i++) {
        const struct metric *metric = &line->set->metrics[i];
        char key[METRIC_NAME_SIZE], number[METRIC_TEXT_SIZE];
        if (!(metric->row->places & METRIC_IN_LOG) || !is_part_of(metric, line->split))
            continue;
        metric_key(key, metric, line->split);
        metric_format(number, metric->row, line->values.values[i]);
        int written = snprintf(text + used, size - used, "  %s %s", key, number);
        used += written > 0 ? (size_t)written : 0;
    }
}

void metrics_log(const struct metrics_line *line, uint64_t num_steps)
{
    char text[2048];
    describe(text, sizeof text, line);
    if (line->split) {
        size_t used = strlen(text);
        if (line->skipped_windows > 0)
            snprintf(text + used, sizeof text - used, "  (%" PRIu64 " windows without a hit skipped)",
                     line->skipped_windows);
        log_info("eval at step %" PRIu64 ":%s", line->step, text);
        return;
    }
    double seconds_left = metric_get(&line->values, line->set, METRIC_SECONDS_LEFT);
    long left = isfinite(seconds_left) ? (long)seconds_left : 0;
    log_info("step %" PRIu64 "/%" PRIu64 "%s  left %ld:%02ld:%02ld", line->step, num_steps, text, left / 3600,
             left / 60 % 60, left % 60);
}
