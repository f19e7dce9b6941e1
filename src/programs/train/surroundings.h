/* What a training runs with and on: for the head of its log and hparams.json, so that a run can be understood a year later. */
#ifndef DRUMLINE_PROGRAMS_TRAIN_SURROUNDINGS_H
#define DRUMLINE_PROGRAMS_TRAIN_SURROUNDINGS_H

#include "dist/comm.h"
#include "model/vae/hparams.h"
#include "run/hparams_file.h"

/* Of this process; `about` points into the rest and to what was given. */
struct surroundings {
    struct run_surroundings about;
    char mpi[96], blas[96], processor[96];
};
void surroundings_find(struct surroundings *surroundings, const struct comm *comm, const char *data_set);

/* Logs it, and the hparams that differ from the config's. */
void surroundings_log(const struct surroundings *surroundings, const struct hparams *hparams,
                      const struct config *config);

#endif
