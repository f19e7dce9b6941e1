#include "base/hdf5/floats.h"

#include "base/hdf5/error.h"
#include "base/hdf5/reading.h"
#include "base/hdf5/types.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* IEEE 754 binary16, which HDF5 1.10 has no name for; owned by the caller. */
static hid_t make_half_type(H5T_order_t order)
{
    hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    if (type < 0 || (H5Tset_fields(type, 15, 10, 5, 0, 10) >= 0 && H5Tset_size(type, 2) >= 0 &&
                     H5Tset_ebias(type, 15) >= 0 && H5Tset_order(type, order) >= 0))
        return type;
    H5Tclose(type);
    return H5I_INVALID_HID;
}

static bool is_half(hid_t type)
{
    const H5T_order_t orders[] = {H5T_ORDER_LE, H5T_ORDER_BE};
    bool found = false;
    for (size_t i = 0; i < sizeof orders / sizeof *orders && !found; i++) {
        hid_t half = make_half_type(orders[i]);
        found = half >= 0 && H5Tequal(type, half) > 0;
        if (half >= 0)
            H5Tclose(half);
    }
    return found;
}

static bool check_sizes(hid_t file, const char *name, int num_dims, const hsize_t *dims, struct error *error)
{
    hsize_t found[HDF5_MAX_DIMENSIONS];
    if (!hdf5_dataset_dims(found, file, name, num_dims, error))
        return false;
    for (int i = 0; i < num_dims; i++)
        if (found[i] != dims[i]) {
            struct error detail;
            error_set(&detail, "the size of dimension %d is %llu, but must be %llu", i, (unsigned long long)found[i],
                      (unsigned long long)dims[i]);
            return hdf5_refuse_at(error, file, name, detail.message);
        }
    return true;
}

bool hdf5_check_floats(hid_t file, const char *name, int num_dims, const hsize_t *dims, struct error *error)
{
    if (!check_sizes(file, name, num_dims, dims, error))
        return false;
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT), type = dataset >= 0 ? H5Dget_type(dataset) : H5I_INVALID_HID;
    bool ok = true;
    if (type < 0)
        ok = hdf5_fail_at(error, file, name, "can't open the dataset");
    else if (H5Tget_class(type) != H5T_FLOAT ||
             !(H5Tget_size(type) == sizeof(float) ? hdf5_is_plain_number(type, H5T_FLOAT) : is_half(type)))
        ok = hdf5_refuse_at(error, file, name, "the dataset's elements are neither 32-bit nor 16-bit floats");
    if (type >= 0)
        H5Tclose(type);
    if (dataset >= 0)
        H5Dclose(dataset);
    return ok;
}

bool hdf5_read_floats(float *data, hid_t file, const char *name, int num_dims, const hsize_t *dims, struct error *error)
{
    if (!hdf5_check_floats(file, name, num_dims, dims, error))
        return false;
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    bool ok = dataset >= 0 && (hdf5_is_empty(num_dims, dims) ||
                               H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    if (!ok)
        hdf5_fail_at(error, file, name, "the dataset is damaged");
    if (dataset >= 0)
        H5Dclose(dataset);
    return ok;
}

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
    hid_t type = make_half_type(native);
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
