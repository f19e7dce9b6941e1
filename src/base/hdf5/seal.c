#include "base/hdf5/seal.h"

#include "base/descriptor.h"

#include <xxhash.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_SIZE = 1 << 18, CHECKED_MAX = 1 << 30 };

#define SEAL_BEGINNING "drumline-seal "
#define SEAL_FORMAT SEAL_BEGINNING "1 xxh3=%016" PRIx64 " size=%020" PRIu64 "\n"

static void print_seal(char seal[HDF5_SEAL_SIZE], uint64_t checksum, uint64_t size)
{
    memset(seal, 0, HDF5_SEAL_SIZE);
    snprintf(seal, HDF5_SEAL_SIZE, SEAL_FORMAT, checksum, size);
}

void hdf5_seal_make(char seal[HDF5_SEAL_SIZE], const void *image, size_t size)
{
    print_seal(seal, XXH3_64bits(image, size), size);
}

/* The checksum of what is left to read. */
static bool checksum_of_rest(uint64_t *checksum, int descriptor, const char *path, struct error *error)
{
    unsigned char *block = malloc(BLOCK_SIZE);
    XXH3_state_t *state = XXH3_createState();
    bool ok = block && state && XXH3_64bits_reset(state) == XXH_OK;
    if (!ok)
        error_set_no_memory(error, "%s: no memory to check it", path);
    size_t count = 1;
    while (ok && count > 0) {
        int reason = descriptor_read(&count, descriptor, block, BLOCK_SIZE);
        if (reason != 0)
            ok = error_set_errno(error, reason, "%s: can't read", path);
        else
            XXH3_64bits_update(state, block, count);
    }
    if (ok)
        *checksum = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    free(block);
    return ok;
}

bool hdf5_seal_write(const struct atomic_file *file, struct error *error)
{
    char seal[HDF5_SEAL_SIZE];
    uint64_t checksum;
    int descriptor = open(file->temporary_path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0)
        return error_set_errno(error, errno, "%s: can't open", file->path);
    off_t size = lseek(descriptor, 0, SEEK_END) - HDF5_SEAL_SIZE;
    bool ok = size >= 0 && lseek(descriptor, HDF5_SEAL_SIZE, SEEK_SET) >= 0;
    if (!ok)
        error_set(error, "%s: has no room for a seal", file->path);
    ok = ok && checksum_of_rest(&checksum, descriptor, file->path, error);
    close(descriptor);
    if (!ok)
        return false;
    print_seal(seal, checksum, (uint64_t)size);
    /* Cut to its own size, it gives back what was reserved behind its end. */
    int reason = ftruncate(file->descriptor, size + HDF5_SEAL_SIZE) != 0 || lseek(file->descriptor, 0, SEEK_SET) < 0
                     ? errno
                     : descriptor_write(file->descriptor, seal, HDF5_SEAL_SIZE);
    return reason == 0 || error_set_errno(error, reason, "%s: can't write", file->path);
}

/* What the line says, which must be exactly as hdf5_seal_make writes it. */
static bool parse_seal(const char seal[HDF5_SEAL_SIZE], uint64_t *checksum, uint64_t *size)
{
    char again[HDF5_SEAL_SIZE] = {0};
    if (sscanf(seal, SEAL_BEGINNING "1 xxh3=%16" SCNx64 " size=%20" SCNu64, checksum, size) != 2)
        return false;
    snprintf(again, sizeof again, SEAL_FORMAT, *checksum, *size);
    return memcmp(seal, again, HDF5_SEAL_SIZE) == 0;
}

bool hdf5_seal_check(int descriptor, const char *path, struct error *error)
{
    char seal[HDF5_SEAL_SIZE + 1] = {0};
    struct stat status;
    uint64_t checksum, size, found = 0;
    size_t count;
    int reason = descriptor_read(&count, descriptor, seal, HDF5_SEAL_SIZE);
    if (reason == 0 && fstat(descriptor, &status) != 0)
        reason = errno;
    if (reason != 0)
        return error_set_errno(error, reason, "%s: can't read", path);
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

bool hdf5_seal_checksum(uint64_t *checksum, const char *path, struct error *error)
{
    char seal[HDF5_SEAL_SIZE] = {0};
    uint64_t size;
    size_t count;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return error_set_errno(error, errno, "%s: can't open", path);
    int reason = descriptor_read(&count, descriptor, seal, HDF5_SEAL_SIZE);
    bool ok = reason == 0 || error_set_errno(error, reason, "%s: can't read", path);
    if (ok && !parse_seal(seal, checksum, &size)) {
        ok = lseek(descriptor, 0, SEEK_SET) == 0 || error_set_errno(error, errno, "%s: can't read", path);
        ok = ok && checksum_of_rest(checksum, descriptor, path, error);
    }
    close(descriptor);
    return ok;
}

bool hdf5_seal_exists(const char *path)
{
    char beginning[sizeof SEAL_BEGINNING - 1];
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    size_t count = 0;
    int reason = descriptor_read(&count, descriptor, beginning, sizeof beginning);
    close(descriptor);
    return reason == 0 && count == sizeof beginning && memcmp(beginning, SEAL_BEGINNING, sizeof beginning) == 0;
}
