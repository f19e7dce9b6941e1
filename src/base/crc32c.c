#include "base/crc32c.h"

enum { NUM_SLICES = 8, FEW_BYTES = 256 };

#define POLYNOMIAL 0x82f63b78U /* bits reversed */

static uint32_t shift_byte(uint32_t crc)
{
    for (int bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
    return crc;
}

/* table[k][b]: what byte b contributes that is followed by k others (Kounavis and Berry 2005). */
static void make_tables(uint32_t table[NUM_SLICES][256])
{
    for (uint32_t b = 0; b < 256; b++)
        table[0][b] = shift_byte(b);
    for (int k = 1; k < NUM_SLICES; k++)
        for (int b = 0; b < 256; b++)
            table[k][b] = table[k - 1][b] >> 8 ^ table[0][table[k - 1][b] & 0xff];
}

static uint32_t little_endian32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

uint32_t crc32c(const uint8_t *bytes, size_t count)
{
    uint32_t crc = UINT32_MAX;
    size_t i = 0;
    if (count >= FEW_BYTES) { /* else the tables would cost more than they save */
        uint32_t table[NUM_SLICES][256];
        make_tables(table);
        for (; i + NUM_SLICES <= count; i += NUM_SLICES) {
            uint32_t low = crc ^ little_endian32(bytes + i), high = little_endian32(bytes + i + 4);
            crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^ table[5][low >> 16 & 0xff] ^ table[4][low >> 24] ^
                  table[3][high & 0xff] ^ table[2][high >> 8 & 0xff] ^ table[1][high >> 16 & 0xff] ^
                  table[0][high >> 24];
        }
    }
    for (; i < count; i++)
        crc = shift_byte(crc ^ bytes[i]);
    return ~crc;
}

uint32_t crc32c_masked(const uint8_t *bytes, size_t count)
{
    uint32_t crc = crc32c(bytes, count);
    return (crc >> 15 | crc << 17) + 0xa282ead8U;
}
