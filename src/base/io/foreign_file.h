/* Recognises files of Magenta's, which people who come from there hand to these programs, and says what to do. */
#ifndef DRUMLINE_BASE_IO_FOREIGN_FILE_H
#define DRUMLINE_BASE_IO_FOREIGN_FILE_H

#include "base/error.h"

/* False, with a message that names the file and what to do, where `path` is a TFRecord of note sequences, a TensorFlow
 * checkpoint (.index, .meta, .data-...), a safetensors file, a folder of Magenta.js or an archive (.tar, .zip, compressed). True for all else, a file that can't
 * be opened too. */
bool foreign_file_check(const char *path, struct error *error);

#endif
