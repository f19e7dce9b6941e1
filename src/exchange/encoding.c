#include "exchange/encoding.h"

#include "base/half.h"

#include <math.h>
#include <string.h>

size_t exchange_dtype_size(enum exchange_dtype dtype)
{
    return dtype == EXCHANGE_F32 ? 4 : dtype == EXCHANGE_F16 ? 2 : 1;
}

static void put_little_endian(uint8_t *bytes, uint32_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

/* The least scale of 256 values that reaches from the smallest number to the largest and has 0 among them. */
static struct exchange_scale find_scale(const float *values, size_t count)
{
    double smallest = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        smallest = fmin(smallest, (double)values[i]);
        largest = fmax(largest, (double)values[i]);
    }
    if (smallest == largest)
        return (struct exchange_scale){1, 0};
    double scale = (largest - smallest) / UINT8_MAX;
    return (struct exchange_scale){scale, -round(-smallest / scale) * scale};
}

static void encode_bytes(uint8_t *bytes, struct exchange_scale *scale, const float *values, size_t count)
{
    *scale = find_scale(values, count);
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)fmin(fmax(round(((double)values[i] - scale->minimum) / scale->scale), 0), UINT8_MAX);
}

bool exchange_encode(uint8_t *bytes, struct exchange_scale *scale, const float *values, size_t count,
                     enum exchange_dtype dtype, const char *name, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        uint16_t half;
        if (!isfinite(values[i]))
            return error_set(error, "%s: holds a number that is not finite", name);
        if (dtype == EXCHANGE_F32) {
            memcpy(&bits, &values[i], sizeof bits);
            put_little_endian(bytes + 4 * i, bits, 4);
        } else if (dtype == EXCHANGE_F16) {
            if (!half_from_float(&half, values[i]))
                return error_set(error, "%s: holds %g, which is too large for 16-bit floats", name, (double)values[i]);
            put_little_endian(bytes + 2 * i, half, 2);
        }
    }
    if (dtype == EXCHANGE_U8)
        encode_bytes(bytes, scale, values, count);
    return true;
}
