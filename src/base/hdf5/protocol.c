#include "base/hdf5/protocol.h"

#include "base/clock.h"

#include <errno.h>
#include <sched.h>
#include <sys/socket.h>

void hdf5_protocol_spin(int socket)
{
    enum { MAX_POLLS = 1000 }; /* where there is no clock */
    const double until = clock_seconds() + 1e-4;
    for (int i = 0; i < MAX_POLLS && clock_seconds() < until; i++) {
        char byte;
        if (recv(socket, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) >= 0 || (errno != EAGAIN && errno != EINTR))
            return;
        sched_yield();
    }
}
