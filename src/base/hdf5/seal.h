/* A seal: 512 bytes before an HDF5 file's own first byte (HDF5's user block), with the length and a checksum of all that
 * follows. HDF5 itself finds some damage, lets other damage pass and crashes on a little of it; a seal that holds shows that
 * the bytes are those that we wrote, before HDF5 sees them.
 *
 * It is one line of text, so that `head -n 1 FILE` shows it:
 *
 *     drumline-seal 1 xxh3=0123456789abcdef size=00000000000000123456
 *
 * and NULs up to the 512th byte. The checksum is XXH3's of 64 bits (xxHash 0.8, seed 0) of the `size` bytes behind. */
#ifndef DRUMLINE_BASE_HDF5_SEAL_H
#define DRUMLINE_BASE_HDF5_SEAL_H

#include "base/error.h"
#include "base/io/atomic_file.h"

#include <stddef.h>
#include <stdint.h>

enum { HDF5_SEAL_SIZE = 512 };

/* The seal of `image[0..size)`. */
void hdf5_seal_make(char seal[HDF5_SEAL_SIZE], const void *image, size_t size);

/* Seals a temporary file that is complete but for its first HDF5_SEAL_SIZE bytes, and reads all the others for that. */
bool hdf5_seal_write(const struct atomic_file *file, struct error *error);

/* Fails where an open file, read from where it is, which must be its beginning, has a seal that does not hold: it was cut, damaged,
 * or changed by another program. Messages call it `path`. A file without a seal passes; so does the content of one above 1 GiB, of
 * which the length alone is checked, because to read all of it twice would take long. */
bool hdf5_seal_check(int descriptor, const char *path, struct error *error);

/* Sets *checksum to the one in the file's seal, which is not checked, and of a file without a seal to XXH3's of all its bytes: what
 * tells one model from another. */
bool hdf5_seal_checksum(uint64_t *checksum, const char *path, struct error *error);

/* Whether the file at `path` begins with a seal; false where it can't be read. */
bool hdf5_seal_exists(const char *path);

#endif
