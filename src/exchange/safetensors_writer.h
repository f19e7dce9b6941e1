/* Models as safetensors files (https://github.com/huggingface/safetensors): the length of a JSON header in eight bytes, the
 * header, and the tensors' bytes one after another.
 *
 * Tensors have our names and shapes, in the order of the model's table; those of the latent density are called latents/mean
 * and latents/factor, and stay 32-bit floats. `__metadata__` holds the notes (exchange/notes.h). */
#ifndef DRUMLINE_EXCHANGE_SAFETENSORS_WRITER_H
#define DRUMLINE_EXCHANGE_SAFETENSORS_WRITER_H

#include "base/io/atomic_file.h"
#include "exchange/encoding.h"
#include "exchange/exchange.h"

/* Writes to a file that has been started; flushing, naming or abandoning it is left to the caller. `dtype` is EXCHANGE_F32 or
 * EXCHANGE_F16. Fails where a number is not finite, or too large for it. */
bool safetensors_write(struct atomic_file *file, const struct exchange_model *model, enum exchange_dtype dtype,
                       struct error *error);

#endif
