/* Whole reads and writes of file descriptors, which the system may do in parts. */
#ifndef DRUMLINE_BASE_DESCRIPTOR_H
#define DRUMLINE_BASE_DESCRIPTOR_H

#include <stddef.h>

/* Writes all `size` bytes. Returns 0, or the reason as errno has it. */
int descriptor_write(int descriptor, const void *bytes, size_t size);

/* Reads `size` bytes, fewer only at the end of the file; *count is how many. Returns 0, or the reason as errno has it. */
int descriptor_read(size_t *count, int descriptor, void *bytes, size_t size);

#endif
