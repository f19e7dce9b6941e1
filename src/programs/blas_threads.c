#define _GNU_SOURCE /* on_exit, MAP_NORESERVE */
#include "programs/blas_threads.h"

#include "programs/threads.h"

#include <cblas.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER_MIB = 128, SPARE_MIB = 16, MOST_LOOKS = 1000 };

static bool is_limited(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

/* The buffers that OpenBLAS has: what of anonymous memory can hold one, for neighbours become one mapping. -1 where /proc can't
 * be read. */
static int count_buffers(void)
{
    char line[512];
    unsigned long long begin, end;
    int count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    if (!maps)
        return -1;
    while (fgets(line, sizeof line, maps))
        if (strstr(line, " rw-p ") && !strpbrk(line, "/[") && sscanf(line, "%llx-%llx", &begin, &end) == 2)
            count += (int)((end - begin) / ((unsigned long long)BUFFER_MIB << 20));
    fclose(maps);
    return count;
}

/* How many it has once `threads` of them have all begun. */
static int num_buffers(int threads)
{
    int kind = openblas_get_parallel();
    return kind == OPENBLAS_SEQUENTIAL ? 1 : kind == OPENBLAS_OPENMP ? threads + 1 : threads;
}

static void leave(int status, void *unused)
{
    (void)unused;
    int found = is_limited() ? count_buffers() : -1;
    if (found < 0 || found >= num_buffers(openblas_get_num_threads()) - 1)
        return;
    fflush(NULL);
    _exit(status);
}

void blas_threads_mind_exit(void)
{
    on_exit(leave, NULL);
}

static bool is_room(int mebibytes)
{
    size_t size = (size_t)mebibytes << 20;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory != MAP_FAILED && munmap(memory, size) == 0;
}

/* Asks again where a thread of OpenBLAS took its buffer between the count and the trial. */
static bool check_room(int buffers, struct error *error)
{
    int found = count_buffers(), before;
    do {
        before = found;
        int missing = found < 0 ? buffers : found < buffers ? buffers - found : 0;
        if (is_room(missing * BUFFER_MIB + SPARE_MIB))
            return true;
        found = count_buffers();
    } while (found > before);
    return error_set(error,
                     "no memory for OpenBLAS's buffers: %d MiB of address space (ulimit -v) are wanted, %d a thread; "
                     "OPENBLAS_NUM_THREADS=1 wants least",
                     buffers * BUFFER_MIB + SPARE_MIB, BUFFER_MIB);
}

/* The smallest product takes this thread's buffer. Those of threads that were just started follow at once, but before anything
 * else may take the room. */
static void wait_for_buffers(void)
{
    const float one = 1;
    float result = 0;
    int buffers = num_buffers(openblas_get_num_threads());
    cblas_ssyrk(CblasRowMajor, CblasUpper, CblasNoTrans, 1, 1, 1, &one, 1, 0, &result, 1);
    for (int look = 0; look < MOST_LOOKS && count_buffers() < buffers; look++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

bool blas_threads_start(int *threads, int wanted, int local_processes, struct error *error)
{
    int started = openblas_get_num_threads();
    *threads = threads_choose(wanted, local_processes);
    if (!check_room(num_buffers(*threads > started ? *threads : started), error))
        return false;
    openblas_set_num_threads(*threads);
    if (is_limited())
        wait_for_buffers();
    return true;
}
