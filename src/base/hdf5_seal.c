#include "base/hdf5_seal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_SIZE = 1 << 16, CHECKED_MAX = 1 << 30 };

#define SEAL_BEGINNING "drumline-seal "
#define SEAL_FORMAT SEAL_BEGINNING "1 crc64=%016" PRIx64 " size=%020" PRIu64 "\n"

/* tables[k][byte] is the checksum of `byte` followed by k zero bytes, so that eight bytes are taken at once. */
struct crc64 {
    uint64_t tables[8][256];
    uint64_t state;
};

static void crc64_start(struct crc64 *crc)
{
    static const uint64_t polynomial = UINT64_C(0xC96C5795D7870F42);
    for (unsigned byte = 0; byte < 256; byte++) {
        uint64_t value = byte;
        for (int bit = 0; bit < 8; bit++)
            value = value >> 1 ^ (value & 1 ? polynomial : 0);
        crc->tables[0][byte] = value;
    }
    for (int k = 1; k < 8; k++)
        for (unsigned byte = 0; byte < 256; byte++) {
            uint64_t value = crc->tables[k - 1][byte];
            crc->tables[k][byte] = value >> 8 ^ crc->tables[0][value & 0xff];
        }
    crc->state = UINT64_MAX;
}

static void crc64_add(struct crc64 *crc, const unsigned char *bytes, size_t size)
{
    uint64_t state = crc->state;
    for (; size >= 8; bytes += 8, size -= 8) {
        for (int i = 0; i < 8; i++)
            state ^= (uint64_t)bytes[i] << (8 * i);
        state = crc->tables[7][state & 0xff] ^ crc->tables[6][state >> 8 & 0xff] ^ crc->tables[5][state >> 16 & 0xff] ^
                crc->tables[4][state >> 24 & 0xff] ^ crc->tables[3][state >> 32 & 0xff] ^
                crc->tables[2][state >> 40 & 0xff] ^ crc->tables[1][state >> 48 & 0xff] ^ crc->tables[0][state >> 56];
    }
    for (; size > 0; bytes++, size--)
        state = state >> 8 ^ crc->tables[0][(state ^ *bytes) & 0xff];
    crc->state = state;
}

static uint64_t crc64_end(const struct crc64 *crc)
{
    return ~crc->state;
}

void hdf5_seal_make(char seal[HDF5_SEAL_SIZE], const void *image, size_t size)
{
    struct crc64 crc;
    crc64_start(&crc);
    crc64_add(&crc, image, size);
    memset(seal, 0, HDF5_SEAL_SIZE);
    snprintf(seal, HDF5_SEAL_SIZE, SEAL_FORMAT, crc64_end(&crc), (uint64_t)size);
}

/* Reads up to `size` bytes; fewer at the end of the file alone. -1 on failure. */
static ssize_t read_block(int descriptor, void *bytes, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t count = read(descriptor, (char *)bytes + used, size - used);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        used += (size_t)count;
    }
    return (ssize_t)used;
}

/* The checksum of what is left to read. */
static bool checksum_of_rest(uint64_t *checksum, int descriptor, const char *path, struct error *error)
{
    unsigned char block[BLOCK_SIZE];
    struct crc64 crc;
    ssize_t count;
    crc64_start(&crc);
    while ((count = read_block(descriptor, block, sizeof block)) > 0)
        crc64_add(&crc, block, (size_t)count);
    if (count < 0)
        return error_set_errno(error, errno, "%s: can't read", path);
    *checksum = crc64_end(&crc);
    return true;
}

/* What the line says, which must be exactly as hdf5_seal_make writes it. */
static bool parse_seal(const char seal[HDF5_SEAL_SIZE], uint64_t *checksum, uint64_t *size)
{
    char again[HDF5_SEAL_SIZE] = {0};
    if (sscanf(seal, SEAL_BEGINNING "1 crc64=%16" SCNx64 " size=%20" SCNu64, checksum, size) != 2)
        return false;
    snprintf(again, sizeof again, SEAL_FORMAT, *checksum, *size);
    return memcmp(seal, again, HDF5_SEAL_SIZE) == 0;
}

static bool check_open_file(int descriptor, const char *path, struct error *error)
{
    char seal[HDF5_SEAL_SIZE + 1] = {0};
    struct stat status;
    uint64_t checksum, size, found = 0;
    ssize_t count = read_block(descriptor, seal, HDF5_SEAL_SIZE);
    if (count < 0 || fstat(descriptor, &status) != 0)
        return error_set_errno(error, errno, "%s: can't read", path);
    if (strncmp(seal, SEAL_BEGINNING, strlen(SEAL_BEGINNING)) != 0)
        return true;
    if (count < HDF5_SEAL_SIZE || !parse_seal(seal, &checksum, &size))
        return error_set(error, "%s: is damaged (its first %d bytes are not as they were written)", path,
                         HDF5_SEAL_SIZE);
    uint64_t actual_size = (uint64_t)status.st_size - HDF5_SEAL_SIZE;
    if (actual_size < size)
        return error_set(error, "%s: is cut off: it has %" PRIu64 " of %" PRIu64 " bytes", path,
                         actual_size + HDF5_SEAL_SIZE, size + HDF5_SEAL_SIZE);
    if (actual_size == size && size > CHECKED_MAX)
        return true;
    if (actual_size == size && !checksum_of_rest(&found, descriptor, path, error))
        return false;
    if (actual_size == size && found == checksum)
        return true;
    return error_set(error, "%s: is damaged, or was changed by another program (its checksum does not hold)", path);
}

bool hdf5_seal_check(const char *path, struct error *error)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return error_set_errno(error, errno, "%s: can't open", path);
    bool ok = check_open_file(descriptor, path, error);
    close(descriptor);
    return ok;
}
