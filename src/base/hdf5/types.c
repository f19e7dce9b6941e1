#include "base/hdf5/types.h"

hid_t hdf5_text_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 && (H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

hid_t hdf5_fixed_text_type(size_t size)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 && (H5Tset_size(type, size) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0 ||
                      H5Tset_strpad(type, H5T_STR_NULLPAD) < 0)) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

hid_t hdf5_half_type(H5T_order_t order)
{
    hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    if (type < 0 || (H5Tset_fields(type, 15, 10, 5, 0, 10) >= 0 && H5Tset_size(type, 2) >= 0 &&
                     H5Tset_ebias(type, 15) >= 0 && H5Tset_order(type, order) >= 0))
        return type;
    H5Tclose(type);
    return H5I_INVALID_HID;
}

bool hdf5_is_text(hid_t type)
{
    if (H5Tget_class(type) != H5T_STRING)
        return false;
    H5T_cset_t encoding = H5Tget_cset(type);
    return encoding == H5T_CSET_ASCII || encoding == H5T_CSET_UTF8;
}

bool hdf5_is_plain_number(hid_t type, H5T_class_t class)
{
    const hid_t integers[] = {H5T_STD_I8LE,  H5T_STD_U8LE,  H5T_STD_I16LE, H5T_STD_U16LE, H5T_STD_I32LE, H5T_STD_U32LE,
                              H5T_STD_I64LE, H5T_STD_U64LE, H5T_STD_I8BE,  H5T_STD_U8BE,  H5T_STD_I16BE, H5T_STD_U16BE,
                              H5T_STD_I32BE, H5T_STD_U32BE, H5T_STD_I64BE, H5T_STD_U64BE};
    const hid_t floats[] = {H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_IEEE_F32BE, H5T_IEEE_F64BE};
    const hid_t *types = class == H5T_FLOAT ? floats : integers;
    size_t count = class == H5T_FLOAT ? sizeof floats / sizeof *floats : sizeof integers / sizeof *integers;
    for (size_t i = 0; i < count; i++)
        if (H5Tequal(type, types[i]) > 0)
            return true;
    return false;
}

bool hdf5_is_empty(int num_dims, const hsize_t *dims)
{
    for (int i = 0; i < num_dims; i++)
        if (dims[i] == 0)
            return true;
    return false;
}
