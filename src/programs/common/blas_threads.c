#include "programs/common/blas_threads.h"

#include "base/text.h"
#include "base/threads.h"

#include <cblas.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* glibc's malloc reserves ARENA_MIB of address space for each thread that the library starts, besides the thread's buffer. */
enum { BUFFER_MIB = 128, ARENA_MIB = 64, SPARE_MIB = 16 };

static bool is_room(int mebibytes)
{
    size_t size = (size_t)mebibytes << 20;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory != MAP_FAILED && munmap(memory, size) == 0;
}

static bool is_limited(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

static void end_at_once(int status)
{
    fflush(NULL);
    _exit(status);
}

/* main does not come here: blas_threads_end ends it before. So whoever did call exit() had failed. */
static void end_failed(void)
{
    end_at_once(EXIT_FAILURE);
}

void blas_threads_begin(void)
{
    if (is_limited())
        atexit(end_failed);
}

int blas_threads_end(int status)
{
    if (is_limited())
        end_at_once(status);
    return status;
}

/* This thread's, which the smallest BLAS call takes: before anything else may take the room. */
static void take_buffer(void)
{
    const float one = 1;
    float result = 0;
    cblas_ssyrk(CblasRowMajor, CblasUpper, CblasNoTrans, 1, 1, 1, &one, 1, 0, &result, 1);
}

/* Each of the library's threads takes a buffer when it first runs. All are given work, several times, as one thread may take
 * another's share. A thread that first runs when the address space is used up would retry forever. False: no memory. */
static bool run_all_threads(void)
{
    enum { COUNT = 1 << 18, ROUNDS = 16 }; /* elements: enough for the library to share the work out */
    float *x = calloc(2 * (size_t)COUNT, sizeof *x);
    if (!x)
        return false;
    for (int round = 0; round < ROUNDS; round++)
        cblas_saxpy(COUNT, 1, x, 1, x + COUNT, 1);
    free(x);
    return true;
}

/* Always fails. */
static bool refuse(int mebibytes, int threads, struct error *error)
{
    return error_set(
        error,
        "no memory for OpenBLAS's buffers: %d MiB of address space (ulimit -v) are needed for %d thread%s; "
        "OPENBLAS_NUM_THREADS=1 needs least",
        mebibytes, threads, PLURAL(threads));
}

bool blas_threads_start(int *threads, int wanted, int local_processes, struct error *error)
{
    *threads = threads_choose(wanted, local_processes);
    /* Some of those that the library started by itself may have theirs: then this asks for more than need be. */
    int started = openblas_get_num_threads(), most = *threads > started ? *threads : started;
    int mebibytes = most * BUFFER_MIB + (is_limited() ? (most - 1) * ARENA_MIB : 0) + SPARE_MIB;
    if (!is_room(mebibytes))
        return refuse(mebibytes, most, error);
    if (is_limited() && most > 1) {
        openblas_set_num_threads(most);
        if (!run_all_threads())
            return refuse(mebibytes, most, error);
    }
    openblas_set_num_threads(*threads);
    take_buffer();
    return true;
}

const char *blas_description(void)
{
    return openblas_get_config();
}
