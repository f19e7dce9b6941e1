#include "programs/train/watchdog.h"

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/io/files.h"
#include "base/text.h"
#include "base/ticker.h"
#include "dist/progress.h"
#include "programs/train/options.h"
#include "run/metrics.h"
#include "run/run_folder.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const double warning_share = 1.0 / 5;                /* of stall_seconds */
static const double silent_share = 1.0 / 10;                /* without a beat: the process is stopped */
static const double shortest_look = 0.01, longest_look = 1; /* seconds between two looks */
static const double grace = 3;                              /* seconds that writing the end of a run may take */

static const char stall_format[] = "%s: error: no progress for %.0f s (--stall_seconds), so the job ends: ";
static const char *const phase_names[NUM_WATCH_PHASES] = {
    "opening the run", "reading the checkpoint", "reading the data set", "making the model", "training",
    "evaluating",      "writing a checkpoint",   "writing metrics",      "ending",
};

/* Of a rank that has found the job stalled: whether it has also said so for its node. */
enum { ENDING = 1, ENDING_AND_SAID };

/* What was last seen of a rank of the node, and for how long that has been so. */
struct sight {
    unsigned long long done, beats;
    double idle, silent; /* seconds */
};

struct watchdog {
    struct comm *comm; /* not owned; its names and numbers alone are for the thread */
    struct ticker *ticker;
    double waited; /* seconds without having seen others */
    double stall_seconds, interval;
    unsigned long long io;      /* of this process, at the last look */
    unsigned long long printed; /* bytes, by this thread, which are no progress */
    double last_look;           /* clock_seconds */
    bool has_warned;
    bool ending;
    double ends_at; /* clock_seconds */

    /* The thread may use the next two once sees_others is set. */
    atomic_bool sees_others;
    struct progress *progress;
    struct sight *sights; /* [progress_num_places] */

    /* From watchdog_guard on. */
    _Atomic(struct run_lock *) lock; /* rank 0's; else `followed` */
    struct run_lock followed;
    const char *folder;
    uint64_t num_steps;
    struct ticker *writer;
    char message[1024];
    atomic_bool is_written;
};

/* A number of a file of /proc behind its key; 0 where it can't be read. */
static unsigned long long read_count(const char *path, const char *key)
{
    char text[512];
    size_t size = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    int reason = descriptor_read(&size, file, text, sizeof text - 1);
    close(file);
    text[reason == 0 ? size : 0] = '\0';
    const char *found = strstr(text, key);
    return found ? strtoull(found + strlen(key), NULL, 10) : 0;
}

/* Bytes that the main thread has read, and the whole process written: the lock's thread reads, but writes none. */
static unsigned long long count_io(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%ld/io", (long)getpid());
    return read_count(path, "rchar: ") + read_count("/proc/self/io", "wchar: ");
}

static struct progress_sign *own_sign(struct watchdog *watchdog)
{
    return progress_sign_at(watchdog->progress, progress_own_place(watchdog->progress));
}

/* Counts reading and writing as work done, and this look as a sign of life. */
static void show_life(struct watchdog *watchdog)
{
    struct progress_sign *own = own_sign(watchdog);
    unsigned long long io = count_io() - watchdog->printed;
    if (io != watchdog->io && !atomic_load(&own->is_waiting))
        atomic_fetch_add(&own->done, 1);
    watchdog->io = io;
    atomic_fetch_add(&own->beats, 1);
}

/* At most the time of two looks goes by between two: more, and this process was stopped itself. */
static double time_since_last_look(struct watchdog *watchdog)
{
    double now = clock_seconds(), seconds = now - watchdog->last_look;
    watchdog->last_look = now;
    return fmin(seconds, 2 * watchdog->interval);
}

static void look_at_all(struct watchdog *watchdog, double seconds)
{
    for (int i = 0; i < progress_num_places(watchdog->progress); i++) {
        struct progress_sign *sign = progress_sign_at(watchdog->progress, i);
        struct sight *sight = &watchdog->sights[i];
        unsigned long long done = atomic_load(&sign->done), beats = atomic_load(&sign->beats);
        sight->idle = done == sight->done ? sight->idle + seconds : 0;
        sight->silent = beats == sight->beats ? sight->silent + seconds : 0;
        sight->done = done;
        sight->beats = beats;
    }
}

/* Seconds since any rank of the node has done something. */
static double idle_seconds(const struct watchdog *watchdog)
{
    double idle = INFINITY;
    for (int i = 0; i < progress_num_places(watchdog->progress); i++)
        idle = fmin(idle, watchdog->sights[i].idle);
    return idle;
}

static bool is_silent(const struct watchdog *watchdog, int place)
{
    return watchdog->sights[place].silent > silent_share * watchdog->stall_seconds;
}

/* One rank of the node speaks for it: the first that is alive. */
static bool is_speaker(const struct watchdog *watchdog)
{
    int own = progress_own_place(watchdog->progress);
    for (int i = 0; i < own; i++)
        if (!is_silent(watchdog, i))
            return false;
    return true;
}

static void append(char *text, size_t size, const char *more)
{
    size_t length = strlen(text);
    snprintf(text + length, size - length, "%s%s", length > 0 ? "; " : "", more);
}

/* Who of this node is waited for, and at what. */
static void describe(struct watchdog *watchdog, char *text, size_t size)
{
    const char *host = comm_host(watchdog->comm);
    int num_places = progress_num_places(watchdog->progress);
    text[0] = '\0';
    for (int i = 0; i < num_places; i++) {
        char one[256];
        struct progress_sign *sign = progress_sign_at(watchdog->progress, i);
        int rank = atomic_load(&sign->rank), phase = atomic_load(&sign->phase);
        const char *name = phase >= 0 && phase < NUM_WATCH_PHASES ? phase_names[phase] : "?";
        unsigned long long step = atomic_load(&sign->step);
        bool silent = is_silent(watchdog, i);
        if (!silent && atomic_load(&sign->is_waiting))
            continue;
        snprintf(one, sizeof one, "rank %d (%.64s) %s while %s at step %llu", rank, host,
                 silent ? "shows no sign of life (is its process stopped?)" : "hangs", name, step);
        append(text, size, one);
    }
    if (text[0] == '\0')
        snprintf(text, size, "all %d rank%s on %.64s wait for ranks on other hosts", num_places, PLURAL(num_places),
                 host);
}

/* By itself, for the log belongs to the main thread. */
static void print_line(struct watchdog *watchdog, const char *format, double seconds, const char *text)
{
    char line[1280], beginning[128];
    snprintf(beginning, sizeof beginning, format, train_program.name, seconds);
    int length = snprintf(line, sizeof line, "%s%s\n", beginning, text);
    if (length > 0 && (size_t)length < sizeof line && descriptor_write(STDERR_FILENO, line, (size_t)length) == 0)
        watchdog->printed += (unsigned long long)length;
}

static void warn(struct watchdog *watchdog)
{
    char text[1024];
    describe(watchdog, text, sizeof text);
    print_line(watchdog, "%s: warning: no progress for %.0f s: ", idle_seconds(watchdog), text);
}

/* Whether the last line of the metrics is such an end: another host's rank may have been quicker. */
static bool is_written_already(const char *folder)
{
    char tail[2048], *path = path_join(folder, RUN_METRICS_NAME);
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    off_t size = file < 0 ? -1 : lseek(file, 0, SEEK_END);
    off_t from = size > (off_t)sizeof tail - 1 ? size - ((off_t)sizeof tail - 1) : 0;
    ssize_t count = size < 0 ? -1 : pread(file, tail, sizeof tail - 1, from);
    if (file >= 0)
        close(file);
    free(path);
    if (count <= 0)
        return false;
    tail[count] = '\0';
    tail[tail[count - 1] == '\n' ? count - 1 : count] = '\0';
    const char *line = strrchr(tail, '\n');
    return strstr(line ? line : tail, "\"reason\":\"" METRICS_STALLED "\"") != NULL;
}

/* On a thread of its own, for the disk may be what hangs. */
static bool write_end(void *context)
{
    struct watchdog *watchdog = context;
    struct run_lock *lock = atomic_load(&watchdog->lock);
    struct error error;
    struct metrics_event event = {
        .event = "end",
        .step = atomic_load(&own_sign(watchdog)->step),
        .num_steps = watchdog->num_steps,
        .num_ranks = comm_size(watchdog->comm),
        .reason = METRICS_STALLED,
        .message = watchdog->message,
    };
    run_lock_abandon(lock);
    if (run_lock_held(lock, &error) && !is_written_already(watchdog->folder))
        metrics_append_event(watchdog->folder, &event, &error);
    atomic_store(&watchdog->is_written, true);
    return false;
}

static bool is_rank_0_of_node_silent(struct watchdog *watchdog)
{
    return atomic_load(&progress_sign_at(watchdog->progress, 0)->rank) == 0 && is_silent(watchdog, 0);
}

static void begin_writing(struct watchdog *watchdog)
{
    struct error error;
    if (atomic_load(&watchdog->lock) && !watchdog->writer)
        watchdog->writer = ticker_start(0, write_end, watchdog, &error);
}

/* The speaker of each node says why; rank 0 writes it, or else one that sees that it can't, or that it did not in time. */
static void begin_end(struct watchdog *watchdog, bool speaks)
{
    describe(watchdog, watchdog->message, sizeof watchdog->message);
    atomic_store(&own_sign(watchdog)->ending, speaks ? ENDING_AND_SAID : ENDING);
    if (speaks)
        print_line(watchdog, stall_format, idle_seconds(watchdog), watchdog->message);
    watchdog->ending = true;
    watchdog->ends_at = clock_seconds() + grace;
    if (comm_rank(watchdog->comm) == 0 || (speaks && is_rank_0_of_node_silent(watchdog)))
        begin_writing(watchdog);
}

/* Twice the grace for a speaker on another host than rank 0's. */
static void go_on_ending(struct watchdog *watchdog)
{
    bool is_over = clock_seconds() >= watchdog->ends_at;
    if (is_over && !watchdog->writer && atomic_load(&own_sign(watchdog)->ending) == ENDING_AND_SAID) {
        begin_writing(watchdog);
        watchdog->ends_at += grace;
        is_over = !watchdog->writer;
    }
    if (is_over || atomic_load(&watchdog->is_written))
        _exit(EXIT_FAILURE);
}

/* How far the other ranks of the node have come with ending. */
static int others_ending(const struct watchdog *watchdog)
{
    int own = progress_own_place(watchdog->progress), most = 0;
    for (int i = 0; i < progress_num_places(watchdog->progress); i++) {
        int ending = i == own ? 0 : atomic_load(&progress_sign_at(watchdog->progress, i)->ending);
        most = ending > most ? ending : most;
    }
    return most;
}

/* Before the ranks see one another: one of them may never come. */
static void look_at_start(struct watchdog *watchdog)
{
    char text[256];
    watchdog->waited += time_since_last_look(watchdog);
    if (watchdog->waited < watchdog->stall_seconds)
        return;
    snprintf(text, sizeof text, "rank %d (%.64s) waits for other ranks before the run is opened",
             comm_rank(watchdog->comm), comm_host(watchdog->comm));
    print_line(watchdog, stall_format, watchdog->waited, text);
    _exit(EXIT_FAILURE);
}

static bool look(void *context)
{
    struct watchdog *watchdog = context;
    if (!atomic_load(&watchdog->sees_others)) {
        look_at_start(watchdog);
        return true;
    }
    show_life(watchdog);
    look_at_all(watchdog, time_since_last_look(watchdog));
    double idle = idle_seconds(watchdog);
    if (watchdog->ending) {
        go_on_ending(watchdog);
        return true;
    }
    int others = others_ending(watchdog);
    if (idle >= watchdog->stall_seconds || others > 0) {
        begin_end(watchdog, others < ENDING_AND_SAID && is_speaker(watchdog));
    } else if (idle < warning_share * watchdog->stall_seconds) {
        watchdog->has_warned = false;
    } else if (!watchdog->has_warned && is_speaker(watchdog)) {
        warn(watchdog);
        watchdog->has_warned = true;
    }
    return true;
}

/* This rank's thread, which sees no others yet; NULL and the error set where there is no memory. */
static struct watchdog *begin(struct comm *comm, double stall_seconds, struct error *error)
{
    struct watchdog *watchdog = calloc(1, sizeof *watchdog);
    if (!watchdog) {
        error_set_no_memory(error, "no memory to watch for a stall");
        return NULL;
    }
    *watchdog = (struct watchdog){
        .comm = comm,
        .stall_seconds = stall_seconds,
        .interval = fmax(shortest_look, fmin(longest_look, stall_seconds / 50)),
        .last_look = clock_seconds(),
    };
    watchdog->ticker = ticker_start(watchdog->interval, look, watchdog, error);
    if (watchdog->ticker)
        return watchdog;
    free(watchdog);
    return NULL;
}

bool watchdog_start(struct watchdog **watchdog, struct comm *comm, double stall_seconds, struct error *error)
{
    *watchdog = NULL;
    if (!(stall_seconds > 0))
        return true;
    struct watchdog *made = begin(comm, stall_seconds, error);
    bool ok = comm_all_ok(comm, made != NULL, error);
    if (ok) {
        made->progress = progress_open(comm, error);
        ok = made->progress != NULL;
    }
    if (ok) {
        made->sights = calloc((size_t)progress_num_places(made->progress), sizeof *made->sights);
        ok = made->sights || error_set_no_memory(error, "no memory to watch for a stall");
        ok = comm_all_ok(comm, ok, error);
    }
    if (!ok) {
        watchdog_stop(made);
        return false;
    }
    atomic_store(&made->sees_others, true);
    *watchdog = made;
    return true;
}

void watchdog_guard(struct watchdog *watchdog, struct run_lock *lock, const char *folder, uint64_t num_steps)
{
    char token[PROCESS_TOKEN_SIZE];
    if (!watchdog)
        return;
    bool is_first = comm_rank(watchdog->comm) == 0;
    if (is_first)
        memcpy(token, lock->folder.token, sizeof token);
    comm_broadcast(watchdog->comm, token, sizeof token, 0);
    if (!is_first)
        run_lock_follow(&watchdog->followed, folder, token);
    watchdog->folder = folder;
    watchdog->num_steps = num_steps;
    atomic_store(&watchdog->lock, is_first ? lock : &watchdog->followed);
}

void watchdog_phase(struct watchdog *watchdog, enum watch_phase phase, uint64_t step)
{
    if (!watchdog)
        return;
    struct progress_sign *own = own_sign(watchdog);
    atomic_store(&own->phase, (int)phase);
    atomic_store(&own->step, step);
    atomic_fetch_add(&own->done, 1);
}

void watchdog_done(struct watchdog *watchdog)
{
    if (watchdog)
        atomic_fetch_add(&own_sign(watchdog)->done, 1);
}

void watchdog_stop(struct watchdog *watchdog)
{
    if (!watchdog)
        return;
    ticker_stop(watchdog->ticker);
    ticker_stop(watchdog->writer);
    progress_close(watchdog->progress);
    run_lock_forget(&watchdog->followed);
    free(watchdog->sights);
    free(watchdog);
}
