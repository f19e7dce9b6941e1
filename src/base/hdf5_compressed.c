/* Chunks that are compressed here and handed to HDF5 as they shall lie in the file: libdeflate makes the same kind of zlib
 * stream as HDF5's own filter three times as fast, and smaller. Any HDF5 reads them with its own filters. */
#include "base/hdf5_internal.h"

#include <libdeflate.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { COMPRESSION_LEVEL = 1, CHECKSUM_SIZE = 4 };

/* What one chunk passes through. */
struct pipeline {
    struct libdeflate_compressor *compressor;
    uint8_t *whole;      /* [chunk_size]: a last chunk that is not full, filled up with zeros */
    uint8_t *shuffled;   /* [chunk_size] */
    uint8_t *compressed; /* [compressed_room + CHECKSUM_SIZE] */
    size_t chunk_size, compressed_room;
};

static bool pipeline_make(struct pipeline *pipeline, size_t chunk_size)
{
    *pipeline = (struct pipeline){.compressor = libdeflate_alloc_compressor(COMPRESSION_LEVEL)};
    if (!pipeline->compressor)
        return false;
    pipeline->chunk_size = chunk_size;
    pipeline->compressed_room = libdeflate_zlib_compress_bound(pipeline->compressor, chunk_size);
    pipeline->whole = calloc(chunk_size, 1);
    pipeline->shuffled = malloc(chunk_size);
    pipeline->compressed = malloc(pipeline->compressed_room + CHECKSUM_SIZE);
    return pipeline->whole && pipeline->shuffled && pipeline->compressed;
}

static void pipeline_free(struct pipeline *pipeline)
{
    libdeflate_free_compressor(pipeline->compressor);
    free(pipeline->whole);
    free(pipeline->shuffled);
    free(pipeline->compressed);
}

/* HDF5's shuffle: all first bytes of the elements, then all second ones, and so on. */
static void shuffle(uint8_t *shuffled, const uint8_t *bytes, size_t size, size_t element_size)
{
    size_t count = size / element_size;
    for (size_t byte = 0; byte < element_size; byte++)
        for (size_t i = 0; i < count; i++)
            shuffled[byte * count + i] = bytes[i * element_size + byte];
}

static uint32_t fold(uint32_t sum)
{
    return (sum & 0xffff) + (sum >> 16);
}

/* HDF5's Fletcher-32: of big-endian words, the last filled up with a zero, with 0xffff for a sum that 65535 divides. */
static uint32_t fletcher32(const uint8_t *bytes, size_t size)
{
    enum { WORDS_BEFORE_OVERFLOW = 256 };
    uint32_t sum = 0, sum_of_sums = 0;
    size_t words = 0;
    for (size_t i = 0; i < size; i += 2) {
        sum += (uint32_t)bytes[i] << 8 | (i + 1 < size ? bytes[i + 1] : 0U);
        sum_of_sums += sum;
        if (++words % WORDS_BEFORE_OVERFLOW == 0) {
            sum = fold(sum);
            sum_of_sums = fold(sum_of_sums);
        }
    }
    return fold(fold(sum_of_sums)) << 16 | fold(fold(sum));
}

/* One chunk's bytes in the file, in pipeline->compressed; 0 where there is no room for them, which can't be. */
static size_t pipeline_run(struct pipeline *pipeline, const uint8_t *chunk, size_t element_size)
{
    if (element_size > 1) {
        shuffle(pipeline->shuffled, chunk, pipeline->chunk_size, element_size);
        chunk = pipeline->shuffled;
    }
    size_t size = libdeflate_zlib_compress(pipeline->compressor, chunk, pipeline->chunk_size, pipeline->compressed,
                                           pipeline->compressed_room);
    uint32_t checksum = fletcher32(pipeline->compressed, size);
    for (int i = 0; i < CHECKSUM_SIZE; i++)
        pipeline->compressed[size + (size_t)i] = (uint8_t)(checksum >> 8 * i);
    return size > 0 ? size + CHECKSUM_SIZE : 0;
}

bool hdf5_write_compressed(hid_t dataset, hid_t type, int num_dims, const hsize_t *dims, hsize_t chunk_rows,
                           const void *data)
{
    struct pipeline pipeline;
    const uint8_t *bytes = data;
    size_t element_size = H5Tget_size(type), row_size = element_size;
    for (int i = 1; i < num_dims; i++)
        row_size *= (size_t)dims[i];
    bool ok = pipeline_make(&pipeline, (size_t)chunk_rows * row_size);
    for (hsize_t row = 0; ok && row < dims[0]; row += chunk_rows) {
        hsize_t start[HDF5_MAX_DIMENSIONS] = {row};
        const uint8_t *chunk = bytes + (size_t)row * row_size;
        if (dims[0] - row < chunk_rows)
            chunk = memcpy(pipeline.whole, chunk, (size_t)(dims[0] - row) * row_size);
        size_t size = pipeline_run(&pipeline, chunk, element_size);
        ok = size > 0 && H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, start, size, pipeline.compressed) >= 0;
    }
    pipeline_free(&pipeline);
    return ok;
}
