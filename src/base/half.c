#include "base/half.h"

#include <math.h>
#include <string.h>

enum {
    FLOAT_MANTISSA = 23,
    HALF_MANTISSA = 10,
    DROPPED = FLOAT_MANTISSA - HALF_MANTISSA, /* bits of a mantissa that a half has no room for */
    FLOAT_BIAS = 127,
    HALF_BIAS = 15,
    HALF_SPECIAL = 0x1f, /* exponent of infinity and NaN */
};

/* value >> shift, rounded to the nearest, ties to even; shift is 1 to 31. */
static uint32_t shift_rounded(uint32_t value, int shift)
{
    uint32_t kept = value >> shift, rest = value & ((1U << shift) - 1), middle = 1U << (shift - 1);
    return kept + (rest > middle || (rest == middle && (kept & 1)));
}

bool half_from_float(uint16_t *half, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000, mantissa = bits & 0x7fffff;
    int exponent = (int)(bits >> FLOAT_MANTISSA & 0xff) - FLOAT_BIAS + HALF_BIAS;
    uint32_t result;
    if (exponent <= 0) { /* a subnormal half, or 0 */
        int shift = DROPPED + 1 - exponent;
        result = shift > 31 ? 0 : shift_rounded(mantissa | 1U << FLOAT_MANTISSA, shift);
    } else { /* a mantissa that is rounded up to the next power of two carries into the exponent, as it should */
        result = shift_rounded((uint32_t)exponent << FLOAT_MANTISSA | mantissa, DROPPED);
        if (exponent >= HALF_SPECIAL || result >> HALF_MANTISSA >= HALF_SPECIAL)
            return false;
    }
    *half = (uint16_t)(sign | result);
    return true;
}

float half_to_float(uint16_t half)
{
    int exponent = half >> HALF_MANTISSA & HALF_SPECIAL, mantissa = half & 0x3ff;
    float magnitude;
    if (exponent == HALF_SPECIAL)
        magnitude = mantissa ? NAN : INFINITY;
    else if (exponent == 0)
        magnitude = ldexpf((float)mantissa, 1 - HALF_BIAS - HALF_MANTISSA);
    else
        magnitude = ldexpf((float)(mantissa | 1 << HALF_MANTISSA), exponent - HALF_BIAS - HALF_MANTISSA);
    return half & 0x8000 ? -magnitude : magnitude;
}
