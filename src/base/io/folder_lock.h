/* One job at a time on a folder: a file in it names the job that has the folder, and its age says whether that job still
 * lives. No locks of the file system are relied on, which shared ones may not have.
 *
 * A lock is stale, and is taken over at once, where its process was one that this process could see (the same boot and
 * PID namespace) and is gone, or where it belongs to the same Slurm job before Slurm put it back into its queue (a smaller
 * SLURM_RESTART_COUNT of the same cluster), alive or not; else where it was not renewed for FOLDER_LOCK_STALE_SECONDS. Ages
 * are measured by the clock of the file system alone, which hosts' clocks need not agree with. A lock that is there but
 * can't be read (EACCES, EIO, ESTALE, EMFILE) is somebody's: taking it fails.
 *
 * A thread of the holder renews the lock every FOLDER_LOCK_RENEW_SECONDS from taking to release. It talks no MPI and writes
 * no log.
 *
 * Whoever was taken for dead may still run: on a node without a network, or one whose slurmd has died. So every holder asks
 * `folder_lock_held` before it writes into the folder, and stops where it says no. */
#ifndef DRUMLINE_BASE_IO_FOLDER_LOCK_H
#define DRUMLINE_BASE_IO_FOLDER_LOCK_H

#include "base/error.h"
#include "base/host.h"
#include "base/process.h"

#include <stdatomic.h>

enum { FOLDER_LOCK_STALE_SECONDS = 120, FOLDER_LOCK_RENEW_SECONDS = 10 };

struct ticker;

/* What is locked, in the words of messages. */
struct folder_lock_kind {
    const char *name; /* of the lock's file: "lock" */
    const char *noun; /* "run" */
    const char *flag; /* that names another folder: "--run_dir" */
};

/* The clock that taking and asking wait by, and the time between two renewals. Tests have their own. */
struct folder_lock_clock {
    double (*seconds)(void *context);
    void (*pause)(void *context, double seconds);
    void *context;
    double renew_seconds;
};

/* Must stay where it is while it is held: a thread reads it. */
struct folder_lock {
    char *path;                     /* owned; NULL where nothing is held */
    char token[PROCESS_TOKEN_SIZE]; /* what makes this holder different from all others */
    const struct folder_lock_kind *kind;
    struct folder_lock_clock clock;
    struct ticker *renewal;
    atomic_bool abandoned; /* not renewed any more */
};

/* Takes the lock of `folder`, which must be there, and starts to renew it. `clock`: NULL for the system's. Fails where
 * another job has it, saying which, or where that can't be found out. */
bool folder_lock_take(struct folder_lock *lock, const char *folder, const struct folder_lock_kind *kind,
                      const struct folder_lock_clock *clock, struct error *error);

/* For another process of the holder's job, which may then ask whether the lock is held: it has the holder's token, renews
 * nothing, and is freed by folder_lock_forget. */
void folder_lock_follow(struct folder_lock *lock, const char *folder, const struct folder_lock_kind *kind,
                        const char token[PROCESS_TOKEN_SIZE]);
void folder_lock_forget(struct folder_lock *lock);

/* False where another job has taken the lock over, or it stays gone or unreadable for a tenth of a second; the error says
 * which. */
bool folder_lock_held(const struct folder_lock *lock, struct error *error);

/* Stops renewing, so that another host can take the folder over; for a thread that finds the job hung. Waits for nothing. */
void folder_lock_abandon(struct folder_lock *lock);

/* Ends the thread, gives the lock back if it is still ours, and frees. */
void folder_lock_release(struct folder_lock *lock);

/* What somebody who does not want the lock sees of it. Nothing is written, so ages are by this host's clock. */
enum folder_lock_state { FOLDER_LOCK_FREE, FOLDER_LOCK_HELD, FOLDER_LOCK_STALE };
struct folder_lock_view {
    enum folder_lock_state state;
    char host[HOST_NAME_SIZE], slurm_job[64]; /* of the holder; "" where unknown, or outside Slurm */
    long pid;
    double age; /* seconds since it was last renewed */
};
void folder_lock_look(struct folder_lock_view *view, const char *folder, const struct folder_lock_kind *kind);

#endif
