#include "base/random.h"

#include <Random123/philox.h>

#include <math.h>
#include <string.h>

/* The rounds of Philox4x32 over several blocks at once, so that the compiler can hold each word of all blocks in vector
 * registers. The constants are those of Salmon et al., SC11, table 2; tests/base/test_random.c holds the lanes to Random123. */
enum {
    LANES = 16,                         /* blocks computed together */
    ELEMENTS_PER_BLOCK = 8,             /* 16 bits each */
    GROUP = LANES * ELEMENTS_PER_BLOCK, /* elements computed together */
    ROUNDS = 10,
};
static const uint32_t multiplier_0 = 0xD2511F53u, multiplier_1 = 0xCD9E8D57u;
static const uint32_t key_step_0 = 0x9E3779B9u, key_step_1 = 0xBB67AE85u;

void random_stream_start(struct random_stream *stream, uint64_t seed, uint32_t purpose, uint32_t step, uint32_t example)
{
    *stream = (struct random_stream){
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
        .counter = { 0, purpose,                         step, example},
        .used = 4,
    };
}

uint32_t random_bits(struct random_stream *stream)
{
    if (stream->used == 4) {
        philox4x32_ctr_t counter;
        philox4x32_key_t key;
        memcpy(counter.v, stream->counter, sizeof counter.v);
        memcpy(key.v, stream->key, sizeof key.v);
        philox4x32_ctr_t block = philox4x32(counter, key);
        memcpy(stream->block, block.v, sizeof stream->block);
        stream->counter[0]++;
        stream->used = 0;
    }
    return stream->block[stream->used++];
}

/* An odd multiple of 2^-24: exact in a float, so that rounding can't reach 0 or 1. */
static float uniform_of(uint32_t bits)
{
    return (float)(int32_t)(bits >> 8 | 1u) * 0x1p-24f;
}

float random_uniform(struct random_stream *stream)
{
    return uniform_of(random_bits(stream));
}

uint32_t random_below(struct random_stream *stream, uint32_t bound)
{
    uint64_t product = (uint64_t)random_bits(stream) * bound;
    if ((uint32_t)product < bound) {
        uint32_t threshold = (0u - bound) % bound;
        while ((uint32_t)product < threshold)
            product = (uint64_t)random_bits(stream) * bound;
    }
    return (uint32_t)(product >> 32);
}

void random_fill_normal(float *out, size_t count, struct random_stream *stream)
{
    static const double two_pi = 6.283185307179586;
    /* In double, so that the float does not depend on which variant of the C library's functions a machine chooses. */
    for (size_t i = 0; i < count; i += 2) {
        double first = ((double)random_bits(stream) + 0.5) * 0x1p-32;
        double second = ((double)random_bits(stream) + 0.5) * 0x1p-32;
        double radius = sqrt(-2.0 * log(first));
        out[i] = (float)(radius * cos(two_pi * second));
        if (i + 1 < count)
            out[i + 1] = (float)(radius * sin(two_pi * second));
    }
}

/* The blocks counter[0] .. counter[0] + LANES - 1: words[w][lane] is word w of a block. */
static void philox_lanes(uint32_t words[4][LANES], const uint32_t counter[4], const uint32_t key[2])
{
    for (uint32_t lane = 0; lane < LANES; lane++) {
        uint32_t x0 = counter[0] + lane, x1 = counter[1], x2 = counter[2], x3 = counter[3];
        uint32_t key_0 = key[0], key_1 = key[1];
        for (int round = 0; round < ROUNDS; round++) {
            uint64_t product_0 = (uint64_t)multiplier_0 * x0;
            uint64_t product_1 = (uint64_t)multiplier_1 * x2;
            x0 = (uint32_t)(product_1 >> 32) ^ x1 ^ key_0;
            x2 = (uint32_t)(product_0 >> 32) ^ x3 ^ key_1;
            x1 = (uint32_t)product_1;
            x3 = (uint32_t)product_0;
            key_0 += key_step_0;
            key_1 += key_step_1;
        }
        words[0][lane] = x0;
        words[1][lane] = x1;
        words[2][lane] = x2;
        words[3][lane] = x3;
    }
}

void random_fill_uniform(float *out, size_t count, struct random_stream *stream)
{
    enum { NUMBERS = 4 * LANES };
    size_t done = 0;
    while (done < count && stream->used < 4)
        out[done++] = random_uniform(stream);
    for (; count - done >= NUMBERS; done += NUMBERS) {
        uint32_t words[4][LANES];
        philox_lanes(words, stream->counter, stream->key);
        for (size_t lane = 0; lane < LANES; lane++)
            for (size_t word = 0; word < 4; word++)
                out[done + 4 * lane + word] = uniform_of(words[word][lane]);
        stream->counter[0] += LANES;
    }
    while (done < count)
        out[done++] = random_uniform(stream);
}

/* One group: element (2 * word + half) * LANES + lane is a half of a word of a block. */
static void fill_group(uint8_t mask[GROUP], uint32_t threshold, const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t words[4][LANES];
    philox_lanes(words, counter, key);
    for (size_t word = 0; word < 4; word++)
        for (size_t lane = 0; lane < LANES; lane++) {
            mask[2 * word * LANES + lane] = (words[word][lane] & 0xFFFFu) < threshold;
            mask[(2 * word + 1) * LANES + lane] = words[word][lane] >> 16 < threshold;
        }
}

void random_fill_mask(uint8_t *mask, size_t count, double keep_prob, struct random_stream *stream)
{
    uint32_t threshold = 0;
    if (keep_prob >= 1.0)
        threshold = 65536;
    else if (keep_prob > 0.0)
        threshold = (uint32_t)(keep_prob * 65536.0 + 0.5);
    stream->used = 4;
    for (size_t done = 0; done < count; done += GROUP) {
        if (count - done >= GROUP) {
            fill_group(mask + done, threshold, stream->counter, stream->key);
        } else {
            uint8_t last[GROUP];
            fill_group(last, threshold, stream->counter, stream->key);
            memcpy(mask + done, last, count - done);
        }
        stream->counter[0] += LANES;
    }
}
