#include "base/random.h"
#include "tests/support/unit.h"

#include <math.h>
#include <stdlib.h>

/* Known answers of Philox4x32-10: the kat_vectors of Random123's distribution. */
static void test_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], answer[4];
    } vectors[] = {
        {{0, 0, 0, 0},                                     {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}                                                          },
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}                                                          },
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct random_stream stream;
        random_stream_start(&stream, (uint64_t)vectors[i].key[1] << 32 | vectors[i].key[0], vectors[i].counter[1],
                            vectors[i].counter[2], vectors[i].counter[3]);
        stream.counter[0] = vectors[i].counter[0];
        for (int word = 0; word < 4; word++)
            assert_int_equal(random_bits(&stream), vectors[i].answer[word]);
    }
}

/* Computed apart from this library, in Python: what a seed means must never change. */
static void test_meaning_of_a_seed(void **state)
{
    (void)state;
    static const uint32_t bits[] = {0x18d8edec, 0xe8104289, 0x9351659a, 0x4ac85740,
                                    0x1c485e48, 0xcba72948, 0x95376e0f, 0x78a1018e};
    static const float normals[] = {1.7976985f, -1.1971343f, -0.2749765f, 1.0146706f, 0.59218127f, -2.013747f};
    struct random_stream stream;
    random_stream_start(&stream, 0x0123456789abcdef, 3, 1000, 77);
    for (int i = 0; i < 8; i++)
        assert_int_equal(random_bits(&stream), bits[i]);
    float found[6];
    random_stream_start(&stream, 0x0123456789abcdef, 3, 1000, 77);
    random_fill_normal(found, 6, &stream);
    for (int i = 0; i < 6; i++)
        assert_true(fabsf(found[i] - normals[i]) <= 3e-7f * fabsf(normals[i]));
}

static void test_streams_differ(void **state)
{
    (void)state;
    static const uint64_t names[][4] = {
        {1,                       1, 1,          1},
        {2,                       1, 1,          1},
        {1,                       2, 1,          1},
        {1,                       1, 2,          1},
        {1,                       1, 1,          2},
        {1 + (UINT64_C(1) << 32), 1, 1,          1},
        {0,                       0, 0,          0},
        {1,                       1, UINT32_MAX, 1}
    };
    uint32_t first[8];
    for (int i = 0; i < 8; i++) {
        struct random_stream stream;
        random_stream_start(&stream, names[i][0], (uint32_t)names[i][1], (uint32_t)names[i][2], (uint32_t)names[i][3]);
        first[i] = random_bits(&stream);
        for (int j = 0; j < i; j++)
            assert_int_not_equal(first[i], first[j]);
    }
}

static void test_uniform(void **state)
{
    (void)state;
    enum { COUNT = 1 << 20 };
    struct random_stream stream;
    double sum = 0, squares = 0;
    random_stream_start(&stream, 42, 1, 2, 3);
    for (int i = 0; i < COUNT; i++) {
        double value = random_uniform(&stream);
        assert_true(value > 0.0 && value < 1.0);
        sum += value;
        squares += value * value;
    }
    const double mean = sum / COUNT, variance = squares / COUNT - mean * mean;
    assert_true(fabs(mean - 0.5) < 5 * sqrt(1.0 / 12 / COUNT));
    assert_true(fabs(variance - 1.0 / 12) < 5 * sqrt(1.0 / 180 / COUNT));
}

/* Many numbers at once are those that come one by one, from any place of a block on, and leave the stream there. */
static void test_fill_uniform(void **state)
{
    (void)state;
    enum { MOST = 200 };
    for (size_t before = 0; before < 5; before++)
        for (size_t count = 0; count <= MOST; count++) {
            struct random_stream one_by_one, at_once;
            float found[MOST + 1];
            random_stream_start(&one_by_one, 7, 1, 2, 3);
            for (size_t i = 0; i < before; i++)
                random_bits(&one_by_one);
            at_once = one_by_one;
            found[count] = -1;
            random_fill_uniform(found, count, &at_once);
            for (size_t i = 0; i < count; i++)
                assert_true(found[i] == random_uniform(&one_by_one));
            assert_true(found[count] == -1);
            assert_int_equal(random_bits(&at_once), random_bits(&one_by_one));
        }
}

/* The least and the largest bits give numbers inside (0, 1). */
static void test_uniform_ends(void **state)
{
    (void)state;
    struct random_stream stream = {
        .block = {0, UINT32_MAX},
          .used = 0
    };
    assert_true(random_uniform(&stream) == 0x1p-24f);
    assert_true(random_uniform(&stream) == 1.0f - 0x1p-24f);
}

static void test_below(void **state)
{
    (void)state;
    enum { COUNT = 70000 };
    struct random_stream stream;
    int counts[7] = {0};
    double chi_squared = 0;
    random_stream_start(&stream, 1, 2, 3, 4);
    for (int i = 0; i < COUNT; i++)
        counts[random_below(&stream, 7)]++;
    for (int i = 0; i < 7; i++)
        chi_squared += (counts[i] - COUNT / 7.0) * (counts[i] - COUNT / 7.0) / (COUNT / 7.0);
    assert_true(chi_squared < 27.86); /* 6 degrees of freedom, p = 1e-4 */
    for (int i = 0; i < 1000; i++)
        assert_int_equal(random_below(&stream, 1), 0);
    for (int i = 0; i < 1000; i++)
        assert_true(random_below(&stream, UINT32_MAX) < UINT32_MAX);
}

/* With a bound of 3 * 2^30, cutting without rejection would give a third of the numbers twice as often. */
static void test_below_is_unbiased(void **state)
{
    (void)state;
    enum { COUNT = 90000 };
    struct random_stream stream;
    int thirds[3] = {0};
    random_stream_start(&stream, 5, 6, 7, 8);
    for (int i = 0; i < COUNT; i++)
        thirds[random_below(&stream, 3u << 30) % 3]++;
    for (int i = 0; i < 3; i++)
        assert_true(abs(thirds[i] - COUNT / 3) < 5 * sqrt(COUNT * 2.0 / 9));
}

static void test_normal(void **state)
{
    (void)state;
    enum { COUNT = 1 << 18 };
    static float values[COUNT];
    struct random_stream stream;
    double sums[5] = {0}, neighbours = 0;
    random_stream_start(&stream, 9, 9, 9, 9);
    random_fill_normal(values, COUNT, &stream);
    for (int i = 0; i < COUNT; i++) {
        assert_true(isfinite(values[i]));
        double power = 1;
        for (int k = 0; k < 5; k++, power *= values[i])
            sums[k] += power;
        neighbours += i % 2 ? (double)values[i] * values[i - 1] : 0;
    }
    assert_true(fabs(sums[1] / COUNT) < 5 / sqrt(COUNT));
    assert_true(fabs(sums[2] / COUNT - 1) < 5 * sqrt(2.0 / COUNT));
    assert_true(fabs(sums[3] / COUNT) < 5 * sqrt(15.0 / COUNT));
    assert_true(fabs(sums[4] / COUNT - 3) < 5 * sqrt(96.0 / COUNT));
    assert_true(fabs(neighbours / (COUNT / 2.0)) < 5 / sqrt(COUNT / 2.0));
}

/* An odd count leaves out the last number, no more. */
static void test_normal_odd(void **state)
{
    (void)state;
    float whole[8], part[8];
    for (size_t count = 0; count <= 8; count++) {
        struct random_stream stream;
        random_stream_start(&stream, 1, 1, 1, 1);
        random_fill_normal(whole, 8, &stream);
        random_stream_start(&stream, 1, 1, 1, 1);
        memset(part, 0, sizeof part);
        random_fill_normal(part, count, &stream);
        assert_memory_equal(part, whole, count * sizeof *part);
        assert_true(count == 8 || part[count] == 0.0f);
    }
}

/* The mask as its documentation defines it, one block after another. */
static void naive_mask(uint8_t *mask, size_t num_groups, uint32_t threshold, struct random_stream *stream)
{
    for (size_t group = 0; group < num_groups; group++)
        for (size_t lane = 0; lane < 16; lane++)
            for (size_t word = 0; word < 4; word++) {
                uint32_t bits = random_bits(stream);
                mask[group * 128 + 2 * word * 16 + lane] = (bits & 0xffff) < threshold;
                mask[group * 128 + (2 * word + 1) * 16 + lane] = bits >> 16 < threshold;
            }
}

static void test_mask(void **state)
{
    (void)state;
    enum { GROUPS = 40, COUNT = GROUPS * 128 };
    static const double keep_probs[] = {0.3, 0.5, 1e-5, 1.0 / 65536, 0.999};
    uint8_t mask[COUNT], naive[COUNT];
    for (size_t i = 0; i < sizeof keep_probs / sizeof *keep_probs; i++) {
        struct random_stream stream;
        random_stream_start(&stream, 77, RANDOM_DROPOUT, 5, (uint32_t)i);
        random_fill_mask(mask, COUNT, keep_probs[i], &stream);
        random_stream_start(&stream, 77, RANDOM_DROPOUT, 5, (uint32_t)i);
        naive_mask(naive, GROUPS, (uint32_t)lround(keep_probs[i] * 65536), &stream);
        assert_memory_equal(mask, naive, COUNT);
    }
}

/* A short mask is the beginning of a long one, and nothing behind it is touched. */
static void test_mask_counts(void **state)
{
    (void)state;
    uint8_t whole[512], part[512];
    struct random_stream stream;
    random_stream_start(&stream, 3, 1, 4, 1);
    random_fill_mask(whole, sizeof whole, 0.5, &stream);
    for (size_t count = 0; count < sizeof whole; count++) {
        memset(part, 9, sizeof part);
        random_stream_start(&stream, 3, 1, 4, 1);
        random_fill_mask(part, count, 0.5, &stream);
        assert_memory_equal(part, whole, count);
        assert_int_equal(part[count], 9);
    }
}

static void test_mask_shares(void **state)
{
    (void)state;
    enum { COUNT = 1 << 20 };
    static uint8_t mask[COUNT];
    static const double keep_probs[] = {0.0, -1.0, 1.0, 2.0, 0.3, 0.9, (double)NAN};
    static const double shares[] = {0, 0, 1, 1, 0.3, 0.9, 0};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        struct random_stream stream;
        size_t kept = 0;
        random_stream_start(&stream, 8, 1, 1, 1);
        random_fill_mask(mask, COUNT, keep_probs[i], &stream);
        for (size_t j = 0; j < COUNT; j++) {
            assert_true(mask[j] <= 1);
            kept += mask[j];
        }
        const double tolerance =
            5 * sqrt(shares[i] * (1 - shares[i]) / COUNT) + 1e-5 * (shares[i] * (1 - shares[i]) > 0);
        assert_true(fabs((double)kept / COUNT - shares[i]) <= tolerance);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),  cmocka_unit_test(test_meaning_of_a_seed),
        cmocka_unit_test(test_streams_differ), cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_fill_uniform),   cmocka_unit_test(test_uniform_ends),
        cmocka_unit_test(test_below),          cmocka_unit_test(test_below_is_unbiased),
        cmocka_unit_test(test_normal),         cmocka_unit_test(test_normal_odd),
        cmocka_unit_test(test_mask),           cmocka_unit_test(test_mask_counts),
        cmocka_unit_test(test_mask_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
