#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena arena_measure(void)
{
    return (struct arena){0};
}

bool arena_reserve(struct arena *arena, struct error *error)
{
    size_t size = arena->used;
    if (size > PTRDIFF_MAX)
        return error_set(error, "the buffers would need more memory than there are addresses");
    if (size == 0)
        size = ARENA_ALIGNMENT;
    arena->base = aligned_alloc(ARENA_ALIGNMENT, size);
    if (!arena->base)
        return error_set(error, "no memory for %.1f MiB of buffers: use a smaller batch, or more ranks on more hosts",
                         (double)size / (1024.0 * 1024.0));
    memset(arena->base, 0, size);
    arena->capacity = size;
    arena->used = 0;
    return true;
}

/* `bytes` rounded up to whole lines; SIZE_MAX where that would overflow, which arena_reserve refuses. */
static size_t rounded_up(size_t bytes)
{
    if (bytes > SIZE_MAX - ARENA_ALIGNMENT)
        return SIZE_MAX;
    return (bytes + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
}

static void *take(struct arena *arena, size_t bytes)
{
    size_t size = rounded_up(bytes);
    if (!arena->base) {
        arena->used = size > SIZE_MAX - arena->used ? SIZE_MAX : arena->used + size;
        return NULL;
    }
    if (size > arena->capacity - arena->used) {
        fprintf(stderr, "drumline: a buffer of %zu bytes was not measured (%zu of %zu are used)\n", bytes, arena->used,
                arena->capacity);
        abort();
    }
    void *memory = arena->base + arena->used;
    arena->used += size;
    return memory;
}

float *arena_floats(struct arena *arena, size_t count)
{
    return take(arena, count > SIZE_MAX / sizeof(float) ? SIZE_MAX : count * sizeof(float));
}

uint8_t *arena_bytes(struct arena *arena, size_t count)
{
    return take(arena, count);
}

void arena_free(struct arena *arena)
{
    free(arena->base);
    *arena = (struct arena){0};
}
