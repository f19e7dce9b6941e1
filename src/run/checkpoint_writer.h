/* Checkpoints written beside the training, from a snapshot: the training continues as soon as its state is copied.
 *
 * One at a time. All functions are for the thread that trains; the writing is done by a thread of the writer's own, in which
 * alone HDF5 may be used between begin and the moment at which the writer is known not to be busy: the serial HDF5 library
 * need not be safe for threads.
 *
 * A checkpoint gets its name once it is on the disk, and only if the run's lock is still held then; after that, and not
 * before, those that retention gives up are deleted. The first failure is the last: nothing is written after it. */
#ifndef DRUMLINE_RUN_CHECKPOINT_WRITER_H
#define DRUMLINE_RUN_CHECKPOINT_WRITER_H

#include "model/checkpoint.h"
#include "run/run_lock.h"

struct checkpoint_writer;

enum { CHECKPOINT_WRITER_MAX_GROUPS = 4 };

/* What is written where. All of it must outlive the writer. */
struct checkpoint_place {
    const char *folder;
    struct run_lock *lock; /* of the folder */
    const struct tensor_table *table;
    const struct tensor_group *groups; /* where the state's tensors lie while it trains */
    size_t num_groups;                 /* up to CHECKPOINT_WRITER_MAX_GROUPS */
    size_t best_group;                 /* of the weights that are evaluated: best.h5 has them as its model */
    size_t to_keep;                    /* --checkpoints_to_keep */
    double keep_one_in_hours;          /* --keep_checkpoint_every_n_hours */
};

/* Takes the snapshot's memory, 4 bytes a parameter and group, and starts the thread; NULL and the error set on failure. */
struct checkpoint_writer *checkpoint_writer_make(const struct checkpoint_place *place, struct error *error);

/* Copies the state and begins to write it as FOLDER/checkpoint-STEP.h5, having waited for the one before. False where
 * an earlier one has failed, with its message. */
bool checkpoint_writer_begin(struct checkpoint_writer *writer, const struct checkpoint *state, struct error *error);

/* The same as FOLDER/best.h5, with the evaluated weights alone; nothing is deleted for it but the best before it. */
bool checkpoint_writer_begin_best(struct checkpoint_writer *writer, const struct checkpoint *state,
                                  struct error *error);

/* The same up to the disk, but what is written is thrown away: to learn how long it takes, and whether there is room. */
bool checkpoint_writer_try(struct checkpoint_writer *writer, const struct checkpoint *state, struct error *error);

bool checkpoint_writer_is_busy(struct checkpoint_writer *writer);

/* Whether one has failed; does not wait for the one under way. */
bool checkpoint_writer_has_failed(struct checkpoint_writer *writer);

/* Waits until all that was begun is written. False, with the message, where one has failed. */
bool checkpoint_writer_wait(struct checkpoint_writer *writer, struct error *error);

/* Seconds that the longest has taken so far, the one under way included; 0: none was begun. */
double checkpoint_writer_longest_seconds(struct checkpoint_writer *writer);

/* Waits and frees; a failure that was not reported is logged. NULL is fine. */
void checkpoint_writer_free(struct checkpoint_writer *writer);

#endif
