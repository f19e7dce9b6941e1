#include "base/hdf5/writing.h"

#include "base/hdf5/error.h"
#include "base/hdf5/types.h"

#include <stdlib.h>
#include <string.h>

enum {
    CHECKSUMMED_CHUNK = 16 << 20, /* bytes */
    DEFLATE_LEVEL = 1,
};

/* Chunks of at most max_bytes: whole but for the first axis, then the second and so on, until it fits. */
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
    if (storage == HDF5_CONTIGUOUS || num_dims == 0 || hdf5_is_empty(num_dims, dims))
        return true;
    choose_chunk(chunk, num_dims, dims, element_size,
                 storage == HDF5_CHECKSUMMED ? CHECKSUMMED_CHUNK : HDF5_COMPRESSED_CHUNK);
    if (H5Pset_chunk(properties, num_dims, chunk) < 0)
        return false;
    if (storage == HDF5_COMPRESSED && (H5Pset_shuffle(properties) < 0 || H5Pset_deflate(properties, DEFLATE_LEVEL) < 0))
        return false;
    return H5Pset_fletcher32(properties) >= 0;
}

/* Setting an order changes that of strings too, though they have none, and makes another type of one that has it already. */
hid_t hdf5_file_type(hid_t memory_type)
{
    hid_t type = H5Tcopy(memory_type);
    H5T_class_t class = H5Tget_class(type);
    bool has_numbers = class == H5T_INTEGER || class == H5T_FLOAT || class == H5T_COMPOUND;
    if (type >= 0 && has_numbers && H5Tget_order(type) != H5T_ORDER_LE && H5Tset_order(type, H5T_ORDER_LE) < 0) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

hid_t hdf5_dataset_make(hid_t file, const char *name, hid_t type, int num_dims, const hsize_t *dims,
                        enum hdf5_storage storage, struct error *error)
{
    hid_t space = num_dims == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(num_dims, dims, NULL);
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE), links = H5Pcreate(H5P_LINK_CREATE), dataset = H5I_INVALID_HID;
    if (type >= 0 && space >= 0 && creation >= 0 && links >= 0 && H5Pset_create_intermediate_group(links, 1) >= 0 &&
        set_storage(creation, num_dims, dims, H5Tget_size(type), storage))
        dataset = H5Dcreate2(file, name, type, space, links, creation, H5P_DEFAULT);
    if (dataset < 0)
        hdf5_fail_at(error, file, name, "can't make the dataset");
    if (links >= 0)
        H5Pclose(links);
    if (creation >= 0)
        H5Pclose(creation);
    if (space >= 0)
        H5Sclose(space);
    return dataset;
}

bool hdf5_dataset_finish(hid_t dataset, hid_t file, const char *name, bool ok, struct error *error)
{
    if (!ok)
        hdf5_fail_at(error, file, name, "can't write the dataset");
    if (H5Dclose(dataset) < 0 && ok)
        ok = hdf5_fail_at(error, file, name, "can't write the dataset");
    return ok;
}

bool hdf5_write_dataset(hid_t file, const char *name, hid_t memory_type, int num_dims, const hsize_t *dims,
                        const void *data, enum hdf5_storage storage, struct error *error)
{
    if (num_dims < 0 || num_dims > HDF5_MAX_DIMENSIONS)
        return hdf5_refuse_at(error, file, name, "a dataset of too many dimensions");
    hid_t type = hdf5_file_type(memory_type);
    hid_t dataset = hdf5_dataset_make(file, name, type, num_dims, dims, storage, error);
    bool ok = dataset >= 0;
    if (ok) {
        bool written =
            hdf5_is_empty(num_dims, dims) || H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
        ok = hdf5_dataset_finish(dataset, file, name, written, error);
    }
    if (type >= 0)
        H5Tclose(type);
    return ok;
}
