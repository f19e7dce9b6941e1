#define _GNU_SOURCE /* sched_getaffinity */
#include "base/threads.h"

#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A positive number from the environment, 0 where there is none. OpenMP's own variable may go on with ",": numbers for threads
 * that start threads. */
static int number_of(const char *variable)
{
    enum { MOST_THREADS = 1024 };
    const char *text = getenv(variable);
    char *end;
    if (!text || !*text)
        return 0;
    long number = strtol(text, &end, 10);
    bool is_whole = *end == '\0' || (*end == ',' && strcmp(variable, "OMP_NUM_THREADS") == 0);
    if (is_whole && number > 0 && number <= MOST_THREADS)
        return (int)number;
    log_job_warning("%s=%.60s is no number of threads from 1 to %d, so it is ignored", variable, text, MOST_THREADS);
    return 0;
}

/* How many processors this thread may run on. The kernel fails with EINVAL where it knows more of them than the set can
 * hold; glibc's fixed set holds 1,024. */
static int count_allowed(void)
{
    enum { FIRST_SIZE = 1024, LARGEST_SIZE = 1 << 22 };
    for (int size = FIRST_SIZE; size <= LARGEST_SIZE; size *= 2) {
        cpu_set_t *set = CPU_ALLOC((size_t)size);
        if (!set)
            return 1;
        int result = sched_getaffinity(0, CPU_ALLOC_SIZE((size_t)size), set);
        int reason = errno, count = result == 0 ? CPU_COUNT_S(CPU_ALLOC_SIZE((size_t)size), set) : 0;
        CPU_FREE(set);
        if (result == 0)
            return count;
        if (reason != EINVAL)
            return 1;
    }
    return 1;
}

static int fair_part(int local_processes)
{
    long all = sysconf(_SC_NPROCESSORS_ONLN);
    int allowed = count_allowed();
    int part = (int)all / (local_processes > 0 ? local_processes : 1);
    int threads = part < allowed ? part : allowed;
    return threads > 0 ? threads : 1;
}

int threads_choose(int wanted, int local_processes)
{
    int threads = wanted;
    if (threads == 0)
        threads = number_of("OPENBLAS_NUM_THREADS");
    if (threads == 0)
        threads = number_of("OMP_NUM_THREADS");
    if (threads == 0)
        threads = number_of("SLURM_CPUS_PER_TASK");
    if (threads == 0)
        threads = fair_part(local_processes);
    return threads;
}

void threads_run(void *(*run)(void *member), void *members, size_t size, int count)
{
    unsigned char *first = members;
    pthread_t *threads = calloc((size_t)count, sizeof *threads);
    int started = 1;
    while (threads && started < count &&
           pthread_create(&threads[started], NULL, run, first + (size_t)started * size) == 0)
        started++;
    run(members);
    for (int i = started; i < count; i++)
        run(first + (size_t)i * size);
    for (int i = 1; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}
