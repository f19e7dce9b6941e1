#include "programs/hdf5_reader/storage.h"

#include "base/hdf5/hdf5.h"

#include <string.h>

enum {
    DEFLATE_RATIO = 1100, /* deflate never shrinks by more than 1032 (zlib's documentation) */
    MAX_NAME = 256,
};

bool storage_check_links(hid_t file, const char *name, struct error *error)
{
    char part[MAX_NAME];
    size_t length = strlen(name);
    if (length == 0 || length >= sizeof part)
        return hdf5_refuse_at(error, file, name, "the dataset is missing");
    for (size_t end = 1; end <= length; end++) {
        H5L_info_t info;
        if (end < length && name[end] != '/')
            continue;
        memcpy(part, name, end);
        part[end] = '\0';
        /* H5Lexists alone would say of the last link only that it is missing. */
        if (H5Lexists(file, part, H5P_DEFAULT) <= 0 || H5Lget_info(file, part, &info, H5P_DEFAULT) < 0)
            return hdf5_refuse_at(error, file, name, "the dataset is missing");
        if (info.type != H5L_TYPE_HARD)
            return hdf5_refuse_at(error, file, name, "is reached by a link that may lead to another file");
    }
    return true;
}

/* Sizes that a file claims are checked before memory is allocated for them. */
static bool check_size(hid_t file, hid_t dataset, hid_t type, int num_dims, const hsize_t *dims, bool deflates,
                       struct error *error)
{
    hsize_t file_size = 0;
    double claimed = (double)H5Tget_size(type), stored = (double)H5Dget_storage_size(dataset);
    for (int i = 0; i < num_dims; i++)
        claimed *= (double)dims[i];
    if (H5Fget_filesize(file, &file_size) < 0 || !(stored <= (double)file_size))
        return error_set(error, "claims to be stored in more bytes than the file has");
    return claimed <= stored * (deflates ? DEFLATE_RATIO : 1) ||
           error_set(error, "claims to be larger than what is stored can hold");
}

static bool check_layout(struct chunks *chunks, hid_t properties, hid_t type, int num_dims, struct error *error)
{
    H5D_fill_value_t fill_value;
    if (H5Pget_external_count(properties) != 0)
        return error_set(error, "is stored in other files (external storage)");
    if (H5Pfill_value_defined(properties, &fill_value) < 0)
        return error_set(error, "has a fill value that HDF5 refuses");
    switch (H5Pget_layout(properties)) {
    case H5D_CHUNKED:
        return chunks_open(chunks, properties, type, num_dims, error);
    case H5D_CONTIGUOUS:
    case H5D_COMPACT:
        return H5Pget_nfilters(properties) == 0 || error_set(error, "has filters, but no chunks");
    case H5D_VIRTUAL:
        return error_set(error, "is a virtual dataset, which would be read from other files");
    default:
        return error_set(error, "has a layout that is not read");
    }
}

bool storage_check(struct chunks *chunks, hid_t file, const char *name, hid_t dataset, hid_t type, int num_dims,
                   const hsize_t *dims, struct error *error)
{
    struct error reason;
    hid_t properties = H5Dget_create_plist(dataset);
    if (properties < 0)
        return hdf5_fail_at(error, file, name, "can't open the dataset");
    bool ok =
        check_layout(chunks, properties, type, num_dims, &reason) &&
        check_size(file, dataset, type, num_dims, dims, filters_include(&chunks->filters, H5Z_FILTER_DEFLATE), &reason);
    H5Pclose(properties);
    return ok || hdf5_refuse_at(error, file, name, reason.message);
}

/* Adds a pair of names; false where there is no room, or no such names. */
static bool add_source(char *text, size_t size, size_t *length, hid_t properties, size_t number)
{
    char source_file[MAX_NAME], source[MAX_NAME];
    ssize_t file_length = H5Pget_virtual_filename(properties, number, source_file, sizeof source_file);
    ssize_t source_length = H5Pget_virtual_dsetname(properties, number, source, sizeof source);
    if (file_length <= 0 || file_length >= MAX_NAME || source_length <= 0 || source_length >= MAX_NAME)
        return false;
    size_t file_size = strlen(source_file) + 1, source_size = strlen(source) + 1;
    if (file_size + source_size > size - *length)
        return false;
    memcpy(text + *length, source_file, file_size);
    memcpy(text + *length + file_size, source, source_size);
    *length += file_size + source_size;
    return true;
}

bool storage_list_sources(char *text, size_t size, size_t *length, uint64_t *count, hid_t file, const char *name,
                          uint64_t first, struct error *error)
{
    size_t found = 0;
    *length = 0;
    *count = 0;
    if (H5Lexists(file, name, H5P_DEFAULT) <= 0)
        return true;
    if (!storage_check_links(file, name, error))
        return false;
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    hid_t properties = dataset >= 0 ? H5Dget_create_plist(dataset) : H5I_INVALID_HID;
    bool ok = properties >= 0;
    if (ok && H5Pget_layout(properties) == H5D_VIRTUAL)
        ok = H5Pget_virtual_count(properties, &found) >= 0;
    if (!ok)
        hdf5_fail_at(error, file, name, "can't open the dataset");
    for (uint64_t i = first; ok && i < found && add_source(text, size, length, properties, (size_t)i); i++)
        continue;
    *count = found;
    if (properties >= 0)
        H5Pclose(properties);
    if (dataset >= 0)
        H5Dclose(dataset);
    return ok;
}
