#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

enum { HUGE_PAGE = 2 << 20 };

struct arena arena_measure(void)
{
    return (struct arena){0};
}

/* Large memory lies on huge pages where the system has any to give: products walk through it in long strides, and each small
 * page costs a look-up and, at first touch, a fault. NULL: no memory. */
static void *large_memory(size_t size)
{
    if (size < 2 * HUGE_PAGE || size > PTRDIFF_MAX - HUGE_PAGE)
        return aligned_alloc(ARENA_ALIGNMENT, size);
    void *memory = aligned_alloc(HUGE_PAGE, (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
#if defined(MADV_HUGEPAGE)
    if (memory)
        madvise(memory, size, MADV_HUGEPAGE);
#endif
    return memory;
}

bool arena_reserve(struct arena *arena, struct error *error)
{
    size_t size = arena->used;
    if (size > PTRDIFF_MAX)
        return error_set(error, "the buffers would need more memory than there are addresses");
    if (size == 0)
        size = ARENA_ALIGNMENT;
    arena->base = large_memory(size);
    if (!arena->base)
        return error_set(error,
                         "no memory for %.1f MiB of buffers: start fewer ranks on a host; training needs less with a "
                         "smaller --micro_batch_size",
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

uint16_t *arena_halves(struct arena *arena, size_t count)
{
    return take(arena, count > SIZE_MAX / sizeof(uint16_t) ? SIZE_MAX : count * sizeof(uint16_t));
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
