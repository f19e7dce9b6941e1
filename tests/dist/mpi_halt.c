/* Signals: one rank is asked to halt, the others hear of it by a sum; the first reason stays; impatience ends the process. */
#include "dist/halt.h"
#include "tests/dist/mpi_check.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* In a child, before MPI: `signal_number` after SIGTERM and `milliseconds`. Returns the child's status of waitpid. */
static int status_after_repeat(int signal_number, long milliseconds)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        struct timespec pause = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
        halt_install();
        raise(SIGTERM);
        nanosleep(&pause, NULL);
        raise(signal_number);
        _exit(halt_requested() == SIGTERM ? 0 : 1);
    }
    if (child > 0)
        waitpid(child, &status, 0);
    return status;
}

static void check_agreement(struct comm *comm)
{
    const int rank = comm_rank(comm), size = comm_size(comm);
    CHECK(comm, halt_requested() == 0);
    if (rank == size - 1)
        raise(SIGUSR1);
    CHECK(comm, halt_requested() == (rank == size - 1 ? SIGUSR1 : 0));
    double halted = halt_requested() == SIGUSR1;
    comm_sum_doubles(comm, &halted, 1);
    CHECK(comm, halted == 1);
    raise(SIGTERM);
    raise(SIGTERM);
    raise(SIGPIPE);
    CHECK(comm, halt_requested() == (rank == size - 1 ? SIGUSR1 : SIGTERM));
}

int main(int argc, char **argv)
{
    const int patient = status_after_repeat(SIGTERM, 0);
    const int impatient = status_after_repeat(SIGINT, 1100);
    const int warned = status_after_repeat(SIGUSR1, 1100);
    halt_install();
    struct comm *comm = comm_start(&argc, &argv);
    CHECK(comm, WIFEXITED(patient) && WEXITSTATUS(patient) == 0);
    CHECK(comm, WIFSIGNALED(impatient) && WTERMSIG(impatient) == SIGINT);
    CHECK(comm, WIFEXITED(warned) && WEXITSTATUS(warned) == 0);
    check_agreement(comm);
    comm_finish(comm);
    return EXIT_SUCCESS;
}
