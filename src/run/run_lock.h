/* One job at a time on a run's folder: RUN/train/lock names the job that has it (base/io/folder_lock.h). */
#ifndef DRUMLINE_RUN_RUN_LOCK_H
#define DRUMLINE_RUN_RUN_LOCK_H

#include "base/io/folder_lock.h"

struct run_lock {
    struct folder_lock folder; /* must stay where it is while it is held */
};

/* Takes the lock of `folder`, which must be there, and renews it until it is released. Fails where another job has it, saying
 * which, or where that can't be found out. */
bool run_lock_take(struct run_lock *lock, const char *folder, struct error *error);

/* False where another job has taken the lock over, or it stays gone or unreadable for a tenth of a second; the error says
 * which. To be asked before each write into the run's folder. */
bool run_lock_held(const struct run_lock *lock, struct error *error);

/* For another rank of the holder's job, which may then ask run_lock_held; `token` is the holder's. Freed by run_lock_forget. */
void run_lock_follow(struct run_lock *lock, const char *folder, const char token[PROCESS_TOKEN_SIZE]);
void run_lock_forget(struct run_lock *lock);

/* Stops renewing, so that a job on another host can take the run over; for a thread that finds this one hung. */
void run_lock_abandon(struct run_lock *lock);

/* Gives it back, if it is still ours, and frees. */
void run_lock_release(struct run_lock *lock);

/* What somebody who does not want the lock sees of it. Nothing is written. */
void run_lock_look(struct folder_lock_view *view, const char *folder);

#endif
