#include "run/metrics.h"

#include "base/clock.h"
#include "base/host.h"
#include "base/log.h"
#include "base/text.h"
#include "run/json_lines.h"
#include "run/run_folder.h"

#include <jansson.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put_time(json_t *object)
{
    char date[32];
    date_now(date);
    json_object_set_new(object, "time", json_string(date));
}

static bool append(const char *folder, json_t *object, enum json_lines_writers writers, struct error *error)
{
    return json_lines_append(folder, RUN_METRICS_NAME, object, writers, error);
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
    char left[DURATION_TEXT_SIZE];
    double seconds_left = metric_get(&line->values, line->set, METRIC_SECONDS_LEFT);
    log_info("step %" PRIu64 "/%" PRIu64 "%s  left %s", line->step, num_steps, text, duration_text(left, seconds_left));
}
