#include "run/protobuf.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

enum wire_type { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_LENGTH = 2, WIRE_32 = 5 };

static void append(struct protobuf *message, const void *bytes, size_t size)
{
    if (size == 0)
        return;
    uint8_t *grown = array_grow(message->bytes, &message->capacity, message->size, size, 1);
    if (!grown) {
        message->failed = true;
        return;
    }
    message->bytes = grown;
    memcpy(message->bytes + message->size, bytes, size);
    message->size += size;
}

static void append_varint(struct protobuf *message, uint64_t value)
{
    uint8_t bytes[10];
    size_t size = 0;
    do {
        bytes[size++] = (uint8_t)((value & 127) | (value > 127 ? 128 : 0));
        value >>= 7;
    } while (value > 0);
    append(message, bytes, size);
}

static void append_key(struct protobuf *message, int field, enum wire_type type)
{
    append_varint(message, (uint64_t)field << 3 | type);
}

/* The lowest byte first, on any machine. */
static void append_fixed(struct protobuf *message, uint64_t bits, size_t size)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(bits >> 8 * i);
    append(message, bytes, size);
}

static void append_double(struct protobuf *message, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    append_fixed(message, bits, sizeof bits);
}

void protobuf_put_int(struct protobuf *message, int field, uint64_t value)
{
    append_key(message, field, WIRE_VARINT);
    append_varint(message, value);
}

void protobuf_put_bool(struct protobuf *message, int field, bool value)
{
    protobuf_put_int(message, field, value);
}

void protobuf_put_double(struct protobuf *message, int field, double value)
{
    append_key(message, field, WIRE_64);
    append_double(message, value);
}

void protobuf_put_float(struct protobuf *message, int field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    append_key(message, field, WIRE_32);
    append_fixed(message, bits, sizeof bits);
}

void protobuf_put_bytes(struct protobuf *message, int field, const uint8_t *bytes, size_t size)
{
    append_key(message, field, WIRE_LENGTH);
    append_varint(message, size);
    append(message, bytes, size);
}

void protobuf_put_text(struct protobuf *message, int field, const char *text)
{
    protobuf_put_bytes(message, field, (const uint8_t *)text, strlen(text));
}

void protobuf_put_doubles(struct protobuf *message, int field, const double *values, size_t count)
{
    append_key(message, field, WIRE_LENGTH);
    append_varint(message, count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        append_double(message, values[i]);
}

void protobuf_put_message(struct protobuf *message, int field, struct protobuf *inner)
{
    protobuf_put_bytes(message, field, inner->bytes, inner->size);
    message->failed = message->failed || inner->failed;
    protobuf_free(inner);
}

void protobuf_free(struct protobuf *message)
{
    free(message->bytes);
    *message = (struct protobuf){0};
}
