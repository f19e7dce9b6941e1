/* RUN/hparams.json: what a run trains, from its start, for people and scripts. Nothing of ours resumes from it: checkpoints
 * hold the hparams themselves. */
#ifndef DRUMLINE_RUN_HPARAMS_FILE_H
#define DRUMLINE_RUN_HPARAMS_FILE_H

#include "model/checkpoint.h"

#include <jansson.h>

#define RUN_HPARAMS_NAME "hparams.json"

/* All hparams by name, each as its kind of JSON value; owned by the caller. */
json_t *hparams_json(const struct hparams *hparams);

/* What a session of a run is made with and on. Texts are not owned. */
struct run_surroundings {
    const char *version, *mpi, *blas, *processor, *host; /* of rank 0 */
    const char *data_set;
    int num_ranks;
};

/* Those of `hparams` that differ from `usual`, an array of texts as --hparams takes them: ["batch_size=64", "z_size=32"]. */
json_t *hparams_changes(const struct hparams *hparams, const struct hparams *usual);

/* Writes RUN/hparams.json with config, seed, content_sha256 and hparams of `state`, and, as "session", what the newest session is made
 * with, replacing one that is there, atomically. */
bool hparams_file_write(const char *run_dir, const struct checkpoint *state,
                        const struct run_surroundings *surroundings, struct error *error);

/* Reads config, content_sha256 and hparams of RUN/hparams.json into *state, whose other members become 0; an hparam that is not in it has
 * its default. False where the file is missing, can't be read or is not valid. */
bool hparams_file_read(struct checkpoint *state, const char *run_dir);

/* The hparams that decide what val_loss measures, NULL at the end: runs that differ in one have no val_loss to compare. */
extern const char *const hparams_of_loss[];

/* Whether RUN/hparams.json of another run says that its val_loss compares with that of `state`: the same content_sha256, and the same
 * hparams_of_loss. False where the file is missing or can't be read. */
bool hparams_file_same_loss(const char *run_dir, const struct checkpoint *state);

#endif
