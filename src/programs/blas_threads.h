/* How many threads a process's matrix products use. Apart from programs/threads.h, so that a program without such products
 * needs no BLAS. */
#ifndef DRUMLINE_PROGRAMS_BLAS_THREADS_H
#define DRUMLINE_PROGRAMS_BLAS_THREADS_H

/* Sets as many threads as threads_choose says, and returns the number. */
int blas_threads_start(int wanted, int local_processes);

#endif
