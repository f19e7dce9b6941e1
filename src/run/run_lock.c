#include "run/run_lock.h"

#include "base/clock.h"
#include "base/host.h"
#include "base/io/atomic_file.h"
#include "base/io/files.h"
#include "base/log.h"
#include "base/text.h"

#include <jansson.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_MAX_BYTES = 4096, TAKE_SECONDS = 2 * RUN_LOCK_RENEW_SECONDS, PAUSE_MILLISECONDS = 5, LOOKS = 20 };

/* The first word of a file of /proc, or "" where there is none. */
static void read_word(char *word, size_t size, const char *path)
{
    word[0] = '\0';
    FILE *file = fopen(path, "r");
    if (!file)
        return;
    if (fgets(word, (int)size, file))
        word[strcspn(word, "\n")] = '\0';
    fclose(file);
}

/* When a process started, in clock ticks since boot: with its number it names the process for good. 0: no such process. */
static unsigned long long process_start(long pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    read_word(text, sizeof text, path);
    char *after_name = strrchr(text, ')');
    unsigned long long start = 0;
    char state = 'Z';
    if (!after_name || sscanf(after_name + 1, " %c", &state) != 1 || state == 'Z')
        return 0;
    const char *field = after_name + 1;
    for (int i = 0; i < 19 && field; i++) /* field 22 of proc(5), the third being the first after the name */
        field = strchr(field + 1, ' ');
    if (field)
        sscanf(field, " %llu", &start);
    return start;
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

static const char *slurm_job(void)
{
    return environment("SLURM_JOB_ID");
}

/* How often Slurm has put the job back into its queue: "" for never. */
static const char *slurm_restarts(void)
{
    return environment("SLURM_RESTART_COUNT");
}

static long count_of(const char *restarts)
{
    return strtol(restarts, NULL, 10);
}

/* Names the space in which process numbers mean something: containers of one host may have spaces of their own. */
static void read_process_space(char *text, size_t size)
{
    ssize_t length = readlink("/proc/self/ns/pid", text, size - 1);
    text[length > 0 ? length : 0] = '\0';
}

/* What this job writes into its lock. Owned by the caller. */
static char *describe(const char *token)
{
    char host[HOST_NAME_SIZE], boot[64], space[64];
    host_name(host);
    read_word(boot, sizeof boot, "/proc/sys/kernel/random/boot_id");
    read_process_space(space, sizeof space);
    json_t *object = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:s}", "host", host, "boot", boot, "process_space",
                               space, "pid", (json_int_t)getpid(), "start", (json_int_t)process_start(getpid()),
                               "slurm_job", slurm_job(), "slurm_restarts", slurm_restarts(), "token", token);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

/* Makes the file `path` with all of `text` in it, so that a taker which is killed leaves no lock without a name in it. On
 * failure `lost` tells that the file was written, but not given its name: another taker has that or has had it. */
static bool write_new(const char *path, const char *text, bool *lost, struct error *error)
{
    struct atomic_file file;
    *lost = false;
    if (!atomic_file_start(&file, path, error))
        return false;
    bool written = file_write(file.temporary_path, path, text, strlen(text), error);
    if (written && atomic_file_name_new(&file, path, error))
        return true;
    *lost = written;
    atomic_file_abandon(&file);
    return false;
}

static json_t *read_lock(const char *path)
{
    uint8_t *bytes;
    size_t size;
    struct error error;
    if (!file_read(&bytes, &size, path, LOCK_MAX_BYTES, &error))
        return NULL;
    json_t *object = json_loadb((const char *)bytes, size, 0, NULL);
    free(bytes);
    return object;
}

static void pause_shortly(void)
{
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_MILLISECONDS * 1000000L}, NULL);
}

/* Where another takes the run over, there is no lock for a moment. */
static json_t *read_held_lock(const char *path)
{
    json_t *object = read_lock(path);
    for (int i = 0; i < LOOKS && !object; i++) {
        pause_shortly();
        object = read_lock(path);
    }
    return object;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* Asks a clock for the time; `path` is the file whose age is wanted. */
typedef time_t clock_fn(const char *path);

static time_t host_now(const char *path)
{
    (void)path;
    return time(NULL);
}

/* Now by the clock that dates the files beside `path`: a file server's may be minutes away from this host's. */
static time_t file_system_now(const char *path)
{
    struct atomic_file probe;
    struct error error;
    struct stat status;
    time_t now = time(NULL);
    if (!atomic_file_start(&probe, path, &error))
        return now;
    int file = open(probe.temporary_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file >= 0) {
        if (fstat(file, &status) == 0)
            now = status.st_mtime;
        close(file);
    }
    atomic_file_abandon(&probe);
    return now;
}

static double age_of(const char *path, clock_fn *now)
{
    struct stat status;
    return stat(path, &status) == 0 ? difftime(now(path), status.st_mtime) : 0;
}

/* True where the process that `object` names is one that this process could see. */
static bool is_neighbour(const json_t *object)
{
    char boot[64], space[64];
    read_word(boot, sizeof boot, "/proc/sys/kernel/random/boot_id");
    read_process_space(space, sizeof space);
    return boot[0] && space[0] && strcmp(text_of(object, "boot"), boot) == 0 &&
           strcmp(text_of(object, "process_space"), space) == 0;
}

/* True where `object` names a start of this very Slurm job that Slurm has given up for this one. */
static bool is_former_start(const json_t *object)
{
    const char *job = text_of(object, "slurm_job");
    return job[0] && strcmp(job, slurm_job()) == 0 &&
           count_of(text_of(object, "slurm_restarts")) < count_of(slurm_restarts());
}

/* True where the job that `object` names can't be alive any more, or must not write any more. */
static bool left_over(const json_t *object, const char *path, clock_fn *now)
{
    if (is_former_start(object))
        return true;
    if (is_neighbour(object)) {
        long pid = (long)json_integer_value(json_object_get(object, "pid"));
        unsigned long long start = (unsigned long long)json_integer_value(json_object_get(object, "start"));
        return pid <= 0 || process_start(pid) != start;
    }
    return age_of(path, now) > RUN_LOCK_STALE_SECONDS;
}

static bool refuse(const json_t *object, const char *path, struct error *error)
{
    const char *job = text_of(object, "slurm_job"), *host = text_of(object, "host");
    if (!json_is_integer(json_object_get(object, "pid")))
        return error_set(
            error,
            "%s: does not tell by whom the run is in use: a job is just writing it, or it is damaged; it is "
            "taken to be left over %d s after its last change",
            path, object ? RUN_LOCK_STALE_SECONDS : RUN_LOCK_RENEW_SECONDS);
    return error_set(error,
                     "%s: the run is in use by process %ld on %s%s%s; wait for it to end, or give another --run_dir "
                     "(a job that died on another host is taken to be gone %d s after its last sign of life)",
                     path, (long)json_integer_value(json_object_get(object, "pid")), host[0] ? host : "an unknown host",
                     job[0] ? ", Slurm job " : "", job, RUN_LOCK_STALE_SECONDS);
}

/* A lock without sense may be one that is just being written, where the file system has no hard links. */
static bool is_over(const json_t *object, const char *path, clock_fn *now)
{
    return object ? left_over(object, path, now) : age_of(path, now) > RUN_LOCK_RENEW_SECONDS;
}

/* Of several takers, only the one that makes the guard may remove the lock, and it looks again before: another may have
 * removed the left-over one and made its own since. False where another has the guard. */
static bool remove_left_over(const char *path)
{
    char *guard = format_text("%s.takeover", path);
    if (age_of(guard, file_system_now) > RUN_LOCK_RENEW_SECONDS)
        unlink(guard);
    int file = open(guard, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file >= 0) {
        close(file);
        json_t *object = read_lock(path);
        if (is_over(object, path, file_system_now)) {
            log_debug_here("%s: left over from a job that is gone", path);
            unlink(path);
        }
        json_decref(object);
        unlink(guard);
    }
    free(guard);
    return file >= 0;
}

/* Makes the file `path` with `text` in it, once what a dead job has left there is gone. A taker that was killed has left its
 * guard, too, which goes after RUN_LOCK_RENEW_SECONDS. */
static bool take(const char *path, const char *text, struct error *error)
{
    for (double end = clock_seconds() + TAKE_SECONDS; clock_seconds() < end;) {
        bool lost;
        if (write_new(path, text, &lost, error))
            return true;
        if (!lost)
            return false;
        json_t *object = read_lock(path);
        bool over = is_over(object, path, file_system_now), is_there = file_exists(path);
        if (!is_there || (over && !remove_left_over(path)))
            pause_shortly();
        else if (!over)
            refuse(object, path, error);
        json_decref(object);
        if (!over && is_there)
            return false;
    }
    return file_exists(path) &&
           error_set(error, "%s: several jobs are taking this run at the same moment; start one of them again", path);
}

bool run_lock_take(struct run_lock *lock, const char *folder, struct error *error)
{
    char host[HOST_NAME_SIZE];
    host_name(host);
    snprintf(lock->token, sizeof lock->token, "%.40s-%ld-%lld", host, (long)getpid(), (long long)time(NULL));
    char *text = describe(lock->token);
    lock->path = path_join(folder, "lock");
    lock->renewed = clock_seconds();
    bool taken = text ? take(lock->path, text, error) : error_set(error, "%s: out of memory", lock->path);
    free(text);
    if (!taken) {
        free(lock->path);
        lock->path = NULL;
    }
    return taken;
}

void run_lock_renew(struct run_lock *lock)
{
    double now = clock_seconds();
    if (!lock->path || now - lock->renewed < RUN_LOCK_RENEW_SECONDS)
        return;
    lock->renewed = now;
    struct error error;
    if (run_lock_held(lock, &error))
        utimensat(AT_FDCWD, lock->path, NULL, 0);
}

bool run_lock_held(const struct run_lock *lock, struct error *error)
{
    json_t *object = read_held_lock(lock->path);
    bool held = object && strcmp(text_of(object, "token"), lock->token) == 0;
    if (!held && object) {
        const char *job = text_of(object, "slurm_job"), *restarts = text_of(object, "slurm_restarts");
        error_set(error, "%s: this run was taken over by process %ld on %s%s%s%s%s; this job stops without writing",
                  lock->path, (long)json_integer_value(json_object_get(object, "pid")), text_of(object, "host"),
                  job[0] ? ", Slurm job " : "", job, job[0] && restarts[0] ? ", restart " : "", job[0] ? restarts : "");
    } else if (!held) {
        error_set(error,
                  "%s: is gone or can't be read, so another job may have this run; this one stops without writing",
                  lock->path);
    }
    json_decref(object);
    return held;
}

void run_lock_release(struct run_lock *lock)
{
    struct error error;
    if (lock->path && run_lock_held(lock, &error))
        unlink(lock->path);
    free(lock->path);
    lock->path = NULL;
}

void run_lock_look(struct run_lock_view *view, const char *folder)
{
    char *path = path_join(folder, "lock");
    json_t *object = read_lock(path);
    *view = (struct run_lock_view){.state = RUN_LOCK_FREE};
    if (file_exists(path)) {
        view->state = is_over(object, path, host_now) ? RUN_LOCK_LEFT_OVER : RUN_LOCK_HELD;
        view->pid = (long)json_integer_value(json_object_get(object, "pid"));
        view->age = fmax(0, age_of(path, host_now));
        snprintf(view->host, sizeof view->host, "%s", text_of(object, "host"));
        snprintf(view->slurm_job, sizeof view->slurm_job, "%s", text_of(object, "slurm_job"));
    }
    json_decref(object);
    free(path);
}
