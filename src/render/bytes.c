#include "render/bytes.h"

#include <stdlib.h>
#include <string.h>

static bool make_room(struct render_bytes *bytes, size_t size)
{
    if (size <= bytes->room)
        return true;
    size_t room = bytes->room > SIZE_MAX / 2 ? size : bytes->room * 2;
    if (room < size)
        room = size;
    uint8_t *data = realloc(bytes->data, room);
    if (!data)
        return false;
    bytes->data = data;
    bytes->room = room;
    return true;
}

bool render_bytes_put(struct render_bytes *bytes, size_t offset, const void *data, size_t size)
{
    if (size > SIZE_MAX - offset || !make_room(bytes, offset + size))
        return false;
    if (offset > bytes->size)
        memset(bytes->data + bytes->size, 0, offset - bytes->size);
    if (size > 0)
        memcpy(bytes->data + offset, data, size);
    if (offset + size > bytes->size)
        bytes->size = offset + size;
    return true;
}

bool render_bytes_append(struct render_bytes *bytes, const void *data, size_t size)
{
    return render_bytes_put(bytes, bytes->size, data, size);
}

void render_bytes_free(struct render_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct render_bytes){0};
}
