/* Notices a training that has stopped coming on: a rank whose process is stopped, or that waits for a disk that does not answer.
 *
 * A thread of each rank looks about once a second at what this rank and the others of its node have done (dist/progress.h): a
 * micro-batch, a phase come to, bytes read and written. Where nothing was done by any of them for a fifth of --stall_seconds, one
 * rank of the node warns, naming the ranks that the others wait for: those that give no sign of life, and those that are in no
 * call that waits for others. After all of --stall_seconds the job ends with that message. Before, the run's lock is renewed no
 * more, and the end event `stalled` is written: by rank 0, or where that is the one that hangs by another. The thread talks no MPI: the process just ends, and the launcher ends the
 * others.
 *
 * Time in which this process itself was stopped does not count, so that a job which is stopped and continued as a whole goes
 * on. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_WATCHDOG_H
#define DRUMLINE_PROGRAMS_TRAIN_WATCHDOG_H

#include "dist/comm.h"
#include "run/run_lock.h"

#include <stdint.h>

enum watch_phase {
    WATCH_OPENING,
    WATCH_CHECKPOINT_READING,
    WATCH_DATA_SET,
    WATCH_MODEL,
    WATCH_STEP,
    WATCH_EVALUATION,
    WATCH_CHECKPOINT,
    WATCH_METRICS,
    WATCH_END,
    NUM_WATCH_PHASES
};

struct watchdog;

/* Starts the thread. *watchdog is NULL, and that is no error, where stall_seconds is 0: all other functions take that. A rank that
 * does not come here within that time ends the job too, but is not named. Collective. */
bool watchdog_start(struct watchdog **watchdog, struct comm *comm, double stall_seconds, struct error *error);

/* The run that the end is to be written into, once rank 0 holds its lock; other ranks' `lock` is not used. The lock and the
 * name of RUN/train must outlive the watchdog. Collective. */
void watchdog_guard(struct watchdog *watchdog, struct run_lock *lock, const char *folder, uint64_t num_steps);

/* What the rank comes to, which is also progress, and a piece of work done. For the thread that trains. */
void watchdog_phase(struct watchdog *watchdog, enum watch_phase phase, uint64_t step);
void watchdog_done(struct watchdog *watchdog);

/* Ends the thread and frees. Collective. */
void watchdog_stop(struct watchdog *watchdog);

#endif
