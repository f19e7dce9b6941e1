/* Why a training halts before its end: a signal that any rank got (dist/halt.h), or rank 0's deadline. The ranks vote, and the
 * sums of their votes give all the same reason. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_HALTING_H
#define DRUMLINE_PROGRAMS_TRAIN_HALTING_H

#include "programs/train/deadline.h"

#include <stdbool.h>

enum halting_vote {
    HALTING_TERM, /* ranks that got SIGTERM */
    HALTING_INT,
    HALTING_USR1,
    HALTING_TIME_UP,
    NUM_HALTING_VOTES
};

/* This rank's votes; `time_is_up` is rank 0's alone. */
void halting_vote(double votes[NUM_HALTING_VOTES], bool time_is_up);

/* From the sums of all ranks' votes: "SIGTERM", "--max_seconds"; NULL where the training may go on. */
const char *halting_reason(const double votes[NUM_HALTING_VOTES], const struct deadline *deadline);

#endif
