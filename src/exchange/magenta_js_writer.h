/* Models as folders that Magenta.js (npm's @magenta/music) plays, in browsers and in Node:
 *
 *     config.json             what the model is: a MusicVAE with a GrooveConverter. Our notes are its member "drumline"
 *     weights_manifest.json   names, shapes and types of the variables, and the files they are in
 *     group1-shard1of2.bin    the encoder, in files of up to 4 MiB
 *     group2-shard1of3.bin    conductor and decoder
 *     group3-shard1of1.bin    latents/mean and latents/factor, where the model has a latent density; the client only loads them
 *     encoder/                of hierarchical models: config.json and weights_manifest.json of the encoder
 *
 * Names and shapes are those of exchange/magenta_names.h. Controls are an extra control of the client: "hits" (9 numbers a step)
 * with hits_as_controls, "input" (27) with input_as_controls.
 *
 * The client's hierarchical models have an encoder of two levels, ours read the window in one go. So the folder of a
 * hierarchical model generates, and its encode() fails; the folder `encoder` in it encodes, and can't generate. Both take the
 * weights from the same files. */
#ifndef DRUMLINE_EXCHANGE_MAGENTA_JS_WRITER_H
#define DRUMLINE_EXCHANGE_MAGENTA_JS_WRITER_H

#include "exchange/encoding.h"
#include "exchange/exchange.h"

#include <stdint.h>

enum { MAGENTA_JS_NUM_PITCHES = 128, MAGENTA_JS_FILE_SIZE = 4 << 20 };

/* Which MIDI pitches the client reads as which class of drum, and writes for it. */
struct magenta_js_pitches {
    const int8_t *classes;  /* [MAGENTA_JS_NUM_PITCHES]: a class, or less than 0 */
    const uint8_t *written; /* [classes]: the first pitch of each */
};

/* Fails, with the reason, where the client can't hold such a model. */
bool magenta_js_check(const struct hparams *hparams, struct error *error);

/* What the client's converter does not do to an input of such a model, so that who calls encode() has to, in words: "remove
 * the closed hi-hat"; owned by the caller, NULL where it does all. */
char *magenta_js_preparation(const struct hparams *hparams);

/* Writes the folder, which is made where it is missing. Files of an earlier export are replaced, or removed; others stay.
 * weights_manifest.json is removed first and written last: where it is, the folder is complete. Fails as magenta_js_check
 * does, and where a number is not finite or too large for `dtype`. */
bool magenta_js_write(const char *folder, const struct exchange_model *model, const struct magenta_js_pitches *pitches,
                      enum exchange_dtype dtype, struct error *error);

#endif
