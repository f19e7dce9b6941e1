/* CRC-32C (Castagnoli; RFC 3720, appendix B.4), the checksum of TensorFlow's files and LevelDB's tables. */
#ifndef DRUMLINE_BASE_CRC32C_H
#define DRUMLINE_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of count bytes. crc32c("123456789", 9) is 0xe3069283. */
uint32_t crc32c(const uint8_t *bytes, size_t count);

/* As those files store it: rotated by 15 bits, plus a constant, so that the checksum of bytes that hold checksums is a good
 * one too. */
uint32_t crc32c_masked(const uint8_t *bytes, size_t count);

#endif
