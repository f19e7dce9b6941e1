#include "base/hdf5/types.h"

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
