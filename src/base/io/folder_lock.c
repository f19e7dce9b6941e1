#include "base/io/folder_lock.h"

#include "base/clock.h"
#include "base/io/atomic_file.h"
#include "base/io/files.h"
#include "base/log.h"
#include "base/text.h"
#include "base/ticker.h"

#include <jansson.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_BYTES = 4096, TAKE_SECONDS = 2 * FOLDER_LOCK_RENEW_SECONDS, TRIES = 20 };
static const double pause_seconds = 0.005;

/* --- what a lock's file says --- */

enum content {
    CONTENT_MISSING,
    CONTENT_UNREADABLE, /* `reason` says why; somebody's */
    CONTENT_INVALID,    /* damaged, or just being written where the file system has no hard links */
    CONTENT_READ,
};

struct reading {
    enum content content;
    int reason;     /* errno's number */
    json_t *object; /* owned; NULL unless CONTENT_READ */
};

static ssize_t read_bytes(char *bytes, size_t size, int file)
{
    size_t done = 0;
    for (;;) {
        ssize_t count = read(file, bytes + done, size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? -1 : (ssize_t)done;
        done += (size_t)count;
    }
}

static struct reading read_once(const char *path)
{
    char bytes[MAX_BYTES];
    struct stat status;
    /* Whatever lies there instead of a file, such as a FIFO, must not make us wait. */
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    bool is_missing = file < 0 && (errno == ENOENT || errno == ENOTDIR);
    if (file < 0)
        return (struct reading){.content = is_missing ? CONTENT_MISSING : CONTENT_UNREADABLE, .reason = errno};
    ssize_t size = -1;
    int reason = EINVAL;
    if (fstat(file, &status) != 0 || (S_ISREG(status.st_mode) && (size = read_bytes(bytes, sizeof bytes, file)) < 0))
        reason = errno;
    close(file);
    if (size < 0)
        return (struct reading){.content = CONTENT_UNREADABLE, .reason = reason};
    errno = 0;
    json_t *object = json_loadb(bytes, (size_t)size, 0, NULL);
    if (!object && errno == ENOMEM)
        return (struct reading){.content = CONTENT_UNREADABLE, .reason = errno};
    if (!json_is_object(object)) {
        json_decref(object);
        return (struct reading){.content = CONTENT_INVALID};
    }
    return (struct reading){.content = CONTENT_READ, .object = object};
}

/* A file server says ESTALE of a file that was replaced a moment ago. */
static struct reading read_lock(const char *path, const struct folder_lock_clock *clock)
{
    struct reading reading = read_once(path);
    for (int i = 0; i < TRIES && reading.content == CONTENT_UNREADABLE && reading.reason == ESTALE; i++) {
        clock->pause(clock->context, pause_seconds);
        reading = read_once(path);
    }
    return reading;
}

/* Where another job takes the folder over, there is no lock for a moment. */
static struct reading read_held_lock(const char *path, const struct folder_lock_clock *clock)
{
    struct reading reading = read_once(path);
    for (int i = 0; i < TRIES && reading.content != CONTENT_READ; i++) {
        clock->pause(clock->context, pause_seconds);
        reading = read_once(path);
    }
    return reading;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static long pid_of(const json_t *object)
{
    return (long)json_integer_value(json_object_get(object, "pid"));
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

/* The lock's text for this job, owned by the caller; NULL without memory. */
static char *describe(const char *token)
{
    struct process self;
    process_describe_self(&self);
    json_t *object = json_pack("{s:s, s:s, s:s, s:I, s:I}", "host", self.host, "boot", self.boot, "process_space",
                               self.space, "pid", (json_int_t)self.pid, "start", (json_int_t)self.start);
    static const char *const of_slurm[][2] = {
        {"slurm_job",      "SLURM_JOB_ID"       },
        {"slurm_restarts", "SLURM_RESTART_COUNT"},
        {"slurm_cluster",  "SLURM_CLUSTER_NAME" }
    };
    for (size_t i = 0; object && i < sizeof of_slurm / sizeof *of_slurm; i++)
        json_object_set_new(object, of_slurm[i][0], json_string(environment(of_slurm[i][1])));
    if (object)
        json_object_set_new(object, "token", json_string(token));
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

/* --- how old it is --- */

/* Asks a clock for the time; `path` is the file whose age is wanted. */
typedef time_t now_function(const char *path);

static time_t host_now(const char *path)
{
    (void)path;
    return time(NULL);
}

/* 0, that is young, where it can't be looked at. */
static double age_of(const char *path, now_function *now)
{
    struct stat status;
    return stat(path, &status) == 0 ? difftime(now(path), status.st_mtime) : 0;
}

/* --- whether it is stale --- */

static long count_of(const char *restarts)
{
    return strtol(restarts, NULL, 10);
}

/* True where `object` names a start of this very Slurm job that Slurm has given up for this one. Locks of the first version do
 * not name the cluster. */
static bool is_former_start(const json_t *object)
{
    const char *job = text_of(object, "slurm_job"), *cluster = text_of(object, "slurm_cluster");
    return job[0] && strcmp(job, environment("SLURM_JOB_ID")) == 0 &&
           (!cluster[0] || strcmp(cluster, environment("SLURM_CLUSTER_NAME")) == 0) &&
           count_of(text_of(object, "slurm_restarts")) < count_of(environment("SLURM_RESTART_COUNT"));
}

static enum process_state look_at_holder(const json_t *object)
{
    struct process holder = {
        .pid = pid_of(object),
        .start = (unsigned long long)json_integer_value(json_object_get(object, "start")),
    };
    snprintf(holder.boot, sizeof holder.boot, "%s", text_of(object, "boot"));
    snprintf(holder.space, sizeof holder.space, "%s", text_of(object, "process_space"));
    return process_look(&holder);
}

/* True where the job that wrote the lock can't be alive any more, or must not write any more. */
static bool is_stale(const struct reading *reading, const char *path, now_function *now)
{
    if (reading->content == CONTENT_INVALID)
        return age_of(path, now) > FOLDER_LOCK_RENEW_SECONDS;
    if (reading->content != CONTENT_READ)
        return false;
    if (is_former_start(reading->object))
        return true;
    enum process_state state = look_at_holder(reading->object);
    return state == PROCESS_GONE || (state == PROCESS_OUT_OF_SIGHT && age_of(path, now) > FOLDER_LOCK_STALE_SECONDS);
}

/* --- taking it --- */

static bool refuse(const struct folder_lock *lock, const struct reading *reading, struct error *error)
{
    const char *path = lock->path, *noun = lock->kind->noun;
    const char *job = text_of(reading->object, "slurm_job"), *host = text_of(reading->object, "host");
    if (reading->content == CONTENT_UNREADABLE)
        return error_set_errno(error, reading->reason, "%s: another job may have the %s, and who can't be read", path,
                               noun);
    if (!json_is_integer(json_object_get(reading->object, "pid")))
        return error_set(error,
                         "%s: does not say who has the %s: a job is just writing it, or it is damaged; it is taken for "
                         "stale %d s after its last change",
                         path, noun, reading->object ? FOLDER_LOCK_STALE_SECONDS : FOLDER_LOCK_RENEW_SECONDS);
    return error_set(
        error,
        "%s: the %s is in use by process %ld on %s%s%s; wait for it to end, or give another %s (a job that "
        "died on another host is taken to be gone %d s after its last sign of life)",
        path, noun, pid_of(reading->object), host[0] ? host : "an unknown host", job[0] ? ", Slurm job " : "", job,
        lock->kind->flag, FOLDER_LOCK_STALE_SECONDS);
}

/* Makes the lock's file with all of `text` in it, so that a job which is killed meanwhile leaves no lock that names nobody. On
 * failure `lost` says that the file was written, but not given its name: another job has that or has had it. */
static bool write_new(const char *path, const char *text, bool *lost, struct error *error)
{
    struct atomic_file file;
    *lost = false;
    if (!atomic_file_start(&file, path, error))
        return false;
    bool written = atomic_file_put(&file, text, strlen(text), error);
    if (written && atomic_file_name_new(&file, path, error))
        return true;
    /* Gone: another job swept it. An error of the disk is no other job's. */
    *lost = written && (error->number == EEXIST || error->number == ENOENT);
    atomic_file_abandon(&file);
    return false;
}

/* Of several takers, only the one that makes the guard may remove the lock, and it reads it again before: another may have
 * removed the stale one and made its own since. False where another has the guard. */
static bool remove_stale(const struct folder_lock *lock)
{
    char *guard = format_text("%s.takeover", lock->path);
    if (age_of(guard, atomic_file_now) > FOLDER_LOCK_RENEW_SECONDS)
        unlink(guard);
    int file = open(guard, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file >= 0) {
        close(file);
        struct reading reading = read_once(lock->path);
        if (is_stale(&reading, lock->path, atomic_file_now)) {
            log_debug_here("%s: stale: the job that had it is gone", lock->path);
            unlink(lock->path);
        }
        json_decref(reading.object);
        unlink(guard);
    }
    free(guard);
    return file >= 0;
}

/* One look at the lock that is there: false, and the error set, where it is another job's. */
static bool clear_the_way(const struct folder_lock *lock, struct error *error)
{
    struct reading reading = read_lock(lock->path, &lock->clock);
    bool stale = is_stale(&reading, lock->path, atomic_file_now), missing = reading.content == CONTENT_MISSING;
    if (!stale && !missing)
        refuse(lock, &reading, error);
    else if (missing || !remove_stale(lock))
        lock->clock.pause(lock->clock.context, pause_seconds);
    json_decref(reading.object);
    return stale || missing;
}

/* Makes the lock's file once what a dead job has left there is gone. A taker that was killed has left its guard, too, which
 * goes after FOLDER_LOCK_RENEW_SECONDS. */
static bool take(const struct folder_lock *lock, const char *text, struct error *error)
{
    const struct folder_lock_clock *clock = &lock->clock;
    for (double end = clock->seconds(clock->context) + TAKE_SECONDS; clock->seconds(clock->context) < end;) {
        bool lost;
        if (write_new(lock->path, text, &lost, error))
            return true;
        if (!lost || !clear_the_way(lock, error))
            return false;
    }
    return error_set(error, "%s: several jobs are taking the %s at the same moment; start one of them again",
                     lock->path, lock->kind->noun);
}

/* --- holding it --- */

static bool is_ours(const struct folder_lock *lock, const struct reading *reading)
{
    return reading->content == CONTENT_READ && strcmp(text_of(reading->object, "token"), lock->token) == 0;
}

/* On the thread. */
static bool renew(void *context)
{
    struct folder_lock *lock = context;
    if (atomic_load(&lock->abandoned))
        return false;
    struct reading reading = read_once(lock->path);
    if (is_ours(lock, &reading))
        utimensat(AT_FDCWD, lock->path, NULL, 0);
    json_decref(reading.object);
    return true;
}

static double system_seconds(void *context)
{
    (void)context;
    return clock_seconds();
}

static void system_pause(void *context, double seconds)
{
    (void)context;
    double whole = floor(seconds);
    nanosleep(&(struct timespec){.tv_sec = (time_t)whole, .tv_nsec = (long)((seconds - whole) * 1e9)}, NULL);
}

static const struct folder_lock_clock system_clock = {system_seconds, system_pause, NULL, FOLDER_LOCK_RENEW_SECONDS};

bool folder_lock_take(struct folder_lock *lock, const char *folder, const struct folder_lock_kind *kind,
                      const struct folder_lock_clock *clock, struct error *error)
{
    lock->path = path_join(folder, kind->name);
    lock->kind = kind;
    lock->clock = clock ? *clock : system_clock;
    lock->renewal = NULL;
    atomic_init(&lock->abandoned, false);
    process_make_token(lock->token);
    char *text = describe(lock->token);
    bool taken = text ? take(lock, text, error) : error_set(error, "%s: out of memory", lock->path);
    free(text);
    if (taken)
        lock->renewal = ticker_start(lock->clock.renew_seconds, renew, lock, error);
    if (taken && !lock->renewal) {
        error_prefix(error, "%s", lock->path);
        unlink(lock->path);
        taken = false;
    }
    if (!taken) {
        free(lock->path);
        lock->path = NULL;
    }
    return taken;
}

void folder_lock_follow(struct folder_lock *lock, const char *folder, const struct folder_lock_kind *kind,
                        const char token[PROCESS_TOKEN_SIZE])
{
    lock->path = path_join(folder, kind->name);
    lock->kind = kind;
    lock->clock = system_clock;
    lock->renewal = NULL;
    atomic_init(&lock->abandoned, true);
    memcpy(lock->token, token, PROCESS_TOKEN_SIZE);
}

void folder_lock_forget(struct folder_lock *lock)
{
    free(lock->path);
    lock->path = NULL;
}

static bool tell_loss(const struct folder_lock *lock, const struct reading *reading, struct error *error)
{
    const char *job = text_of(reading->object, "slurm_job"), *restarts = text_of(reading->object, "slurm_restarts");
    const char *path = lock->path, *noun = lock->kind->noun;
    if (reading->content == CONTENT_UNREADABLE)
        return error_set_errno(error, reading->reason,
                               "%s: another job may have the %s, and who can't be read; this job stops without writing",
                               path, noun);
    if (reading->content != CONTENT_READ)
        return error_set(error, "%s: is %s, so another job may have the %s; this job stops without writing", path,
                         reading->content == CONTENT_MISSING ? "gone" : "damaged", noun);
    return error_set(error, "%s: this %s was taken over by process %ld on %s%s%s%s%s; this job stops without writing",
                     path, noun, pid_of(reading->object), text_of(reading->object, "host"),
                     job[0] ? ", Slurm job " : "", job, job[0] && restarts[0] ? ", restart " : "",
                     job[0] ? restarts : "");
}

bool folder_lock_held(const struct folder_lock *lock, struct error *error)
{
    struct reading reading = read_held_lock(lock->path, &lock->clock);
    bool held = is_ours(lock, &reading) || tell_loss(lock, &reading, error);
    json_decref(reading.object);
    return held;
}

void folder_lock_abandon(struct folder_lock *lock)
{
    atomic_store(&lock->abandoned, true);
}

void folder_lock_release(struct folder_lock *lock)
{
    struct error error;
    if (!lock->path)
        return;
    ticker_stop(lock->renewal);
    lock->renewal = NULL;
    if (folder_lock_held(lock, &error))
        unlink(lock->path);
    free(lock->path);
    lock->path = NULL;
}

void folder_lock_look(struct folder_lock_view *view, const char *folder, const struct folder_lock_kind *kind)
{
    char *path = path_join(folder, kind->name);
    struct reading reading = read_once(path);
    *view = (struct folder_lock_view){.state = FOLDER_LOCK_FREE};
    if (reading.content != CONTENT_MISSING) {
        view->state = is_stale(&reading, path, host_now) ? FOLDER_LOCK_STALE : FOLDER_LOCK_HELD;
        view->pid = pid_of(reading.object);
        view->age = fmax(0, age_of(path, host_now));
        snprintf(view->host, sizeof view->host, "%s", text_of(reading.object, "host"));
        snprintf(view->slurm_job, sizeof view->slurm_job, "%s", text_of(reading.object, "slurm_job"));
    }
    json_decref(reading.object);
    free(path);
}
