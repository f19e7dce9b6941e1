/* What MPI tests check with. A failed check names itself and ends the whole job, so that no rank waits for another. */
#ifndef DRUMLINE_TESTS_DIST_MPI_CHECK_H
#define DRUMLINE_TESTS_DIST_MPI_CHECK_H

#include "base/log.h"
#include "dist/comm.h"

#include <stdlib.h>

#define CHECK(comm, condition)                                                                                         \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            log_error("%s:%d: does not hold: %s", __FILE__, __LINE__, #condition);                                     \
            comm_abort(comm, EXIT_FAILURE);                                                                            \
        }                                                                                                              \
    } while (0)

#endif
