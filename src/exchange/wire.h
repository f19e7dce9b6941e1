/* Bytes of a file of unknown origin, read from front to back: fixed and variable-length integers and the fields of protocol
 * buffers (protobuf.dev/programming-guides/encoding). All reads are checked: one that would pass the end, or that is not
 * well-formed, fails and leaves the position where it was. */
#ifndef DRUMLINE_EXCHANGE_WIRE_H
#define DRUMLINE_EXCHANGE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire {
    const uint8_t *at, *end; /* not owned */
};

struct wire wire_of(const uint8_t *bytes, size_t size);

static inline size_t wire_left(const struct wire *wire)
{
    return (size_t)(wire->end - wire->at);
}

/* Little-endian. */
bool wire_fixed32(struct wire *wire, uint32_t *value);
bool wire_fixed64(struct wire *wire, uint64_t *value);

/* Seven bits a byte, the lowest first, the top bit of a byte that others follow set; at most ten bytes. wire_varint32 fails
 * above 32 bits too. */
bool wire_varint(struct wire *wire, uint64_t *value);
bool wire_varint32(struct wire *wire, uint32_t *value);

/* `size` bytes, which *bytes points at inside the file. */
bool wire_bytes(struct wire *wire, const uint8_t **bytes, size_t size);

/* A field of a protocol buffer. */
enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct wire_field {
    uint32_t number;
    enum wire_type type;
    uint64_t value;     /* of all types but WIRE_BYTES */
    struct wire inside; /* of WIRE_BYTES */
};

/* The next field of a message that `wire` reaches over. Fails on groups and other types that no message has had for years. */
bool wire_field(struct wire *wire, struct wire_field *field);

#endif
