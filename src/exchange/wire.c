#include "exchange/wire.h"

#include "base/little_endian.h"

struct wire wire_of(const uint8_t *bytes, size_t size)
{
    return (struct wire){bytes, bytes + size};
}

bool wire_bytes(struct wire *wire, const uint8_t **bytes, size_t size)
{
    if (wire_left(wire) < size)
        return false;
    *bytes = wire->at;
    wire->at += size;
    return true;
}

bool wire_fixed32(struct wire *wire, uint32_t *value)
{
    const uint8_t *bytes;
    if (!wire_bytes(wire, &bytes, sizeof *value))
        return false;
    *value = (uint32_t)little_endian(bytes, sizeof *value);
    return true;
}

bool wire_fixed64(struct wire *wire, uint64_t *value)
{
    const uint8_t *bytes;
    if (!wire_bytes(wire, &bytes, sizeof *value))
        return false;
    *value = little_endian(bytes, sizeof *value);
    return true;
}

bool wire_varint(struct wire *wire, uint64_t *value)
{
    uint64_t sum = 0;
    const uint8_t *at = wire->at;
    for (int shift = 0; shift < 70 && at < wire->end; shift += 7) {
        uint8_t byte = *at++;
        if (shift == 63 && byte > 1) /* more than 64 bits */
            return false;
        sum |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            wire->at = at;
            *value = sum;
            return true;
        }
    }
    return false;
}

bool wire_varint32(struct wire *wire, uint32_t *value)
{
    uint64_t wide;
    struct wire ahead = *wire;
    if (!wire_varint(&ahead, &wide) || wide > UINT32_MAX)
        return false;
    *wire = ahead;
    *value = (uint32_t)wide;
    return true;
}

static bool read_value(struct wire *wire, struct wire_field *field)
{
    uint32_t narrow;
    const uint8_t *bytes;
    switch (field->type) {
    case WIRE_VARINT:
        return wire_varint(wire, &field->value);
    case WIRE_FIXED64:
        return wire_fixed64(wire, &field->value);
    case WIRE_FIXED32:
        if (!wire_fixed32(wire, &narrow))
            return false;
        field->value = narrow;
        return true;
    case WIRE_BYTES:
        if (!wire_varint(wire, &field->value) || field->value > wire_left(wire) ||
            !wire_bytes(wire, &bytes, (size_t)field->value))
            return false;
        field->inside = wire_of(bytes, (size_t)field->value);
        return true;
    }
    return false;
}

bool wire_field(struct wire *wire, struct wire_field *field)
{
    uint32_t tag;
    struct wire ahead = *wire;
    if (!wire_varint32(&ahead, &tag) || tag >> 3 == 0)
        return false;
    *field = (struct wire_field){.number = tag >> 3, .type = (enum wire_type)(tag & 7)};
    if (!read_value(&ahead, field))
        return false;
    *wire = ahead;
    return true;
}
