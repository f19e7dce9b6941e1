#include "base/hdf5/reading.h"

#include "base/hdf5/error.h"
#include "base/hdf5/storage.h"
#include "base/hdf5/types.h"

#include <stdlib.h>
#include <string.h>

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
    if (!hdf5_check_links(file, name, error))
        return false;
    dataset->id = H5Dopen2(file, name, H5P_DEFAULT);
    if (dataset->id >= 0)
        dataset->type = H5Dget_type(dataset->id);
    bool ok = dataset->type >= 0;
    if (!ok)
        hdf5_fail_at(error, file, name, "can't open the dataset");
    ok = ok && read_sizes(dataset, file, name, num_dims, error);
    ok = ok && hdf5_check_storage(file, name, dataset->id, dataset->type, num_dims, dataset->dims, error);
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

/* Rows [first, first + count) by HDF5 itself. */
static bool read_selected(void *data, const struct dataset *dataset, hid_t memory_type, int num_dims, hsize_t first,
                          hsize_t count)
{
    hsize_t start[HDF5_MAX_DIMENSIONS] = {first}, sizes[HDF5_MAX_DIMENSIONS];
    memcpy(sizes, dataset->dims, sizeof sizes);
    sizes[0] = count;
    hid_t stored = H5Dget_space(dataset->id), wanted = H5Screate_simple(num_dims, sizes, NULL);
    bool ok = stored >= 0 && wanted >= 0 &&
              H5Sselect_hyperslab(stored, H5S_SELECT_SET, start, NULL, sizes, NULL) >= 0 &&
              H5Dread(dataset->id, memory_type, wanted, stored, H5P_DEFAULT, data) >= 0;
    if (wanted >= 0)
        H5Sclose(wanted);
    if (stored >= 0)
        H5Sclose(stored);
    return ok;
}

/* A scalar has one row. */
static hsize_t num_rows_of(int num_dims, const hsize_t *dims)
{
    return num_dims > 0 ? dims[0] : 1;
}

static bool read_values(void *data, const struct dataset *dataset, hid_t memory_type, int num_dims, hsize_t first,
                        hsize_t count)
{
    if (count == 0 || hdf5_is_empty(num_dims, dataset->dims))
        return true;
    if (count == num_rows_of(num_dims, dataset->dims))
        return H5Dread(dataset->id, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
    return read_selected(data, dataset, memory_type, num_dims, first, count);
}

static bool check_sizes(const struct dataset *dataset, hid_t file, const char *name, int num_dims, const hsize_t *dims,
                        struct error *error)
{
    for (int i = 0; i < num_dims; i++)
        if (dataset->dims[i] != dims[i]) {
            struct error detail;
            error_set(&detail, "the size of dimension %d is %llu, but must be %llu", i,
                      (unsigned long long)dataset->dims[i], (unsigned long long)dims[i]);
            return hdf5_refuse_at(error, file, name, detail.message);
        }
    return true;
}

bool hdf5_read_rows(void *data, hid_t file, const char *name, hid_t memory_type, int num_dims, const hsize_t *dims,
                    hsize_t first, hsize_t count, struct error *error)
{
    struct dataset dataset;
    hsize_t num_rows = num_rows_of(num_dims, dims);
    if (!open_dataset(&dataset, file, name, num_dims, error))
        return false;
    bool ok = check_sizes(&dataset, file, name, num_dims, dims, error);
    if (ok && (first > num_rows || count > num_rows - first))
        ok = hdf5_refuse_at(error, file, name, "the dataset has fewer rows");
    if (ok && !types_match(dataset.type, memory_type))
        ok = hdf5_refuse_at(error, file, name, "the dataset's elements are of another type");
    if (ok && !read_values(data, &dataset, memory_type, num_dims, first, count))
        ok = hdf5_fail_at(error, file, name, "the dataset is damaged");
    close_dataset(&dataset);
    return ok;
}

bool hdf5_read_dataset(void *data, hid_t file, const char *name, hid_t memory_type, int num_dims, const hsize_t *dims,
                       struct error *error)
{
    return hdf5_read_rows(data, file, name, memory_type, num_dims, dims, 0, num_rows_of(num_dims, dims), error);
}
