/* Reads the checkpoints of Magenta.js: config.json, which says what the model is, weights_manifest.json, which lists groups
 * of files and the weights whose values follow one another in them (TensorFlow.js's format, quantized ones included), and
 * those files. */
#ifndef DRUMLINE_EXCHANGE_MAGENTA_JS_READER_H
#define DRUMLINE_EXCHANGE_MAGENTA_JS_READER_H

#include "exchange/file_source.h"
#include "exchange/foreign_tensors.h"

#define MAGENTA_JS_MANIFEST "weights_manifest.json"
#define MAGENTA_JS_CONFIG "config.json"

/* Fills `tensors`, which is empty, from the manifest at `manifest` in the source and the files beside it, and its converter and
 * notes from config.json, where that is there. Fails where the files hold more or less than the manifest says, where a
 * quantization is unknown, or where config.json is of another kind of model. Messages name source and file. On failure too
 * the caller frees `tensors`. */
bool magenta_js_read(struct foreign_tensors *tensors, struct file_source *source, const char *manifest,
                     struct error *error);

#endif
