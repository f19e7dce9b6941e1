/* A model's notes as a JSON object of strings:
 *
 *     {"format": "drumline-model", "config": "groovae_4bar", "hparams": "bars=4,enc_rnn_size=[512],...", "seed": "0",
 *      "step": "2000", "content_sha256": "...", "program_version": "...", "date": "...", "licence": "...", ...}
 *
 * Every hparam is listed. Notes that the model does not have are missing. */
#ifndef DRUMLINE_EXCHANGE_NOTES_H
#define DRUMLINE_EXCHANGE_NOTES_H

#include "model/checkpoint.h"

#include <jansson.h>

#define NOTES_FORMAT "drumline-model"

/* A new object. */
json_t *notes_make(const struct checkpoint *checkpoint);

/* Fills `checkpoint` from notes of a file that was not checked: all members that are known, of which config and hparams must
 * be there; others are skipped. What no note gives is 0. Fails where a note is no string, is too long, is no number where it
 * has to be one, or where an hparam is unknown or out of bounds. */
bool notes_read(struct checkpoint *checkpoint, const json_t *notes, struct error *error);

#endif
