#include "base/hdf5/protocol.h"

#include <errno.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>

static double seconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + 1e-9 * (double)(now.tv_nsec - start->tv_nsec);
}

void hdf5_protocol_expect(int socket)
{
    const double patience = 1e-4;
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        char byte;
        if (recv(socket, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) >= 0 || (errno != EAGAIN && errno != EINTR))
            return;
        sched_yield();
    } while (seconds_since(&start) < patience);
}
