#include "programs/hdf5_reader/dataset.h"

#include "base/text.h"
#include "programs/hdf5_reader/storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void dataset_close(struct dataset *dataset)
{
    if (dataset->type >= 0)
        H5Tclose(dataset->type);
    if (dataset->id >= 0)
        H5Dclose(dataset->id);
    chunks_close(&dataset->chunks);
    *dataset = DATASET_NONE;
}

static bool read_sizes(struct dataset *dataset, hid_t file, int num_dims, struct error *error)
{
    hid_t space = H5Dget_space(dataset->id);
    bool ok = false;
    if (space < 0)
        return hdf5_fail_at(error, file, dataset->name, "can't read the dataset");
    if (num_dims < 0 || num_dims > HDF5_MAX_DIMENSIONS || H5Sget_simple_extent_ndims(space) != num_dims)
        hdf5_refuse_at(error, file, dataset->name, "the dataset has another number of dimensions");
    else if (H5Sget_simple_extent_dims(space, dataset->dims, NULL) < 0)
        hdf5_fail_at(error, file, dataset->name, "can't read the dataset");
    else
        ok = true;
    dataset->num_dims = num_dims;
    H5Sclose(space);
    return ok;
}

/* Whether values of this type are kept elsewhere: H5Tget_size says how large they are in memory, not in the file. */
static bool is_kept_elsewhere(hid_t type)
{
    H5T_class_t class = H5Tget_class(type);
    bool found = class == H5T_VLEN || class == H5T_REFERENCE || H5Tis_variable_str(type) > 0;
    int count = class == H5T_COMPOUND ? H5Tget_nmembers(type) : class == H5T_ARRAY ? 1 : 0;
    for (int i = 0; i < count && !found; i++) {
        hid_t part = class == H5T_ARRAY ? H5Tget_super(type) : H5Tget_member_type(type, (unsigned)i);
        found = part < 0 || is_kept_elsewhere(part);
        if (part >= 0)
            H5Tclose(part);
    }
    return found;
}

/* Whether each member of a compound lies within it. HDF5 does not ask, and reads a row's neighbors, or what is behind them. */
static bool holds_its_members(hid_t type)
{
    bool holds = true;
    int count = H5Tget_class(type) == H5T_COMPOUND ? H5Tget_nmembers(type) : 0;
    size_t size = H5Tget_size(type);
    for (int i = 0; holds && i < count; i++) {
        hid_t member = H5Tget_member_type(type, (unsigned)i);
        size_t offset = H5Tget_member_offset(type, (unsigned)i), length = member >= 0 ? H5Tget_size(member) : 0;
        holds = length > 0 && offset <= size && length <= size - offset;
        if (member >= 0)
            H5Tclose(member);
    }
    return holds;
}

static bool has_readable_names(hid_t type)
{
    bool readable = true;
    int count = H5Tget_class(type) == H5T_COMPOUND ? H5Tget_nmembers(type) : 0;
    for (int i = 0; readable && i < count; i++) {
        char *name = H5Tget_member_name(type, (unsigned)i);
        readable = name && text_is_utf8(name);
        H5free_memory(name);
    }
    return readable;
}

bool dataset_open(struct dataset *dataset, hid_t file, const char *name, int num_dims, struct error *error)
{
    *dataset = DATASET_NONE;
    if (!storage_check_links(file, name, error))
        return false;
    snprintf(dataset->name, sizeof dataset->name, "%s", name);
    dataset->id = H5Dopen2(file, name, H5P_DEFAULT);
    if (dataset->id >= 0)
        dataset->type = H5Dget_type(dataset->id);
    bool ok = dataset->type >= 0;
    if (!ok)
        hdf5_fail_at(error, file, name, "can't open the dataset");
    ok = ok && (!is_kept_elsewhere(dataset->type) ||
                hdf5_refuse_at(error, file, name, "the dataset has values of variable length, or references"));
    ok = ok && (holds_its_members(dataset->type) ||
                hdf5_refuse_at(error, file, name, "the dataset's rows have a column that lies outside of them"));
    ok = ok && (has_readable_names(dataset->type) ||
                hdf5_refuse_at(error, file, name, "the dataset's rows have a column whose name is not UTF-8"));
    ok = ok && read_sizes(dataset, file, num_dims, error);
    ok = ok && storage_check(&dataset->chunks, file, name, dataset->id, dataset->type, num_dims, dataset->dims, error);
    if (!ok)
        dataset_close(dataset);
    return ok;
}

bool dataset_check_sizes(const struct dataset *dataset, hid_t file, const hsize_t *dims, struct error *error)
{
    for (int i = 0; i < dataset->num_dims; i++)
        if (dataset->dims[i] != dims[i]) {
            struct error detail;
            error_set(&detail, "the size of dimension %d is %llu, but must be %llu", i,
                      (unsigned long long)dataset->dims[i], (unsigned long long)dims[i]);
            return hdf5_refuse_at(error, file, dataset->name, detail.message);
        }
    return true;
}

static bool is_half(hid_t type)
{
    const H5T_order_t orders[] = {H5T_ORDER_LE, H5T_ORDER_BE};
    bool found = false;
    for (size_t i = 0; i < sizeof orders / sizeof *orders && !found; i++) {
        hid_t half = hdf5_half_type(orders[i]);
        found = half >= 0 && H5Tequal(type, half) > 0;
        if (half >= 0)
            H5Tclose(half);
    }
    return found;
}

bool dataset_check_floats(const struct dataset *dataset, hid_t file, struct error *error)
{
    if (H5Tget_class(dataset->type) == H5T_FLOAT &&
        (H5Tget_size(dataset->type) == sizeof(float) ? hdf5_is_plain_number(dataset->type, H5T_FLOAT)
                                                     : is_half(dataset->type)))
        return true;
    return hdf5_refuse_at(error, file, dataset->name, "the dataset's elements are neither 32-bit nor 16-bit floats");
}

bool dataset_check_type(const struct dataset *dataset, hid_t file, hid_t memory_type, struct error *error)
{
    H5T_class_t class = H5Tget_class(memory_type);
    if (H5Tget_class(dataset->type) == class && hdf5_is_plain_number(dataset->type, class) &&
        H5Tget_size(dataset->type) == H5Tget_size(memory_type))
        return true;
    return hdf5_refuse_at(error, file, dataset->name, "the dataset's elements are of another type");
}

/* A scalar has one row. */
static hsize_t num_rows_of(const struct dataset *dataset)
{
    return dataset->num_dims > 0 ? dataset->dims[0] : 1;
}

bool dataset_check_rows(const struct dataset *dataset, hid_t file, hsize_t first, hsize_t count, struct error *error)
{
    hsize_t num_rows = num_rows_of(dataset);
    return (first <= num_rows && count <= num_rows - first) ||
           hdf5_refuse_at(error, file, dataset->name, "the dataset has fewer rows");
}

hsize_t dataset_row_size(const struct dataset *dataset)
{
    hsize_t size = H5Tget_size(dataset->type);
    for (int i = 1; i < dataset->num_dims; i++)
        size *= dataset->dims[i];
    return size;
}

hsize_t dataset_part(const struct dataset *dataset, hsize_t first, hsize_t count, hsize_t max_rows)
{
    hsize_t chunk_rows = dataset->chunks.dims[0];
    if (count <= max_rows)
        return count;
    hsize_t end = first + max_rows;
    if (chunk_rows > 0 && end - end % chunk_rows > first)
        end -= end % chunk_rows;
    return end - first;
}

/* Rows [first, first + count) by HDF5 itself. */
static bool read_selected(void *data, const struct dataset *dataset, hid_t memory_type, hsize_t first, hsize_t count)
{
    hsize_t start[HDF5_MAX_DIMENSIONS] = {first}, sizes[HDF5_MAX_DIMENSIONS];
    memcpy(sizes, dataset->dims, sizeof sizes);
    sizes[0] = count;
    hid_t stored = H5Dget_space(dataset->id), wanted = H5Screate_simple(dataset->num_dims, sizes, NULL);
    bool ok = stored >= 0 && wanted >= 0 &&
              H5Sselect_hyperslab(stored, H5S_SELECT_SET, start, NULL, sizes, NULL) >= 0 &&
              H5Dread(dataset->id, memory_type, wanted, stored, H5P_DEFAULT, data) >= 0;
    if (wanted >= 0)
        H5Sclose(wanted);
    if (stored >= 0)
        H5Sclose(stored);
    return ok;
}

/* Elements as they are stored become those of the memory's type, where they lie. */
static bool convert(void *elements, size_t count, const struct dataset *dataset, hid_t memory_type)
{
    void *background = NULL; /* what the memory has beside the members of a compound */
    bool is_compound = H5Tget_class(dataset->type) == H5T_COMPOUND;
    if (is_compound && !(background = calloc(count, H5Tget_size(memory_type))))
        return false;
    bool ok = H5Tconvert(dataset->type, memory_type, count, elements, background, H5P_DEFAULT) >= 0;
    free(background);
    return ok;
}

/* Rows [first, first + count) of a dataset in chunks. */
static bool read_chunks(void *data, struct dataset *dataset, hid_t file, hid_t memory_type, hsize_t first,
                        hsize_t count, struct error *error)
{
    size_t size = H5Tget_size(memory_type), stored_size = (size_t)(count * dataset_row_size(dataset));
    size_t num_elements = stored_size / dataset->chunks.element_size;
    bool needs_room = dataset->chunks.element_size > size;
    unsigned char *room = needs_room ? malloc(stored_size) : data;
    if (!room)
        return hdf5_refuse_at(error, file, dataset->name, "no memory for its rows");
    bool ok = chunks_read(room, &dataset->chunks, file, dataset->name, dataset->id, dataset->dims, first, count, error);
    if (ok && !convert(room, num_elements, dataset, memory_type))
        ok = hdf5_fail_at(error, file, dataset->name, "can't be read as asked");
    if (ok && needs_room)
        memcpy(data, room, num_elements * size);
    if (needs_room)
        free(room);
    return ok;
}

bool dataset_read(void *data, struct dataset *dataset, hid_t file, hid_t memory_type, hsize_t first, hsize_t count,
                  struct error *error)
{
    if (count == 0 || hdf5_is_empty(dataset->num_dims, dataset->dims))
        return true;
    if (dataset->chunks.num_dims > 0)
        return read_chunks(data, dataset, file, memory_type, first, count, error);
    bool ok = count == num_rows_of(dataset)
                  ? H5Dread(dataset->id, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0
                  : read_selected(data, dataset, memory_type, first, count);
    return ok || hdf5_fail_at(error, file, dataset->name, "the dataset is damaged");
}
