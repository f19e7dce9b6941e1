#include "base/descriptor.h"

#include <errno.h>
#include <unistd.h>

int descriptor_write(int descriptor, const void *bytes, size_t size)
{
    const char *from = bytes;
    while (size > 0) {
        ssize_t written = write(descriptor, from, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return errno;
        if (written == 0)
            return ENOSPC;
        from += written;
        size -= (size_t)written;
    }
    return 0;
}

int descriptor_read(size_t *count, int descriptor, void *bytes, size_t size)
{
    *count = 0;
    while (*count < size) {
        ssize_t got = read(descriptor, (char *)bytes + *count, size - *count);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        if (got == 0)
            break;
        *count += (size_t)got;
    }
    return 0;
}
