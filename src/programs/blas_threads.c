#include "programs/blas_threads.h"

#include "programs/threads.h"

#include <cblas.h>

int blas_threads_start(int wanted, int local_processes)
{
    int threads = threads_choose(wanted, local_processes);
    openblas_set_num_threads(threads);
    return threads;
}
