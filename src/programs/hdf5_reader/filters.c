#include "programs/hdf5_reader/filters.h"

#include "base/little_endian.h"

#include <string.h>
#include <zlib.h>

enum {
    CHECKSUM_SIZE = 4,
    MAX_LEVEL = 9, /* of deflate */
};

bool filters_include(const struct filters *filters, H5Z_filter_t id)
{
    for (int i = 0; i < filters->count; i++)
        if (filters->ids[i] == id)
            return true;
    return false;
}

bool filters_read(struct filters *filters, hid_t properties, struct error *error)
{
    int count = H5Pget_nfilters(properties);
    *filters = (struct filters){.element_size = 1};
    if (count < 0)
        return error_set(error, "has filters that can't be read");
    for (int i = 0; i < count; i++) {
        char name[64] = "";
        unsigned flags, config, value = 0;
        size_t num_values = 1;
        H5Z_filter_t id =
            H5Pget_filter2(properties, (unsigned)i, &flags, &num_values, &value, sizeof name, name, &config);
        if (id != H5Z_FILTER_SHUFFLE && id != H5Z_FILTER_DEFLATE && id != H5Z_FILTER_FLETCHER32)
            return error_set(error, "has a filter that is not read: number %d%s%.60s", (int)id, *name ? ", " : "",
                             name);
        if (filters_include(filters, id))
            return error_set(error, "has the filter %.60s twice", name);
        if ((id == H5Z_FILTER_SHUFFLE && (num_values != 1 || value == 0)) ||
            (id == H5Z_FILTER_DEFLATE && (num_values != 1 || value > MAX_LEVEL)))
            return error_set(error, "has the filter %.60s with settings that HDF5 refuses", name);
        if (id == H5Z_FILTER_SHUFFLE)
            filters->element_size = value;
        filters->ids[filters->count++] = id;
    }
    return true;
}

size_t filters_capacity(size_t chunk_size)
{
    return chunk_size + chunk_size / 8 + 64;
}

/* As one's complement has it: a sum of zeros is 0, any other one 1 to 65535. */
static uint64_t reduce(uint64_t sum)
{
    return sum == 0 ? 0 : (sum - 1) % 65535 + 1;
}

/* Fletcher's checksum of 16-bit words (J. G. Fletcher, "An Arithmetic Checksum for Serial Transmissions", 1982), modulo 65535 and with
 * the first byte of a word as its upper one, as HDF5 stores it. An odd byte is the upper one of a last word. */
static uint32_t fletcher32(const unsigned char *bytes, size_t size)
{
    enum { BLOCK = 1 << 20 }; /* words that 64 bits have room for between reductions */
    uint64_t first = 0, second = 0;
    for (size_t num_words = size / 2, done = 0; done < num_words;) {
        size_t end = num_words - done < BLOCK ? num_words : done + BLOCK;
        for (; done < end; done++) {
            first += (uint32_t)bytes[2 * done] << 8 | bytes[2 * done + 1];
            second += first;
        }
        first = reduce(first);
        second = reduce(second);
    }
    if (size % 2 != 0) {
        first = reduce(first + ((uint32_t)bytes[size - 1] << 8));
        second = reduce(second + first);
    }
    return (uint32_t)(second << 16 | first);
}

static bool damaged(struct error *error, const char *reason)
{
    return error_set(error, "the dataset is damaged (%s)", reason);
}

static bool check_sum(struct filter_bytes *chunk, struct error *error)
{
    if (chunk->size < CHECKSUM_SIZE)
        return damaged(error, "a chunk is too short for its checksum");
    chunk->size -= CHECKSUM_SIZE;
    return fletcher32(chunk->bytes, chunk->size) == little_endian(chunk->bytes + chunk->size, CHECKSUM_SIZE) ||
           damaged(error, "the checksum of a chunk is wrong");
}

static void exchange(struct filter_bytes *chunk, size_t size)
{
    unsigned char *bytes = chunk->spare;
    chunk->spare = chunk->bytes;
    chunk->bytes = bytes;
    chunk->size = size;
}

static bool decompress(struct filter_bytes *chunk, size_t max_size, struct error *error)
{
    uLongf size = (uLongf)max_size;
    switch (uncompress(chunk->spare, &size, chunk->bytes, (uLong)chunk->size)) {
    case Z_OK:
        exchange(chunk, size);
        return true;
    case Z_MEM_ERROR:
        return error_set(error, "no memory to decompress a chunk");
    case Z_BUF_ERROR:
        return damaged(error, "a chunk's compressed data hold more than a chunk");
    default:
        return damaged(error, "a chunk's compressed data are damaged");
    }
}

/* The first bytes of all elements come first, then the second ones, and so on; what is left at the end is no whole element. */
static void unshuffle(struct filter_bytes *chunk, size_t element_size)
{
    size_t count = chunk->size / element_size, whole = count * element_size;
    if (element_size == 1 || count <= 1)
        return;
    for (size_t byte = 0; byte < element_size; byte++)
        for (size_t i = 0; i < count; i++)
            chunk->spare[i * element_size + byte] = chunk->bytes[byte * count + i];
    memcpy(chunk->spare + whole, chunk->bytes + whole, chunk->size - whole);
    exchange(chunk, chunk->size);
}

bool filters_undo(struct filter_bytes *chunk, const struct filters *filters, uint32_t mask, size_t chunk_size,
                  struct error *error)
{
    bool ok = true;
    for (int i = filters->count - 1; i >= 0 && ok; i--) {
        if (mask >> i & 1)
            continue;
        if (filters->ids[i] == H5Z_FILTER_FLETCHER32)
            ok = check_sum(chunk, error);
        else if (filters->ids[i] == H5Z_FILTER_DEFLATE)
            ok = decompress(chunk, chunk_size + CHECKSUM_SIZE, error);
        else
            unshuffle(chunk, filters->element_size);
    }
    if (ok && chunk->size != chunk_size)
        ok = error_set(error, "the dataset is damaged (a chunk holds %zu bytes, but must hold %zu)", chunk->size,
                       chunk_size);
    return ok;
}
