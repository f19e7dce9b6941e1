/* Stopping on a signal. A signal may reach one rank, all, or one twice; a program makes its ranks agree on it (comm_sum_doubles
 * once a step, say), so that all stop after the same step.
 *
 * SIGTERM, SIGINT and SIGUSR1 ask for a halt. A second SIGINT or SIGTERM more than a second after the first ends the process
 * at once. SIGPIPE is ignored, as SIGXFSZ is (base/process.h): the write that fails reports what can't be written. SIGUSR2, SIGHUP and
 * SIGCONT are left alone. */
#ifndef DRUMLINE_DIST_HALT_H
#define DRUMLINE_DIST_HALT_H

/* Installs the handlers; call before comm_start (Open MPI may forward a signal as soon as MPI_Init runs). */
void halt_install(void);

/* Gives the signals back their default actions, for work that is not halted but ended; one that came already is raised again. */
void halt_uninstall(void);

/* From now on the first SIGINT or SIGTERM is answered on standard error at once, with when the program stops ("after this
 * step") and about how many seconds that takes (below 1: not said); to be renewed as they change. The texts must stay. A
 * program of NULL: no more answers. For one rank of a job. */
void halt_answer(const char *program, const char *when, double seconds);

/* The signal that asked this process to halt, 0 for none. Async-signal-safe state; no MPI. */
int halt_requested(void);

#endif
