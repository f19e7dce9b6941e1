/* Fits a model's latent densities, attribute directions and residuals (model/latents/latents.h) to the train split of a data set.
 *
 * Every non-overlapping window is encoded, as an input without note dropout; of more than LATENTS_MAX_FITTED windows that
 * many, evenly spaced. The ranks encode a part each, and rank 0 fits to all of them in the order of the data set: the same bits on any number
 * of ranks and threads, but for the standard deviations of residuals, which are equal up to the order of a sum, and the
 * temperature, which is chosen by samples that are drawn with these.
 *
 * The styles of a window are those of its performance's row: all of it ("rock/halftime"), and what is before the first "/" ("rock"),
 * as in Groove's table. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_LATENTS_H
#define DRUMLINE_PROGRAMS_TRAIN_LATENTS_H

#include "base/error.h"
#include "data/dataset/dataset.h"
#include "dist/comm.h"
#include "model/latents/latents.h"
#include "model/vae/hparams.h"
#include "programs/train/options.h"
#include "programs/train/watchdog.h"
#include "run/run_lock.h"

enum { LATENTS_FITTED_AT_END = 1024 }; /* numbers of a latent vector, at most, for a fit at a training's end */

/* What is fitted. Nothing is owned. */
struct latents_work {
    const struct hparams *hparams; /* rank 0's, as the next */
    const float *values;           /* of all tensors (model/vae/parameters.h) */
    const struct dataset *dataset;
    int threads;               /* of this rank; 0: one per core that it has */
    struct watchdog *watchdog; /* NULL: none */
    bool (*must_stop)(
        void *context); /* asked often, by any thread: whether to give the fit up, which fails then; NULL: never */
    void *context;
};

/* `latents` is rank 0's, freed with latents_free; empty on the others, and on failure. What is found and refused is logged.
 * Collective. */
bool latents_fit_dataset(struct latents *latents, const struct latents_work *work, struct comm *comm,
                         struct error *error);

/* --mode=latents: fits to --examples_path for --checkpoint_file, or for the chosen checkpoint of --run_dir, and stores the result in it:
 * the file is replaced by one that differs in nothing else. Returns the program's exit status, with the error set on failure.
 * Collective. */
int latents_mode_run(const struct train_options *options, const struct config *config, struct comm *comm,
                     struct error *error);

/* The same for one checkpoint file, while `lock` (NULL: none) is held. Of the work, hparams and values are the file's. Collective. */
bool latents_store(const char *path, const struct latents_work *work, const struct run_lock *lock, struct comm *comm,
                   struct error *error);

#endif
