/* A rank that hangs before the ranks watch one another: those that wait for it end the job. Only rank 0 starts to watch here. */
#include "dist/comm.h"
#include "programs/train/watchdog.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST_SECONDS = 60 };

int main(int argc, char **argv)
{
    struct comm *comm = comm_start(&argc, &argv);
    struct watchdog *watchdog;
    struct error error;
    alarm(MOST_SECONDS);
    if (comm_rank(comm) == 0 && !watchdog_start(&watchdog, comm, 1, &error))
        fprintf(stderr, "%s\n", error.message);
    for (;;)
        pause();
}
