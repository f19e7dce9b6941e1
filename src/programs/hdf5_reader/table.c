#include "programs/hdf5_reader/table.h"

/* Owned by the caller. */
static hid_t member_type(const struct hdf5_request_member *member)
{
    switch (member->type) {
    case HDF5_MEMBER_TEXT:
        return hdf5_fixed_text_type(member->size);
    case HDF5_MEMBER_UINT8:
        return H5Tcopy(H5T_NATIVE_UINT8);
    case HDF5_MEMBER_UINT32:
        return H5Tcopy(H5T_NATIVE_UINT32);
    case HDF5_MEMBER_UINT64:
        return H5Tcopy(H5T_NATIVE_UINT64);
    case HDF5_MEMBER_FLOAT:
        return H5Tcopy(H5T_NATIVE_FLOAT);
    default:
        return H5I_INVALID_HID;
    }
}

static uint64_t size_of_member(hid_t stored, const struct hdf5_request_member *member)
{
    if (member->type == HDF5_MEMBER_TEXT)
        return hdf5_is_text(stored) && H5Tis_variable_str(stored) == 0 ? H5Tget_size(stored) : UINT64_MAX;
    return hdf5_is_plain_number(stored, member->type == HDF5_MEMBER_FLOAT ? H5T_FLOAT : H5T_INTEGER) ? 1 : UINT64_MAX;
}

void table_layout(uint64_t *sizes, const struct dataset *dataset, const struct hdf5_request *request)
{
    for (uint32_t i = 0; i < request->num_members; i++) {
        sizes[i] = 0;
        int number = H5Tget_class(dataset->type) == H5T_COMPOUND
                         ? H5Tget_member_index(dataset->type, request->members[i].name)
                         : -1;
        hid_t stored = number >= 0 ? H5Tget_member_type(dataset->type, (unsigned)number) : H5I_INVALID_HID;
        if (stored >= 0) {
            sizes[i] = size_of_member(stored, &request->members[i]);
            H5Tclose(stored);
        }
    }
}

hid_t table_row_type(const struct hdf5_request *request)
{
    hid_t type = request->row_size > 0 ? H5Tcreate(H5T_COMPOUND, request->row_size) : H5I_INVALID_HID;
    bool ok = type >= 0;
    for (uint32_t i = 0; ok && i < request->num_members; i++) {
        const struct hdf5_request_member *member = &request->members[i];
        hid_t column = member_type(member);
        ok = column >= 0 && H5Tinsert(type, member->name, member->offset, column) >= 0;
        if (column >= 0)
            H5Tclose(column);
    }
    if (ok || type < 0)
        return type;
    H5Tclose(type);
    return H5I_INVALID_HID;
}
