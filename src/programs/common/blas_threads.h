/* How many threads a process's GEMMs use. Apart from base/threads.h, so that a program without GEMMs by OpenBLAS is not
 * linked to it.
 *
 * OpenBLAS gives each of its threads a buffer of 128 MiB of address space, and one that finds no room for it retries forever,
 * deaf to signals. */
#ifndef DRUMLINE_PROGRAMS_COMMON_BLAS_THREADS_H
#define DRUMLINE_PROGRAMS_COMMON_BLAS_THREADS_H

#include "base/error.h"

/* The first call of a program that is linked to OpenBLAS, and the last, whose result main returns. At a program's end OpenBLAS
 * waits for its threads, also for those that still try to get a buffer; under a limit on address space the program therefore
 * ends without waiting for them, whether main returns or exit(EXIT_FAILURE) is called. */
void blas_threads_begin(void);
int blas_threads_end(int status);

/* Sets as many threads as threads_choose says, into *threads too. Fails where there is no room for their buffers; under a limit on
 * address space the threads have them when it returns. */
bool blas_threads_start(int *threads, int wanted, int local_processes, struct error *error);

/* The library as it describes itself: "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH NO_AFFINITY SkylakeX MAX_THREADS=64". */
const char *blas_description(void);

#endif
