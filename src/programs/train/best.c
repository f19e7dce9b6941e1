#include "programs/train/best.h"

#include "base/io/files.h"
#include "base/log.h"
#include "run/run_folder.h"

#include <math.h>
#include <stdlib.h>

bool best_note(struct checkpoint *state, double val_loss)
{
    struct checkpoint_best *best = &state->best;
    bool is_better = isfinite(val_loss) && (!best->is_known || val_loss < best->val_loss);
    best->evaluations_since++;
    if (is_better)
        *best = (struct checkpoint_best){.is_known = true, .step = state->step, .val_loss = val_loss};
    return is_better;
}

bool best_is_stale(const struct checkpoint *state, int64_t patience)
{
    return patience > 0 && state->best.evaluations_since >= (uint64_t)patience;
}

bool best_adopt(struct checkpoint *state, const char *train_folder, struct error *error)
{
    struct checkpoint file;
    char *path = path_join(train_folder, RUN_BEST_NAME);
    bool is_there, ok = path_look(&is_there, path, error);
    if (ok && is_there) {
        bool is_read = checkpoint_read(&file, path, error);
        ok = is_read || error->number == 0;
        if (!is_read && ok)
            log_warning("ignoring a damaged checkpoint: %s", error->message);
        else if (is_read && file.best.is_known && file.best.step <= state->step &&
                 (!state->best.is_known || file.best.val_loss < state->best.val_loss))
            state->best = file.best;
    }
    free(path);
    return ok;
}
