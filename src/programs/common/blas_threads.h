/* How many threads a process's matrix products use. Apart from base/threads.h, so that a program without such products
 * needs no BLAS.
 *
 * OpenBLAS gives each of its threads a buffer of 128 MiB of address space, and one that finds no room for it tries for ever,
 * deaf to signals. */
#ifndef DRUMLINE_PROGRAMS_COMMON_BLAS_THREADS_H
#define DRUMLINE_PROGRAMS_COMMON_BLAS_THREADS_H

#include "base/error.h"

/* To be called once, at the start of a program that is linked to OpenBLAS: at the end OpenBLAS waits for its threads, also for
 * those that still try to get a buffer. Under a limit on address space the program then ends without waiting for them. */
void blas_threads_mind_exit(void);

/* Sets as many threads as threads_choose says, into *threads too. Fails where there is no room for their buffers. */
bool blas_threads_start(int *threads, int wanted, int local_processes, struct error *error);

#endif
