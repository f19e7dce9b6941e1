/* Messages in the encoding of protocol buffers (protobuf.dev/programming-guides/encoding): fields are appended to a buffer; a
 * message within another is built by itself first. */
#ifndef DRUMLINE_RUN_PROTOBUF_H
#define DRUMLINE_RUN_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct protobuf {
    uint8_t *bytes; /* [size], owned */
    size_t size, capacity;
    bool failed; /* memory was short: fields are missing */
};

/* Each appends a field with that number. Where memory is short the message has failed, as has one that it is put into. */
void protobuf_put_int(struct protobuf *message, int field, uint64_t value);
void protobuf_put_bool(struct protobuf *message, int field, bool value);
void protobuf_put_double(struct protobuf *message, int field, double value);
void protobuf_put_float(struct protobuf *message, int field, float value);
void protobuf_put_text(struct protobuf *message, int field, const char *text);
void protobuf_put_bytes(struct protobuf *message, int field, const uint8_t *bytes, size_t size);
void protobuf_put_doubles(struct protobuf *message, int field, const double *values, size_t count); /* packed */

/* Appends `inner` as a message, and frees it. */
void protobuf_put_message(struct protobuf *message, int field, struct protobuf *inner);

/* Empties it; an empty one, {0}, may be freed again. */
void protobuf_free(struct protobuf *message);

#endif
