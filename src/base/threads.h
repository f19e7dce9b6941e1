/* How many threads a process uses, and work that is shared among them. */
#ifndef DRUMLINE_BASE_THREADS_H
#define DRUMLINE_BASE_THREADS_H

#include <stddef.h>

/* How many to use: `wanted`, or where that is 0 what OPENBLAS_NUM_THREADS or OMP_NUM_THREADS say, else SLURM_CPUS_PER_TASK,
 * else this process's fair part of the cores that it may use when `local_processes` share the host. A variable that says no
 * number is warned of and ignored. */
int threads_choose(int wanted, int local_processes);

/* Calls run(member) for each of members [count], which lie `size` bytes apart, at the same time: each in a thread of its own, the first in
 * the calling one, as are those that the system has no thread for. Returns when all are done. */
void threads_run(void *(*run)(void *member), void *members, size_t size, int count);

#endif
