/* The tensors of a file or folder of another program, whatever its format: safetensors, a folder of Magenta.js, a TensorFlow
 * checkpoint, or an archive that holds one of these. */
#ifndef DRUMLINE_EXCHANGE_FOREIGN_READER_H
#define DRUMLINE_EXCHANGE_FOREIGN_READER_H

#include "exchange/foreign_tensors.h"

/* Fills `tensors`, which is empty. `path` may be
 *
 *     NAME.safetensors
 *     a folder with weights_manifest.json, or with one .index or .safetensors, or with the file "checkpoint", in which
 *         TensorFlow names the newest of several
 *     weights_manifest.json itself
 *     model.ckpt-1000.index, or model.ckpt-1000, or model.ckpt-1000.data-00000-of-00001
 *     a .tar, .tar.gz or .zip with one of these in it, in whatever folder
 *
 * What it is is seen from its contents. Fails, with a message that names it, on all else, and on what is damaged; `tensors` is
 * empty then. */
bool foreign_read(struct foreign_tensors *tensors, const char *path, struct error *error);

#endif
