/* CRC-32C against published values and against itself bit by bit. */
#include "base/crc32c.h"

#include "tests/support/unit.h"

static uint32_t bit_by_bit(const uint8_t *bytes, size_t count)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < count * 8; i++) {
        uint32_t bit = bytes[i / 8] >> i % 8 & 1;
        crc = crc >> 1 ^ ((crc ^ bit) & 1 ? 0x82f63b78U : 0);
    }
    return ~crc;
}

/* RFC 3720, appendix B.4, and the usual check value. */
static void test_published(void **state)
{
    uint8_t bytes[32] = {0};
    (void)state;
    assert_int_equal(crc32c((const uint8_t *)"123456789", 9), 0xe3069283);
    assert_int_equal(crc32c(bytes, 0), 0);
    assert_int_equal(crc32c(bytes, sizeof bytes), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(crc32c(bytes, sizeof bytes), 0x62a8ab43);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(crc32c(bytes, sizeof bytes), 0x46dd794e);
}

static void test_every_length(void **state)
{
    uint8_t bytes[600];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 167 + i / 7);
    for (size_t first = 0; first < 3; first++)
        for (size_t count = 0; count <= sizeof bytes - first; count++)
            assert_int_equal(crc32c(bytes + first, count), bit_by_bit(bytes + first, count));
}

static void test_masked(void **state)
{
    uint32_t crc = crc32c((const uint8_t *)"123456789", 9);
    (void)state;
    assert_int_equal(crc32c_masked((const uint8_t *)"123456789", 9), (uint32_t)((crc >> 15 | crc << 17) + 0xa282ead8U));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_masked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
