/* Reads a TensorFlow checkpoint ("bundle", tensorflow/core/protobuf/tensor_bundle.proto) without TensorFlow: NAME.index, a
 * sorted table of protocol buffers that say of each tensor its type, shape, place and checksum, and the values in
 * NAME.data-00000-of-00001 or several such files. */
#ifndef DRUMLINE_EXCHANGE_TENSORFLOW_BUNDLE_H
#define DRUMLINE_EXCHANGE_TENSORFLOW_BUNDLE_H

#include "exchange/file_source.h"
#include "exchange/foreign_tensors.h"

#define TENSORFLOW_INDEX ".index"

/* Fills `tensors`, which is empty, from the index at `index` (its name ends in ".index") in the source and the files beside it.
 * Fails where a place passes the end of its file or overlaps another, where values do not match their checksum (of strings they
 * are not read), and on checkpoints of big-endian machines, of later versions of the format and with partitioned variables.
 * Messages name source and file. On failure too the caller frees `tensors`. */
bool tensorflow_bundle_read(struct foreign_tensors *tensors, struct file_source *source, const char *index,
                            struct error *error);

#endif
