/* How many threads a process uses. */
#ifndef DRUMLINE_BASE_THREADS_H
#define DRUMLINE_BASE_THREADS_H

/* How many to use: `wanted`, or where that is 0 what OPENBLAS_NUM_THREADS or OMP_NUM_THREADS say, else SLURM_CPUS_PER_TASK,
 * else this process's fair part of the cores that it may use when `local_processes` share the host. A variable that says no
 * number is warned of and ignored. */
int threads_choose(int wanted, int local_processes);

#endif
