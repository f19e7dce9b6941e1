/* Whole datasets, written and read at once. */
#include "base/hdf5_internal.h"
#include "base/hdf5_io.h"

#include <stdlib.h>
#include <string.h>

enum {
    CHECKSUMMED_CHUNK = 16 << 20, /* bytes */
    COMPRESSED_CHUNK = 256 << 10,
    DEFLATE_LEVEL = 2,    /* where HDF5 compresses */
    DEFLATE_RATIO = 1100, /* deflate never shrinks by more than 1032 (zlib's documentation) */
};

static bool is_empty(int num_dims, const hsize_t *dims)
{
    for (int i = 0; i < num_dims; i++)
        if (dims[i] == 0)
            return true;
    return false;
}

/* Chunks of at most max_bytes: whole but for the first axis, then the second and so on, as far as needed. */
static void choose_chunk(hsize_t *chunk, int num_dims, const hsize_t *dims, size_t element_size, size_t max_bytes)
{
    hsize_t elements = max_bytes / element_size;
    for (int i = num_dims - 1; i >= 0; i--) {
        chunk[i] = dims[i] < elements ? dims[i] : elements;
        if (chunk[i] == 0)
            chunk[i] = 1;
        elements /= chunk[i];
    }
}

/* How to store; a failed call shows when the dataset is made. Nothing to store needs no chunks. */
static bool set_storage(hid_t properties, int num_dims, const hsize_t *dims, size_t element_size,
                        enum hdf5_storage storage)
{
    hsize_t chunk[HDF5_MAX_DIMENSIONS];
    /* Without times, the same content is the same bytes. */
    if (H5Pset_obj_track_times(properties, false) < 0)
        return false;
    if (storage == HDF5_CONTIGUOUS || num_dims == 0 || is_empty(num_dims, dims))
        return true;
    choose_chunk(chunk, num_dims, dims, element_size,
                 storage == HDF5_CHECKSUMMED ? CHECKSUMMED_CHUNK : COMPRESSED_CHUNK);
    if (H5Pset_chunk(properties, num_dims, chunk) < 0)
        return false;
    if (storage == HDF5_COMPRESSED && (H5Pset_shuffle(properties) < 0 || H5Pset_deflate(properties, DEFLATE_LEVEL) < 0))
        return false;
    return H5Pset_fletcher32(properties) >= 0;
}

/* memory_type with its numbers little-endian; owned by the caller. */
static hid_t make_file_type(hid_t memory_type)
{
    hid_t type = H5Tcopy(memory_type);
    H5T_class_t class = H5Tget_class(type);
    bool has_numbers = class == H5T_INTEGER || class == H5T_FLOAT || class == H5T_COMPOUND;
    if (type >= 0 && has_numbers && H5Tset_order(type, H5T_ORDER_LE) < 0) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

/* Whether all chunks are of whole rows, and what is in memory is what is stored, byte by byte. */
static bool can_compress_here(hid_t type, hid_t memory_type, int num_dims, const hsize_t *dims, const hsize_t *chunk)
{
    bool whole_rows = num_dims > 0;
    for (int i = 1; i < num_dims; i++)
        whole_rows = whole_rows && chunk[i] == dims[i];
    return whole_rows && H5Tequal(type, memory_type) > 0;
}

static bool write_values(hid_t dataset, hid_t type, hid_t memory_type, int num_dims, const hsize_t *dims,
                         const void *data, enum hdf5_storage storage)
{
    hsize_t chunk[HDF5_MAX_DIMENSIONS];
    if (is_empty(num_dims, dims))
        return true;
    choose_chunk(chunk, num_dims, dims, H5Tget_size(type), COMPRESSED_CHUNK);
    if (storage == HDF5_COMPRESSED && can_compress_here(type, memory_type, num_dims, dims, chunk))
        return hdf5_write_compressed(dataset, type, num_dims, dims, chunk[0], data);
    return H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
}

bool hdf5_write_dataset(hid_t file, const char *name, hid_t memory_type, int num_dims, const hsize_t *dims,
                        const void *data, enum hdf5_storage storage, struct error *error)
{
    bool ok = false;
    hid_t space = H5I_INVALID_HID, creation = H5I_INVALID_HID, links = H5I_INVALID_HID, dataset = H5I_INVALID_HID;
    hid_t type = make_file_type(memory_type);
    if (num_dims < 0 || num_dims > HDF5_MAX_DIMENSIONS) {
        hdf5_refuse_at(error, file, name, "a dataset of too many dimensions");
        goto done;
    }
    space = num_dims == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(num_dims, dims, NULL);
    creation = H5Pcreate(H5P_DATASET_CREATE);
    links = H5Pcreate(H5P_LINK_CREATE);
    if (type < 0 || space < 0 || creation < 0 || links < 0 || H5Pset_create_intermediate_group(links, 1) < 0 ||
        !set_storage(creation, num_dims, dims, H5Tget_size(type), storage)) {
        hdf5_fail_at(error, file, name, "can't make the dataset");
        goto done;
    }
    dataset = H5Dcreate2(file, name, type, space, links, creation, H5P_DEFAULT);
    if (dataset < 0 || !write_values(dataset, type, memory_type, num_dims, dims, data, storage)) {
        hdf5_fail_at(error, file, name, "can't write the dataset");
        goto done;
    }
    ok = true;
done:
    if (dataset >= 0 && H5Dclose(dataset) < 0 && ok)
        ok = hdf5_fail_at(error, file, name, "can't write the dataset");
    if (links >= 0)
        H5Pclose(links);
    if (creation >= 0)
        H5Pclose(creation);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    return ok;
}

/* An open dataset with its type and sizes. */
struct dataset {
    hid_t id, type;
    hsize_t dims[HDF5_MAX_DIMENSIONS];
};

static void close_dataset(struct dataset *dataset)
{
    if (dataset->type >= 0)
        H5Tclose(dataset->type);
    if (dataset->id >= 0)
        H5Dclose(dataset->id);
}

/* Whether what is stored can hold as many elements as the dataset claims, so that nobody takes memory for a claim alone. A
 * virtual dataset stores nothing itself. */
static bool claim_is_possible(const struct dataset *dataset, int num_dims)
{
    hid_t properties = H5Dget_create_plist(dataset->id);
    if (properties < 0)
        return false;
    H5D_layout_t layout = H5Pget_layout(properties);
    int num_external = H5Pget_external_count(properties);
    H5Pclose(properties);
    if (num_external != 0)
        return false;
    if (layout == H5D_VIRTUAL)
        return true;
    if (layout != H5D_CHUNKED && layout != H5D_CONTIGUOUS && layout != H5D_COMPACT)
        return false;
    double claimed = (double)H5Tget_size(dataset->type);
    for (int i = 0; i < num_dims; i++)
        claimed *= (double)dataset->dims[i];
    return claimed <= (double)H5Dget_storage_size(dataset->id) * (layout == H5D_CHUNKED ? DEFLATE_RATIO : 1.0);
}

/* Fails where a link on the way is missing, which H5Lexists alone would only say of the last. */
static bool is_there(hid_t file, const char *name)
{
    char part[256];
    size_t length = strlen(name);
    if (length >= sizeof part)
        return false;
    for (size_t end = 1; end <= length; end++) {
        if (end < length && name[end] != '/')
            continue;
        memcpy(part, name, end);
        part[end] = '\0';
        if (H5Lexists(file, part, H5P_DEFAULT) <= 0)
            return false;
    }
    return length > 0;
}

static bool read_sizes(struct dataset *dataset, hid_t file, const char *name, int num_dims, struct error *error)
{
    hid_t space = H5Dget_space(dataset->id);
    bool ok = false;
    if (space < 0)
        return hdf5_fail_at(error, file, name, "can't read the dataset");
    if (num_dims > HDF5_MAX_DIMENSIONS || H5Sget_simple_extent_ndims(space) != num_dims)
        hdf5_refuse_at(error, file, name, "the dataset has another number of dimensions");
    else if (H5Sget_simple_extent_dims(space, dataset->dims, NULL) < 0)
        hdf5_fail_at(error, file, name, "can't read the dataset");
    else
        ok = true;
    H5Sclose(space);
    return ok;
}

static bool open_dataset(struct dataset *dataset, hid_t file, const char *name, int num_dims, struct error *error)
{
    *dataset = (struct dataset){.id = H5I_INVALID_HID, .type = H5I_INVALID_HID};
    if (!is_there(file, name))
        return hdf5_refuse_at(error, file, name, "the dataset is missing");
    dataset->id = H5Dopen2(file, name, H5P_DEFAULT);
    if (dataset->id >= 0)
        dataset->type = H5Dget_type(dataset->id);
    bool ok = dataset->type >= 0;
    if (!ok)
        hdf5_fail_at(error, file, name, "can't open the dataset");
    ok = ok && read_sizes(dataset, file, name, num_dims, error);
    if (ok && !claim_is_possible(dataset, num_dims))
        ok =
            hdf5_refuse_at(error, file, name, "the dataset claims to be larger than what is stored, or lies elsewhere");
    if (!ok)
        close_dataset(dataset);
    return ok;
}

bool hdf5_dataset_dims(hsize_t *dims, hid_t file, const char *name, int num_dims, struct error *error)
{
    struct dataset dataset;
    if (!open_dataset(&dataset, file, name, num_dims, error))
        return false;
    memcpy(dims, dataset.dims, (size_t)num_dims * sizeof *dims);
    close_dataset(&dataset);
    return true;
}

static bool types_match(hid_t file_type, hid_t memory_type);

/* HDF5 leaves a member that the file lacks as it is in memory, which is to say undefined. */
static bool compounds_match(hid_t file_type, hid_t memory_type)
{
    int num_members = H5Tget_nmembers(memory_type);
    bool ok = num_members > 0;
    for (int i = 0; ok && i < num_members; i++) {
        char *name = H5Tget_member_name(memory_type, (unsigned)i);
        int index = name ? H5Tget_member_index(file_type, name) : -1;
        hid_t wanted = H5Tget_member_type(memory_type, (unsigned)i);
        hid_t found = index >= 0 ? H5Tget_member_type(file_type, (unsigned)index) : H5I_INVALID_HID;
        ok = wanted >= 0 && found >= 0 && types_match(found, wanted);
        if (wanted >= 0)
            H5Tclose(wanted);
        if (found >= 0)
            H5Tclose(found);
        if (name)
            H5free_memory(name);
    }
    return ok;
}

/* Whether the file's values are what the memory's type says, but for the order of bytes: reading never rounds or cuts. */
static bool types_match(hid_t file_type, hid_t memory_type)
{
    H5T_class_t class = H5Tget_class(memory_type);
    if (H5Tget_class(file_type) != class)
        return false;
    if (class == H5T_COMPOUND)
        return compounds_match(file_type, memory_type);
    if (class == H5T_INTEGER || class == H5T_FLOAT)
        return hdf5_is_plain_number(file_type, class) && H5Tget_size(file_type) == H5Tget_size(memory_type) &&
               (class == H5T_FLOAT || H5Tget_sign(file_type) == H5Tget_sign(memory_type));
    if (class == H5T_STRING)
        return H5Tis_variable_str(file_type) == H5Tis_variable_str(memory_type);
    return H5Tequal(file_type, memory_type) > 0;
}

static bool read_values(void *data, const struct dataset *dataset, hid_t memory_type, int num_dims, const hsize_t *dims)
{
    return is_empty(num_dims, dims) ||
           (H5Tequal(dataset->type, memory_type) > 0 &&
            hdf5_read_compressed(data, dataset->id, memory_type, num_dims, dims)) ||
           H5Dread(dataset->id, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
}

bool hdf5_read_dataset(void *data, hid_t file, const char *name, hid_t memory_type, int num_dims, const hsize_t *dims,
                       struct error *error)
{
    struct dataset dataset;
    if (!open_dataset(&dataset, file, name, num_dims, error))
        return false;
    bool ok = true;
    for (int i = 0; ok && i < num_dims; i++)
        if (dataset.dims[i] != dims[i]) {
            struct error detail;
            error_set(&detail, "the size of dimension %d is %llu, but must be %llu", i,
                      (unsigned long long)dataset.dims[i], (unsigned long long)dims[i]);
            ok = hdf5_refuse_at(error, file, name, detail.message);
        }
    if (ok && !types_match(dataset.type, memory_type))
        ok = hdf5_refuse_at(error, file, name, "the dataset's elements are of another type");
    if (ok && !read_values(data, &dataset, memory_type, num_dims, dims))
        ok = hdf5_fail_at(error, file, name, "the dataset is damaged");
    close_dataset(&dataset);
    return ok;
}
