/* One aligned block of memory from which a module takes all its buffers before the first step, so that no step allocates.
 *
 * Layout is written once and run twice: first on a measuring arena (`arena_measure`), whose `arena_floats` returns NULL
 * and only counts; then, after `arena_reserve`, on the real one:
 *
 *     struct arena arena = arena_measure();
 *     lay_out(&buffers, &arena);
 *     if (!arena_reserve(&arena, error)) ...
 *     lay_out(&buffers, &arena);
 */
#ifndef DRUMLINE_BASE_ARENA_H
#define DRUMLINE_BASE_ARENA_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { ARENA_ALIGNMENT = 64 }; /* bytes: one cache line, one AVX-512 register */

struct arena {
    unsigned char *base; /* NULL while measuring */
    size_t used;         /* bytes */
    size_t capacity;     /* bytes */
};

struct arena arena_measure(void);

/* Takes the memory that was measured, zeroed, and rewinds. Fails where the address space or a limit on it does not suffice. The
 * pages of a large arena are given out when they are first touched: where the machine, or the job's control group, has fewer, that
 * is when the kernel ends the process. */
bool arena_reserve(struct arena *arena, struct error *error);

/* `count` elements aligned to ARENA_ALIGNMENT; NULL while measuring. Asking for more than was measured aborts: it can
 * only be a bug. */
float *arena_floats(struct arena *arena, size_t count);
uint8_t *arena_bytes(struct arena *arena, size_t count);
uint16_t *arena_halves(struct arena *arena, size_t count);

void arena_free(struct arena *arena);

#endif
