/* How many threads a process's matrix products use. */
#ifndef DRUMLINE_PROGRAMS_THREADS_H
#define DRUMLINE_PROGRAMS_THREADS_H

/* Sets `wanted` threads. 0 chooses: OPENBLAS_NUM_THREADS or OMP_NUM_THREADS where set, else SLURM_CPUS_PER_TASK, else this
 * process's fair part of the cores that it may use when `local_processes` share the host. Returns the number. */
int threads_start(int wanted, int local_processes);

#endif
