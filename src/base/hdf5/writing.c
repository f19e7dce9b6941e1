/* Datasets written: whole ones, and columns whose rows come bit by bit. */
#include "base/hdf5/internal.h"
#include "base/hdf5/io.h"

#include <stdlib.h>
#include <string.h>

enum {
    CHECKSUMMED_CHUNK = 16 << 20, /* bytes */
    COMPRESSED_CHUNK = 256 << 10,
    DEFLATE_LEVEL = 2, /* where HDF5 compresses */
};

bool hdf5_is_empty(int num_dims, const hsize_t *dims)
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
    if (storage == HDF5_CONTIGUOUS || num_dims == 0 || hdf5_is_empty(num_dims, dims))
        return true;
    choose_chunk(chunk, num_dims, dims, element_size,
                 storage == HDF5_CHECKSUMMED ? CHECKSUMMED_CHUNK : COMPRESSED_CHUNK);
    if (H5Pset_chunk(properties, num_dims, chunk) < 0)
        return false;
    if (storage == HDF5_COMPRESSED && (H5Pset_shuffle(properties) < 0 || H5Pset_deflate(properties, DEFLATE_LEVEL) < 0))
        return false;
    return H5Pset_fletcher32(properties) >= 0;
}

/* memory_type with its numbers little-endian; owned by the caller. Setting an order changes that of strings too, though
 * they have none, and makes another type of one that has it already. */
static hid_t make_file_type(hid_t memory_type)
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

/* Whether all chunks are of whole rows, and what is in memory is what is stored, byte by byte. */
static bool can_compress_here(hid_t type, hid_t memory_type, int num_dims, const hsize_t *dims, const hsize_t *chunk)
{
    bool whole_rows = num_dims > 0;
    for (int i = 1; i < num_dims; i++)
        whole_rows = whole_rows && chunk[i] == dims[i];
    return whole_rows && H5Tequal(type, memory_type) > 0;
}

static bool compress_values(hid_t dataset, hid_t type, int num_dims, const hsize_t *dims, hsize_t chunk_rows,
                            const void *data)
{
    size_t element_size = H5Tget_size(type), row_size = element_size;
    for (int i = 1; i < num_dims; i++)
        row_size *= (size_t)dims[i];
    struct hdf5_packing *packing = hdf5_packing_make(element_size, row_size, (size_t)chunk_rows);
    bool ok =
        packing && hdf5_packing_append(packing, data, (size_t)dims[0]) && hdf5_packing_write(packing, dataset, type);
    hdf5_packing_free(packing);
    return ok;
}

static bool write_values(hid_t dataset, hid_t type, hid_t memory_type, int num_dims, const hsize_t *dims,
                         const void *data, enum hdf5_storage storage)
{
    hsize_t chunk[HDF5_MAX_DIMENSIONS];
    if (hdf5_is_empty(num_dims, dims))
        return true;
    choose_chunk(chunk, num_dims, dims, H5Tget_size(type), COMPRESSED_CHUNK);
    if (storage == HDF5_COMPRESSED && can_compress_here(type, memory_type, num_dims, dims, chunk))
        return compress_values(dataset, type, num_dims, dims, chunk[0], data);
    return H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
}

/* A dataset without values yet, of `type`, which is the file's. */
static hid_t make_dataset(hid_t file, const char *name, hid_t type, int num_dims, const hsize_t *dims,
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

/* `ok`: whether its values were written. */
static bool finish_dataset(hid_t dataset, hid_t file, const char *name, bool ok, struct error *error)
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
    hid_t type = make_file_type(memory_type);
    hid_t dataset = make_dataset(file, name, type, num_dims, dims, storage, error);
    bool ok = dataset >= 0;
    if (ok) {
        bool written = write_values(dataset, type, memory_type, num_dims, dims, data, storage);
        ok = finish_dataset(dataset, file, name, written, error);
    }
    if (type >= 0)
        H5Tclose(type);
    return ok;
}

struct hdf5_column {
    hid_t memory_type; /* not owned */
    hid_t type;        /* the file's; owned */
    size_t row_elements;
    hsize_t num_rows;
    struct hdf5_packing *packing; /* owned */
};

bool hdf5_column_make(struct hdf5_column **column, hid_t memory_type, size_t row_elements, struct error *error)
{
    size_t row_size = row_elements * H5Tget_size(memory_type);
    *column = calloc(1, sizeof **column);
    if (*column) {
        **column = (struct hdf5_column){memory_type, make_file_type(memory_type), row_elements, 0, NULL};
        (*column)->packing = hdf5_packing_make(H5Tget_size(memory_type), row_size, COMPRESSED_CHUNK / row_size);
        if ((*column)->type >= 0 && (*column)->packing)
            return true;
    }
    hdf5_column_free(*column);
    *column = NULL;
    return error_set(error, "no memory to compress a dataset");
}

void hdf5_column_free(struct hdf5_column *column)
{
    if (!column)
        return;
    hdf5_packing_free(column->packing);
    if (column->type >= 0)
        H5Tclose(column->type);
    free(column);
}

/* As rows shall lie in the file, where that is not how they are in memory; owned by the caller. */
static void *convert_rows(const struct hdf5_column *column, const void *rows, size_t num_elements)
{
    size_t size = num_elements * H5Tget_size(column->type);
    void *converted = malloc(size + 1);
    if (!converted)
        return NULL;
    memcpy(converted, rows, size);
    if (H5Tconvert(column->memory_type, column->type, num_elements, converted, NULL, H5P_DEFAULT) >= 0)
        return converted;
    free(converted);
    return NULL;
}

bool hdf5_column_append(struct hdf5_column *column, const void *rows, size_t num_rows, struct error *error)
{
    void *converted = NULL;
    if (H5Tequal(column->memory_type, column->type) <= 0)
        rows = converted = convert_rows(column, rows, num_rows * column->row_elements);
    bool ok = rows && hdf5_packing_append(column->packing, rows, num_rows);
    free(converted);
    column->num_rows += num_rows;
    return ok || error_set(error, "no memory for %llu rows of a dataset", (unsigned long long)column->num_rows);
}

bool hdf5_column_write(struct hdf5_column *column, hid_t file, const char *name, struct error *error)
{
    hsize_t dims[2] = {column->num_rows, column->row_elements};
    hid_t dataset = make_dataset(file, name, column->type, 2, dims, HDF5_COMPRESSED, error);
    if (dataset < 0)
        return false;
    bool written = hdf5_packing_write(column->packing, dataset, column->type);
    return finish_dataset(dataset, file, name, written, error);
}
