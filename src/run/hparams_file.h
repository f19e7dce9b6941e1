/* RUN/hparams.json: what a run trains, from its start, for people and scripts. Nothing of ours resumes from it: checkpoints
 * hold the hparams themselves. */
#ifndef DRUMLINE_RUN_HPARAMS_FILE_H
#define DRUMLINE_RUN_HPARAMS_FILE_H

#include "model/checkpoint.h"

#include <jansson.h>

#define RUN_HPARAMS_NAME "hparams.json"

/* All hparams by name, each as its kind of JSON value; owned by the caller. */
json_t *hparams_json(const struct hparams *hparams);

/* Writes RUN/hparams.json with config, seed, content_sha256 and hparams of `state`, replacing one that is there, atomically. */
bool hparams_file_write(const char *run_dir, const struct checkpoint *state, struct error *error);

#endif
