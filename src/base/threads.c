#define _GNU_SOURCE /* sched_getaffinity */
#include "base/threads.h"

#include "base/log.h"

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

static int fair_part(int local_processes)
{
    cpu_set_t set;
    long all = sysconf(_SC_NPROCESSORS_ONLN);
    int allowed = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
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
