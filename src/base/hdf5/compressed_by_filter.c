/* Compressed datasets where there is no libdeflate: HDF5's own filters do all of it, when the dataset is written. */
#include "base/hdf5/internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct hdf5_packing {
    uint8_t *bytes; /* [capacity] */
    size_t row_size, size, capacity;
};

struct hdf5_packing *hdf5_packing_make(size_t element_size, size_t row_size, size_t chunk_rows)
{
    (void)element_size;
    (void)chunk_rows;
    struct hdf5_packing *packing = calloc(1, sizeof *packing);
    if (packing)
        packing->row_size = row_size;
    return packing;
}

void hdf5_packing_free(struct hdf5_packing *packing)
{
    if (packing)
        free(packing->bytes);
    free(packing);
}

bool hdf5_packing_append(struct hdf5_packing *packing, const void *rows, size_t num_rows)
{
    size_t size = num_rows * packing->row_size;
    if (packing->capacity - packing->size < size) {
        size_t capacity = packing->capacity + packing->capacity / 2 + size;
        uint8_t *bytes = realloc(packing->bytes, capacity);
        if (!bytes)
            return false;
        packing->bytes = bytes;
        packing->capacity = capacity;
    }
    if (size > 0)
        memcpy(packing->bytes + packing->size, rows, size);
    packing->size += size;
    return true;
}

bool hdf5_packing_write(struct hdf5_packing *packing, hid_t dataset, hid_t type)
{
    return packing->size == 0 || H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, packing->bytes) >= 0;
}

bool hdf5_read_compressed(void *data, hid_t dataset, hid_t type, int num_dims, const hsize_t *dims)
{
    (void)data;
    (void)dataset;
    (void)type;
    (void)num_dims;
    (void)dims;
    return false;
}
