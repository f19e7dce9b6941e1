/* Reads safetensors (github.com/huggingface/safetensors, "Format"): eight bytes with the length of a JSON header, the header
 * that says of each tensor its type, shape and place, and the values. */
#ifndef DRUMLINE_EXCHANGE_SAFETENSORS_READER_H
#define DRUMLINE_EXCHANGE_SAFETENSORS_READER_H

#include "exchange/foreign_tensors.h"

#include <stdbool.h>

/* Whether a file of `size` bytes that begins like this may be one; head_size bytes of it are at `head`. */
bool safetensors_is(const uint8_t *head, size_t head_size, uint64_t size);

/* Fills `tensors`, which is empty, from the whole file, which it takes over, and the notes of a model of ours. Fails, with a reason
 * that names no file, where anything but values is not as the format wants it: places that overlap, leave a gap or pass the
 * end, names that occur twice. On failure too the caller frees `tensors`. */
bool safetensors_read(struct foreign_tensors *tensors, uint8_t *bytes, size_t size, struct error *error);

#endif
