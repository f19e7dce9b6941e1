/* One job at a time on a run's folder. RUN/train/lock names the job that has it, and its age tells whether that job still
 * lives: no locks of the file system are relied on, which shared ones may not have.
 *
 * A lock is left over, and is taken over at once, where its process was one that this process could see (the same boot and
 * space of process numbers) and is gone, or where it belongs to the same Slurm job before Slurm put it back into its queue
 * (a smaller SLURM_RESTART_COUNT), alive or not; else where it was not renewed for RUN_LOCK_STALE_SECONDS. Ages are
 * measured by the clock of the file system alone, which hosts' clocks need not agree with.
 *
 * Whoever was taken for dead may still run: on a node without a network, or one whose slurmd has died. So every holder asks
 * `run_lock_held` before it writes into the run's folder, and stops where it says no. */
#ifndef DRUMLINE_RUN_RUN_LOCK_H
#define DRUMLINE_RUN_RUN_LOCK_H

#include "base/error.h"

enum { RUN_LOCK_STALE_SECONDS = 120, RUN_LOCK_RENEW_SECONDS = 10 };

struct run_lock {
    char *path;     /* owned; NULL where nothing is held */
    char token[96]; /* what makes this holder different from all others */
    double renewed; /* clock_seconds */
};

/* Takes the lock of `folder`, which must be there. Fails where another job has it, saying which. */
bool run_lock_take(struct run_lock *lock, const char *folder, struct error *error);

/* Makes the lock young again, if it is still ours; cheap when called often. */
void run_lock_renew(struct run_lock *lock);

/* False where another job has taken the lock over, or it stays gone or unreadable for a tenth of a second; the error says by
 * whom. */
bool run_lock_held(const struct run_lock *lock, struct error *error);

/* Gives it back, if it is still ours, and frees. */
void run_lock_release(struct run_lock *lock);

/* What somebody who does not want the lock sees of it. Nothing is written, so ages are by this host's clock. */
enum run_lock_state { RUN_LOCK_FREE, RUN_LOCK_HELD, RUN_LOCK_LEFT_OVER };
struct run_lock_view {
    enum run_lock_state state;
    char host[256], slurm_job[64]; /* of the holder; "" where unknown, or outside Slurm */
    long pid;
    double age; /* seconds since its last sign of life */
};
void run_lock_look(struct run_lock_view *view, const char *folder);

#endif
