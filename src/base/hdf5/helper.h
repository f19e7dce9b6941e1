/* A process of drumline-hdf5-reader, which has one HDF5 file open and answers what base/hdf5/protocol.h has requests for. Whatever
 * the file makes of it (a crash, an endless loop, any amount of memory, lies) is a failure here, with the reason. */
#ifndef DRUMLINE_BASE_HDF5_HELPER_H
#define DRUMLINE_BASE_HDF5_HELPER_H

#include "base/error.h"
#include "base/hdf5/protocol.h"

#include <stddef.h>
#include <sys/types.h>

/* How long one answer may take. A slow or absent disk takes any time: while a read of the file is waited for, only the last
 * counts. Nor does time count in which the asking process is stopped. */
struct hdf5_helper_limits {
    double cpu_seconds;   /* of its CPU time */
    double idle_seconds;  /* in which it neither computes nor waits for the file */
    double total_seconds; /* in all */
};

struct hdf5_helper {
    struct hdf5_helper_limits limits; /* set by hdf5_helper_start; may be changed after it */
    pid_t pid;                        /* 0: none */
    int socket, window;               /* descriptors, owned */
    uint32_t number;                  /* of the last request */
    uint32_t asked_area, area;        /* of the last request, and of the last answer */
};

/* Starts it for the file open at `file`, which stays the caller's and may be closed. It need not have begun to run when this
 * returns. Fails where it is not found or can't be started; the number is errno's then. No handler runs for it and no memory is
 * copied (posix_spawn), so MPI does not mind. */
bool hdf5_helper_start(struct hdf5_helper *helper, int file, struct error *error);

/* Sends a request, which needs no number; its answer must be received before the next is sent. Where it can't be sent the helper is
 * stopped. */
bool hdf5_helper_send(struct hdf5_helper *helper, struct hdf5_request *request, struct error *error);

/* Waits for the answer, whose size is at most `max_size`. Fails where the helper refuses, with its reason, and where it does not
 * answer as it must: then it is stopped, and *is_lost set. */
bool hdf5_helper_receive(struct hdf5_helper *helper, struct hdf5_answer *answer, bool *is_lost, size_t max_size,
                         struct error *error);

/* Copies `size` bytes of the last answer; also after a request that names the other area was sent. */
bool hdf5_helper_take(const struct hdf5_helper *helper, void *to, size_t size, struct error *error);

/* Ends the process and waits for it; nothing where there is none. */
void hdf5_helper_stop(struct hdf5_helper *helper);

#endif
