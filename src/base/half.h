/* 16-bit floats (IEEE 754 binary16), as file formats store them. */
#ifndef DRUMLINE_BASE_HALF_H
#define DRUMLINE_BASE_HALF_H

#include <stdbool.h>
#include <stdint.h>

/* Rounds to the nearest, ties to even. False, and nothing written, where the value is not finite or would be too large
 * (65,520 or more). */
bool half_from_float(uint16_t *half, float value);

/* Exact; infinity and NaN stay what they are. */
float half_to_float(uint16_t half);

#endif
