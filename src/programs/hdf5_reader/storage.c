#include "programs/hdf5_reader/storage.h"

#include "base/hdf5/hdf5.h"

#include <stdio.h>
#include <string.h>

enum {
    DEFLATE_RATIO = 1100, /* deflate never shrinks by more than 1032 (zlib's documentation) */
    MAX_NAME = 256,
    REASON_SIZE = 192,
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

/* A dataset's filters: the number of each, -1 where it has none. */
struct filters {
    int shuffle, deflate, fletcher32;
};

static void judge_filter(char reason[REASON_SIZE], struct filters *filters, hid_t properties, int number)
{
    char name[64] = "";
    unsigned flags, config;
    size_t num_values = 0;
    H5Z_filter_t filter =
        H5Pget_filter2(properties, (unsigned)number, &flags, &num_values, NULL, sizeof name, name, &config);
    int *place = filter == H5Z_FILTER_SHUFFLE      ? &filters->shuffle
                 : filter == H5Z_FILTER_DEFLATE    ? &filters->deflate
                 : filter == H5Z_FILTER_FLETCHER32 ? &filters->fletcher32
                                                   : NULL;
    if (!place)
        snprintf(reason, REASON_SIZE, "has a filter that is not read: number %d%s%.60s", (int)filter, *name ? ", " : "",
                 name);
    else if (*place >= 0)
        snprintf(reason, REASON_SIZE, "has the filter %.60s twice", name);
    else
        *place = number;
}

static void judge_filters(char reason[REASON_SIZE], struct filters *filters, hid_t properties)
{
    int count = H5Pget_nfilters(properties);
    for (int i = 0; i < count && !*reason; i++)
        judge_filter(reason, filters, properties, i);
    if (count < 0)
        snprintf(reason, REASON_SIZE, "has filters that can't be read");
}

static void judge_chunks(char reason[REASON_SIZE], hid_t properties, hid_t type, int num_dims)
{
    hsize_t chunk[H5S_MAX_RANK];
    double bytes = (double)H5Tget_size(type);
    if (H5Pget_chunk(properties, H5S_MAX_RANK, chunk) != num_dims) {
        snprintf(reason, REASON_SIZE, "has chunks of another number of dimensions");
        return;
    }
    for (int i = 0; i < num_dims; i++)
        bytes *= (double)chunk[i];
    if (!(bytes > 0))
        snprintf(reason, REASON_SIZE, "has chunks of no size");
    else if (!(bytes <= STORAGE_MAX_CHUNK))
        snprintf(reason, REASON_SIZE, "has chunks of %.0f MiB; at most %d MiB are read", bytes / (1 << 20),
                 STORAGE_MAX_CHUNK >> 20);
}

/* HDF5 takes what is stored of a chunk for the whole chunk, and reads the memory behind it where it is shorter. For datasets that are
 * not compressed: what deflate makes of a chunk is not known before, and HDF5 goes through all chunks to find one. */
static void judge_stored_chunks(char reason[REASON_SIZE], hid_t dataset, hid_t properties, hid_t type, int num_dims,
                                const hsize_t *dims, int fletcher32)
{
    enum { CHECKSUM_SIZE = 4 };
    hsize_t chunk[H5S_MAX_RANK], at[H5S_MAX_RANK] = {0}, bytes = H5Tget_size(type);
    H5Pget_chunk(properties, H5S_MAX_RANK, chunk);
    for (int i = 0; i < num_dims; i++) {
        bytes *= chunk[i];
        if (dims[i] == 0)
            return;
    }
    for (int i = 0; i >= 0;) {
        unsigned mask = 0;
        haddr_t address = HADDR_UNDEF;
        hsize_t size = 0;
        if (H5Dget_chunk_info_by_coord(dataset, at, &mask, &address, &size) < 0) {
            snprintf(reason, REASON_SIZE, "has chunks that can't be found");
            return;
        }
        hsize_t expected = bytes + (fletcher32 >= 0 && !(mask >> fletcher32 & 1) ? CHECKSUM_SIZE : 0);
        if (address != HADDR_UNDEF && size != expected) {
            snprintf(reason, REASON_SIZE, "has a chunk of %llu bytes, which should have %llu", (unsigned long long)size,
                     (unsigned long long)expected);
            return;
        }
        for (i = num_dims - 1; i >= 0 && (at[i] += chunk[i]) >= dims[i]; i--) /* the next chunk, if any */
            at[i] = 0;
    }
}

/* Sizes that a file claims are checked before memory is allocated for them. */
static void judge_size(char reason[REASON_SIZE], hid_t file, hid_t dataset, hid_t type, int num_dims,
                       const hsize_t *dims, bool deflates)
{
    hsize_t file_size = 0;
    double claimed = (double)H5Tget_size(type), stored = (double)H5Dget_storage_size(dataset);
    for (int i = 0; i < num_dims; i++)
        claimed *= (double)dims[i];
    if (H5Fget_filesize(file, &file_size) < 0 || !(stored <= (double)file_size))
        snprintf(reason, REASON_SIZE, "claims to be stored in more bytes than the file has");
    else if (!(claimed <= stored * (deflates ? DEFLATE_RATIO : 1)))
        snprintf(reason, REASON_SIZE, "claims to be larger than what is stored can hold");
}

static void judge_layout(char reason[REASON_SIZE], hid_t properties, hid_t type, int num_dims)
{
    switch (H5Pget_layout(properties)) {
    case H5D_CHUNKED:
        judge_chunks(reason, properties, type, num_dims);
        break;
    case H5D_CONTIGUOUS:
    case H5D_COMPACT:
        break;
    case H5D_VIRTUAL:
        snprintf(reason, REASON_SIZE, "is a virtual dataset, which would be read from other files");
        break;
    default:
        snprintf(reason, REASON_SIZE, "has a layout that is not read");
    }
    if (!*reason && H5Pget_external_count(properties) != 0)
        snprintf(reason, REASON_SIZE, "is stored in other files (external storage)");
}

bool storage_check(hid_t file, const char *name, hid_t dataset, hid_t type, int num_dims, const hsize_t *dims,
                   struct error *error)
{
    char reason[REASON_SIZE] = "";
    struct filters filters = {-1, -1, -1};
    hid_t properties = H5Dget_create_plist(dataset);
    if (properties < 0)
        return hdf5_fail_at(error, file, name, "can't open the dataset");
    judge_layout(reason, properties, type, num_dims);
    if (!*reason)
        judge_filters(reason, &filters, properties);
    if (!*reason)
        judge_size(reason, file, dataset, type, num_dims, dims, filters.deflate >= 0);
    if (!*reason && H5Pget_layout(properties) == H5D_CHUNKED && filters.deflate < 0)
        judge_stored_chunks(reason, dataset, properties, type, num_dims, dims, filters.fletcher32);
    H5Pclose(properties);
    return !*reason || hdf5_refuse_at(error, file, name, reason);
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
