#include "base/hdf5/floats.h"

#include "base/hdf5/error.h"
#include "base/hdf5/types.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The nearest half, of two equally near the even one; what is too large becomes infinite. Scaling by a power of two is exact, so
 * lrint rounds once, in the current mode, which is to nearest even. */
static uint16_t half_of(float x)
{
    enum { FRACTION_BITS = 10, MIN_EXPONENT = -14, MAX_EXPONENT = 15, BIAS = 15 };
    uint16_t sign = signbit(x) ? 0x8000 : 0;
    int exponent;
    if (isnan(x))
        return sign | 0x7e00;
    if (isinf(x))
        return sign | 0x7c00;
    if (fpclassify(x) == FP_ZERO)
        return sign;
    frexpf(x, &exponent); /* |x| in [1/2, 1) * 2^exponent */
    exponent = exponent - 1 < MIN_EXPONENT ? MIN_EXPONENT : exponent - 1;
    long fraction = lrint(ldexp(fabs((double)x), FRACTION_BITS - exponent)); /* below 2^10 only if subnormal */
    long bits = fraction + ((long)(exponent - MIN_EXPONENT) << FRACTION_BITS);
    return bits >= 0x7c00 ? sign | 0x7c00 : (uint16_t)(sign | bits);
}

static bool to_halves(uint16_t *halves, const float *data, size_t count)
{
    bool finite = true;
    for (size_t i = 0; i < count; i++) {
        halves[i] = half_of(data[i]);
        finite = finite && (halves[i] & 0x7c00) != 0x7c00;
    }
    return finite;
}

bool hdf5_write_halves(hid_t file, const char *name, int num_dims, const hsize_t *dims, const float *data,
                       enum hdf5_storage storage, struct error *error)
{
    const uint16_t one = 1;
    H5T_order_t native = *(const unsigned char *)&one == 1 ? H5T_ORDER_LE : H5T_ORDER_BE;
    size_t count = 1;
    for (int i = 0; i < num_dims; i++)
        count *= (size_t)dims[i];
    uint16_t *halves = malloc(count * sizeof *halves + 1);
    hid_t type = hdf5_half_type(native);
    bool ok = true;
    if (!halves || type < 0)
        ok = hdf5_refuse_at(error, file, name, "no memory to write 16-bit floats");
    else if (!to_halves(halves, data, count))
        ok = hdf5_refuse_at(error, file, name, "holds a number that is not finite or too large for a 16-bit float");
    ok = ok && hdf5_write_dataset(file, name, type, num_dims, dims, halves, storage, error);
    if (type >= 0)
        H5Tclose(type);
    free(halves);
    return ok;
}
