/* Weights as the bytes of a file: little-endian floats of 32 or 16 bits, or bytes of a linear scale. */
#ifndef DRUMLINE_EXCHANGE_ENCODING_H
#define DRUMLINE_EXCHANGE_ENCODING_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum exchange_dtype {
    EXCHANGE_F32,
    EXCHANGE_F16, /* rounded to the nearest */
    EXCHANGE_U8,  /* value = byte * scale + minimum */
};

/* Bytes a number. */
size_t exchange_dtype_size(enum exchange_dtype dtype);

/* The scale of EXCHANGE_U8: one for each tensor. 0 is one of its values, exactly. */
struct exchange_scale {
    double scale, minimum;
};

/* bytes [count * exchange_dtype_size] from values [count]; *scale is set for EXCHANGE_U8 alone. `name` is for the message.
 * Fails where a number is not finite, or too large for 16 bits. */
bool exchange_encode(uint8_t *bytes, struct exchange_scale *scale, const float *values, size_t count,
                     enum exchange_dtype dtype, const char *name, struct error *error);

#endif
