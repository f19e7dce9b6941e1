#include "programs/hdf5_reader/chunks.h"

#include "programs/hdf5_reader/descriptor_driver.h"

#include <stdlib.h>
#include <string.h>

bool chunks_open(struct chunks *chunks, hid_t properties, hid_t type, int num_dims, struct error *error)
{
    unsigned options = 0;
    double size = (double)H5Tget_size(type);
    *chunks = (struct chunks){0};
    if (num_dims < 1 || num_dims > HDF5_MAX_DIMENSIONS ||
        H5Pget_chunk(properties, HDF5_MAX_DIMENSIONS, chunks->dims) != num_dims)
        return error_set(error, "has chunks of another number of dimensions");
    for (int i = 0; i < num_dims; i++)
        size *= (double)chunks->dims[i];
    if (!(size > 0))
        return error_set(error, "has chunks of no size");
    if (!(size <= CHUNKS_MAX_SIZE))
        return error_set(error, "has chunks of %.0f MiB; at most %d MiB are read", size / (1 << 20),
                         CHUNKS_MAX_SIZE >> 20);
    if (H5Pget_chunk_opts(properties, &options) < 0 || options != 0)
        return error_set(error, "has chunks at its edges that are stored in another way");
    chunks->num_dims = num_dims;
    chunks->element_size = H5Tget_size(type);
    chunks->chunk_size = (size_t)size;
    return filters_read(&chunks->filters, properties, error);
}

void chunks_close(struct chunks *chunks)
{
    free(chunks->loaded.bytes);
    free(chunks->loaded.spare);
    *chunks = (struct chunks){0};
}

static bool make_room(struct chunks *chunks)
{
    struct filter_bytes *loaded = &chunks->loaded;
    loaded->capacity = filters_capacity(chunks->chunk_size);
    if (!loaded->bytes)
        loaded->bytes = malloc(loaded->capacity);
    if (!loaded->spare)
        loaded->spare = malloc(loaded->capacity);
    return loaded->bytes && loaded->spare;
}

/* Reads what is stored of the chunk that begins at the element `at`. How much that is only the driver knows for sure:
 * H5Dget_chunk_storage_size says of a dataset without filters what should be stored. */
static bool read_stored(uint32_t *mask, struct chunks *chunks, hid_t file, const char *name, hid_t dataset,
                        const hsize_t *at, struct error *error)
{
    struct filter_bytes *loaded = &chunks->loaded;
    struct descriptor_file *source = descriptor_driver_file(file);
    if (!source || !make_room(chunks))
        return hdf5_refuse_at(error, file, name, "no memory for a chunk");
    source->max_values_size = loaded->capacity;
    source->values_size = 0;
    bool ok = H5Dread_chunk(dataset, H5P_DEFAULT, at, mask, loaded->bytes) >= 0 ||
              hdf5_fail_at(error, file, name, "the dataset is damaged");
    source->max_values_size = UINT64_MAX;
    loaded->size = (size_t)source->values_size;
    return ok;
}

static bool load(struct chunks *chunks, hid_t file, const char *name, hid_t dataset, const hsize_t *at,
                 struct error *error)
{
    size_t position_size = (size_t)chunks->num_dims * sizeof *at;
    uint32_t mask = 0;
    struct error reason;
    if (chunks->is_loaded && memcmp(chunks->at, at, position_size) == 0)
        return true;
    chunks->is_loaded = false;
    if (!read_stored(&mask, chunks, file, name, dataset, at, error))
        return false;
    if (!filters_undo(&chunks->loaded, &chunks->filters, mask, chunks->chunk_size, &reason))
        return hdf5_refuse_at(error, file, name, reason.message);
    chunks->is_loaded = true;
    memcpy(chunks->at, at, position_size);
    return true;
}

/* The first axis of a box of elements, and those after it. */
static void copy_box(unsigned char *to, const hsize_t *to_dims, const unsigned char *from, const hsize_t *from_dims,
                     const hsize_t *box, int num_dims, size_t element_size)
{
    size_t to_stride = element_size, from_stride = element_size;
    bool is_whole = true;
    for (int i = 1; i < num_dims; i++) {
        to_stride *= (size_t)to_dims[i];
        from_stride *= (size_t)from_dims[i];
        is_whole = is_whole && box[i] == to_dims[i] && box[i] == from_dims[i];
    }
    if (is_whole)
        memcpy(to, from, (size_t)box[0] * to_stride);
    else
        for (hsize_t i = 0; i < box[0]; i++)
            copy_box(to + i * to_stride, to_dims + 1, from + i * from_stride, from_dims + 1, box + 1, num_dims - 1,
                     element_size);
}

/* What of the loaded chunk is in the rows from `first` on; rows_dims are the sizes of all of them. */
static void copy_part(unsigned char *rows, const hsize_t *rows_dims, hsize_t first, const struct chunks *chunks)
{
    hsize_t box[HDF5_MAX_DIMENSIONS] = {0};
    size_t to_offset = 0, from_offset = 0;
    for (int i = 0; i < chunks->num_dims; i++) {
        hsize_t start = i == 0 ? first : 0, end = start + rows_dims[i], at = chunks->at[i];
        hsize_t low = at > start ? at : start, high = end - at > chunks->dims[i] ? at + chunks->dims[i] : end;
        box[i] = high - low;
        to_offset = to_offset * (size_t)rows_dims[i] + (size_t)(low - start);
        from_offset = from_offset * (size_t)chunks->dims[i] + (size_t)(low - at);
    }
    copy_box(rows + to_offset * chunks->element_size, rows_dims,
             chunks->loaded.bytes + from_offset * chunks->element_size, chunks->dims, box, chunks->num_dims,
             chunks->element_size);
}

bool chunks_read(unsigned char *rows, struct chunks *chunks, hid_t file, const char *name, hid_t dataset,
                 const hsize_t *dims, hsize_t first, hsize_t count, struct error *error)
{
    hsize_t rows_dims[HDF5_MAX_DIMENSIONS], at[HDF5_MAX_DIMENSIONS] = {first - first % chunks->dims[0]};
    memcpy(rows_dims, dims, sizeof rows_dims);
    rows_dims[0] = count;
    for (int i = 0; i >= 0;) {
        if (!load(chunks, file, name, dataset, at, error))
            return false;
        copy_part(rows, rows_dims, first, chunks);
        for (i = chunks->num_dims - 1; i >= 0; i--) { /* the next chunk, if any */
            hsize_t end = i == 0 ? first + count : dims[i];
            if (end - at[i] > chunks->dims[i]) {
                at[i] += chunks->dims[i];
                break;
            }
            at[i] = 0;
        }
    }
    return true;
}
