/* The best validation of a run: the lowest val_loss, whose model is RUN/train/best.h5, and the evaluations since, by which
 * --patience ends a training early. Both lie in checkpoints, so that a run which resumes counts on. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_BEST_H
#define DRUMLINE_PROGRAMS_TRAIN_BEST_H

#include "model/checkpoint.h"

/* Notes the val_loss of an evaluation at state->step; true where it is lower than all before. One that is not finite is not. */
bool best_note(struct checkpoint *state, double val_loss);

/* Whether the last `patience` evaluations have all failed to lower val_loss. 0: never. */
bool best_is_stale(const struct checkpoint *state, int64_t patience);

/* Takes over the best of RUN/train/best.h5 where the run's newest checkpoint was written before its last evaluation, as
 * happens to a run that is stopped early: a later, worse model must not replace it. What lies beyond state->step is ignored;
 * those steps are repeated. A file that is missing or damaged changes nothing; it is a failure where the system can't read it. */
bool best_adopt(struct checkpoint *state, const char *train_folder, struct error *error);

#endif
