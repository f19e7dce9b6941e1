/* A file in memory that grows as it is written. */
#ifndef DRUMLINE_RENDER_BYTES_H
#define DRUMLINE_RENDER_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct render_bytes {
    uint8_t *data; /* [size], owned; NULL where empty */
    size_t size, room;
};

/* False where there is no memory; `bytes` is then as before. */
bool render_bytes_append(struct render_bytes *bytes, const void *data, size_t size);

/* Overwrites `size` bytes at `offset`, growing as needed. False where there is no memory. */
bool render_bytes_put(struct render_bytes *bytes, size_t offset, const void *data, size_t size);

/* Empties it; an empty one may be freed again. */
void render_bytes_free(struct render_bytes *bytes);

#endif
