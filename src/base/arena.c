#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };

struct arena arena_measure(void)
{
    return (struct arena){0};
}

/* Mapped by the kernel, which hands out zeroed pages when they are first touched: what a run never uses costs nothing, and
 * nothing is zeroed twice. On huge pages where the system has any to give: products walk through it in long strides, and
 * each small page costs a look-up and, at first touch, a fault. */
static bool is_large(size_t size)
{
    return size >= (size_t)2 * HUGE_PAGE;
}

/* Whole huge pages. */
static size_t mapped_size(size_t size)
{
    return (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

/* NULL: no memory. */
static void *map_large(size_t size)
{
    if (size > PTRDIFF_MAX - (ptrdiff_t)2 * HUGE_PAGE)
        return NULL;
    size_t wanted = mapped_size(size);
    unsigned char *mapped = mmap(NULL, wanted + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        return NULL;
    size_t before = (HUGE_PAGE - (uintptr_t)mapped % HUGE_PAGE) % HUGE_PAGE;
    if (before > 0)
        munmap(mapped, before);
    munmap(mapped + before + wanted, HUGE_PAGE - before);
#if defined(MADV_HUGEPAGE)
    madvise(mapped + before, wanted, MADV_HUGEPAGE);
#endif
    return mapped + before;
}

static void *zeroed_memory(size_t size)
{
    if (is_large(size))
        return map_large(size);
    void *memory = aligned_alloc(ARENA_ALIGNMENT, size);
    return memory ? memset(memory, 0, size) : NULL;
}

bool arena_reserve(struct arena *arena, struct error *error)
{
    size_t size = arena->used;
    if (size > PTRDIFF_MAX)
        return error_set(error, "the buffers would need more memory than there are addresses");
    if (size == 0)
        size = ARENA_ALIGNMENT;
    arena->base = zeroed_memory(size);
    if (!arena->base)
        return error_set_no_memory(error,
                                   "no memory for %.1f MiB of buffers: start fewer ranks on a host; training needs "
                                   "less with a smaller --micro_batch_size",
                                   (double)size / (1024.0 * 1024.0));
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
    if (arena->base && is_large(arena->capacity))
        munmap(arena->base, mapped_size(arena->capacity));
    else
        free(arena->base);
    *arena = (struct arena){0};
}
