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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put_number(json_t *object, const char *key, double value)
{
    if (isfinite(value))
        json_object_set_new(object, key, json_real(value));
}

static void put_time(json_t *object)
{
    char date[32];
    date_now(date);
    json_object_set_new(object, "time", json_string(date));
}

/* Half a line, where the disk is full, is taken back: readers would choke on it. */
static bool append_line(const char *path, const char *line, struct error *error)
{
    size_t size = strlen(line);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0)
        return error_set_errno(error, errno, "%s: can't write", path);
    off_t before = lseek(file, 0, SEEK_END);
    ssize_t written = write(file, line, size);
    int reason = written < 0 ? errno : ENOSPC;
    bool ok = written == (ssize_t)size;
    if (!ok && written > 0 && before >= 0 && ftruncate(file, before) != 0)
        reason = errno;
    close(file);
    return ok || error_set_errno(error, reason, "%s: can't write", path);
}

static bool append(const char *folder, json_t *object, struct error *error)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
    char *line = text ? format_text("%s\n", text) : NULL, *path = path_join(folder, RUN_METRICS_NAME);
    bool ok = line || error_set(error, "%s: out of memory", path);
    json_decref(object);
    ok = ok && folder_make(folder, error) && append_line(path, line, error);
    free(text);
    free(line);
    free(path);
    return ok;
}

bool metrics_append(const char *folder, const struct metrics_line *line, struct error *error)
{
    json_t *object = json_object();
    json_object_set_new(object, "step", json_integer((json_int_t)line->step));
    put_time(object);
    put_number(object, "total_loss", line->losses.total);
    put_number(object, "hits_loss", line->losses.hits);
    put_number(object, "velocities_loss", line->losses.velocities);
    put_number(object, "offsets_loss", line->losses.offsets);
    put_number(object, "kl_bits", line->losses.kl_bits);
    put_number(object, "hits_f1", line->losses.hits_f1);
    put_number(object, "beta", line->beta);
    if (line->training) {
        put_number(object, "learning_rate", line->learning_rate);
        put_number(object, "global_norm", line->global_norm);
        put_number(object, "windows_per_second", line->windows_per_second);
        put_number(object, "seconds_per_step", line->seconds_per_step);
        put_number(object, "wait_share", line->wait_share);
        put_number(object, "seconds_left", line->seconds_left);
        json_object_set_new(object, "epoch", json_integer((json_int_t)line->epoch));
        json_object_set_new(object, "skipped", json_integer((json_int_t)line->skipped));
    }
    return append(folder, object, error);
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
    if (event->reason)
        put_text(object, "reason", event->reason);
    else
        put_process(object);
    put_text(object, "message", event->message);
    return append(folder, object, error);
}

void metrics_log(const struct metrics_line *line, uint64_t num_steps)
{
    const struct model_losses *losses = &line->losses;
    if (!line->training) {
        log_info("eval at step %" PRIu64 ": loss %.2f  hits_loss %.2f  velocities_loss %.2f  offsets_loss %.2f  "
                 "KL %.1f bits  hits F1 %.3f",
                 line->step, losses->total, losses->hits, losses->velocities, losses->offsets, losses->kl_bits,
                 losses->hits_f1);
        return;
    }
    long left = isfinite(line->seconds_left) ? (long)line->seconds_left : 0;
    log_info("step %" PRIu64 "/%" PRIu64
             "  loss %.2f  hits %.2f  velocities %.2f  offsets %.2f  KL %.1f bits  beta %.3g  "
             "lr %.3g  norm %.3g  %.1f windows/s  waiting %.0f %%  left %ld:%02ld:%02ld",
             line->step, num_steps, losses->total, losses->hits, losses->velocities, losses->offsets, losses->kl_bits,
             line->beta, line->learning_rate, line->global_norm, line->windows_per_second, 100 * line->wait_share,
             left / 3600, left / 60 % 60, left % 60);
}
