#include "base/host.h"

#include <string.h>
#include <unistd.h>

void host_name(char host[HOST_NAME_SIZE])
{
    host[0] = '\0';
    if (gethostname(host, HOST_NAME_SIZE) != 0 || host[0] == '\0')
        memcpy(host, "localhost", sizeof "localhost");
    host[HOST_NAME_SIZE - 1] = '\0'; /* POSIX allows a name that was cut to have no end */
    for (unsigned char *c = (unsigned char *)host; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == '/')
            *c = '_';
}
