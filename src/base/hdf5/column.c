#include "base/hdf5/column.h"

#include "base/array.h"
#include "base/hdf5/error.h"
#include "base/hdf5/file.h"
#include "base/hdf5/types.h"
#include "base/hdf5/writing.h"
#include "base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* HDF5 compresses a chunk where it writes one. So each chunk that is full is written to a file in memory that holds this
 * chunk alone, and read back as it is stored: that goes into the file at the end. */
struct hdf5_column {
    hid_t memory_type;             /* not owned */
    hid_t type;                    /* the file's; owned */
    hid_t scratch, scratch_values; /* the file in memory, and its dataset of one chunk; owned */
    size_t row_elements, row_size, chunk_rows;
    uint8_t *rows; /* [chunk_rows, row_size]: the rows that fill no chunk yet; owned */
    size_t num_rows;
    uint8_t *packed; /* [packed_size]: the full chunks, compressed; owned */
    size_t packed_size, packed_capacity;
    size_t *sizes; /* [num_chunks]: their bytes; owned */
    size_t num_chunks, sizes_capacity;
    hid_t file, stream;  /* where chunks go at once: the file, not owned, and its dataset; H5I_INVALID_HID before */
    size_t num_streamed; /* chunks */
};

static hid_t create_scratch(const struct hdf5_column *column)
{
    enum { MEMORY_STEP = 1 << 20 };
    hid_t file = H5I_INVALID_HID, access = H5Pcreate(H5P_FILE_ACCESS);
    char *name = format_text("column-%p", (const void *)column); /* HDF5 takes files of one name for the same file */
    if (access >= 0 && H5Pset_fapl_core(access, MEMORY_STEP, false) >= 0)
        file = H5Fcreate(name, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    if (access >= 0)
        H5Pclose(access);
    free(name);
    return file;
}

static bool open_column(struct hdf5_column *column, hid_t memory_type, size_t row_elements)
{
    struct error ignored;
    size_t row_size = row_elements * H5Tget_size(memory_type);
    *column = (struct hdf5_column){.memory_type = memory_type,
                                   .type = hdf5_file_type(memory_type),
                                   .scratch_values = H5I_INVALID_HID,
                                   .file = H5I_INVALID_HID,
                                   .stream = H5I_INVALID_HID,
                                   .row_elements = row_elements,
                                   .row_size = row_size,
                                   .chunk_rows = HDF5_COMPRESSED_CHUNK / row_size};
    const hsize_t dims[2] = {column->chunk_rows, row_elements};
    column->scratch = create_scratch(column);
    column->rows = malloc(column->chunk_rows * row_size);
    if (column->type < 0 || column->scratch < 0 || !column->rows)
        return false;
    column->scratch_values =
        hdf5_dataset_make(column->scratch, "values", column->type, 2, dims, HDF5_COMPRESSED, &ignored);
    return column->scratch_values >= 0;
}

bool hdf5_column_make(struct hdf5_column **column, hid_t memory_type, size_t row_elements, struct error *error)
{
    *column = calloc(1, sizeof **column);
    if (*column && open_column(*column, memory_type, row_elements))
        return true;
    hdf5_column_free(*column);
    *column = NULL;
    return error_set(error, "no memory to compress a dataset");
}

void hdf5_column_free(struct hdf5_column *column)
{
    if (!column)
        return;
    if (column->stream >= 0)
        H5Dclose(column->stream);
    if (column->scratch_values >= 0)
        H5Dclose(column->scratch_values);
    if (column->scratch >= 0)
        H5Fclose(column->scratch);
    if (column->type >= 0)
        H5Tclose(column->type);
    free(column->rows);
    free(column->packed);
    free(column->sizes);
    free(column);
}

/* Compresses the pending rows, which fill a chunk. */
static bool pack_chunk(struct hdf5_column *column)
{
    const hsize_t start[2] = {0, 0};
    hsize_t size = 0;
    uint32_t skipped_filters = 0;
    if (H5Dwrite(column->scratch_values, column->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, column->rows) < 0 ||
        H5Dget_chunk_storage_size(column->scratch_values, start, &size) < 0)
        return false;
    uint8_t *packed = array_grow(column->packed, &column->packed_capacity, column->packed_size, (size_t)size, 1);
    if (packed)
        column->packed = packed;
    size_t *sizes = array_grow(column->sizes, &column->sizes_capacity, column->num_chunks, 1, sizeof *sizes);
    if (sizes)
        column->sizes = sizes;
    if (!packed || !sizes ||
        H5Dread_chunk(column->scratch_values, H5P_DEFAULT, start, &skipped_filters, packed + column->packed_size) < 0 ||
        skipped_filters != 0)
        return false;
    sizes[column->num_chunks++] = (size_t)size;
    column->packed_size += (size_t)size;
    column->num_rows = 0;
    return true;
}

size_t hdf5_column_packed_size(const struct hdf5_column *column)
{
    return column->packed_size;
}

/* What the dataset's chunks of the file in memory are compressed with. */
static hid_t stream_properties(const struct hdf5_column *column)
{
    return H5Dget_create_plist(column->scratch_values);
}

static hid_t make_stream(const struct hdf5_column *column, hid_t file, const char *name)
{
    const hsize_t dims[2] = {0, column->row_elements}, most[2] = {H5S_UNLIMITED, column->row_elements};
    hid_t space = H5Screate_simple(2, dims, most), creation = stream_properties(column), dataset = H5I_INVALID_HID;
    if (space >= 0 && creation >= 0)
        dataset = H5Dcreate2(file, name, column->type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    if (creation >= 0)
        H5Pclose(creation);
    if (space >= 0)
        H5Sclose(space);
    return dataset;
}

/* Writes the chunks that memory holds. */
static bool drain(struct hdf5_column *column, struct error *error)
{
    const hsize_t dims[2] = {(column->num_streamed + column->num_chunks) * column->chunk_rows, column->row_elements};
    const uint8_t *chunk = column->packed;
    if (!hdf5_reserve(column->file, column->packed_size, error))
        return false;
    bool ok = H5Dset_extent(column->stream, dims) >= 0;
    for (size_t i = 0; ok && i < column->num_chunks; i++) {
        const hsize_t start[2] = {(column->num_streamed + i) * column->chunk_rows, 0};
        ok = H5Dwrite_chunk(column->stream, H5P_DEFAULT, 0, start, column->sizes[i], chunk) >= 0;
        chunk += column->sizes[i];
    }
    column->num_streamed += column->num_chunks;
    column->num_chunks = column->packed_size = 0;
    return ok || hdf5_fail_at(error, column->file, "a dataset", "can't write");
}

bool hdf5_column_stream(struct hdf5_column *column, hid_t file, const char *name, struct error *error)
{
    if (!hdf5_reserve(file, 0, error))
        return false;
    column->file = file;
    column->stream = make_stream(column, file, name);
    if (column->stream < 0)
        return hdf5_fail_at(error, file, name, "can't make the dataset");
    if (!drain(column, error))
        return false;
    free(column->packed);
    column->packed = NULL;
    column->packed_capacity = 0;
    return true;
}

/* Converts rows in place to the type in the file, where that differs from the one in memory. */
static bool convert_rows(const struct hdf5_column *column, uint8_t *rows, size_t num_rows)
{
    return H5Tequal(column->memory_type, column->type) > 0 ||
           H5Tconvert(column->memory_type, column->type, num_rows * column->row_elements, rows, NULL, H5P_DEFAULT) >= 0;
}

bool hdf5_column_append(struct hdf5_column *column, const void *rows, size_t num_rows, struct error *error)
{
    const uint8_t *from = rows;
    while (num_rows > 0) {
        size_t room = column->chunk_rows - column->num_rows, count = num_rows < room ? num_rows : room;
        uint8_t *to = column->rows + column->num_rows * column->row_size;
        memcpy(to, from, count * column->row_size);
        column->num_rows += count;
        if (!convert_rows(column, to, count) || (column->num_rows == column->chunk_rows && !pack_chunk(column)))
            return error_set(error, "no memory for the rows of a dataset");
        if (column->stream >= 0 && column->num_chunks > 0 && !drain(column, error))
            return false;
        from += count * column->row_size;
        num_rows -= count;
    }
    return true;
}

/* The rows behind the full chunks. */
static bool write_rest(const struct hdf5_column *column, hid_t dataset)
{
    const hsize_t start[2] = {(column->num_streamed + column->num_chunks) * column->chunk_rows, 0};
    const hsize_t count[2] = {column->num_rows, column->row_elements};
    if (column->num_rows == 0)
        return true;
    hid_t place = H5Dget_space(dataset), memory = H5Screate_simple(2, count, NULL);
    bool ok = place >= 0 && memory >= 0 && H5Sselect_hyperslab(place, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
              H5Dwrite(dataset, column->type, memory, place, H5P_DEFAULT, column->rows) >= 0;
    if (place >= 0)
        H5Sclose(place);
    if (memory >= 0)
        H5Sclose(memory);
    return ok;
}

static bool finish_stream(struct hdf5_column *column, const char *name, struct error *error)
{
    const hsize_t dims[2] = {column->num_streamed * column->chunk_rows + column->num_rows, column->row_elements};
    hid_t dataset = column->stream;
    if (!hdf5_reserve(column->file, column->num_rows * column->row_size, error))
        return false;
    column->stream = H5I_INVALID_HID;
    bool ok = H5Dset_extent(dataset, dims) >= 0 && write_rest(column, dataset);
    return hdf5_dataset_finish(dataset, column->file, name, ok, error);
}

bool hdf5_column_write(struct hdf5_column *column, hid_t file, const char *name, struct error *error)
{
    if (column->stream >= 0)
        return finish_stream(column, name, error);
    const hsize_t dims[2] = {column->num_chunks * column->chunk_rows + column->num_rows, column->row_elements};
    hid_t dataset = hdf5_dataset_make(file, name, column->type, 2, dims, HDF5_COMPRESSED, error);
    if (dataset < 0)
        return false;
    bool ok = true;
    const uint8_t *chunk = column->packed;
    for (size_t i = 0; ok && i < column->num_chunks; i++) {
        const hsize_t start[2] = {i * column->chunk_rows, 0};
        ok = H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, start, column->sizes[i], chunk) >= 0;
        chunk += column->sizes[i];
    }
    return hdf5_dataset_finish(dataset, file, name, ok && write_rest(column, dataset), error);
}
