/* Was this process started by a launcher of parallel programs (mpirun, mpiexec, srun, ...), be it as the only rank?
 *
 * A launcher passes the processes that it starts their ranks in the environment, where MPI_Init reads it. A process
 * with none of the variables below can only become a job of one rank, for which `comm_start` does without MPI: Open MPI
 * starts a daemon for such a process, which takes a third of a second. A variable too many in this list costs that time;
 * one that is missing turns one job into many of one rank each, so the list rather has one too many. What users set for
 * all their programs (OMPI_MCA_btl, OMPI_ALLOW_RUN_AS_ROOT, I_MPI_..., MPICH_...) is not in it.
 *
 * | variable, or how it begins | set by |
 * |---|---|
 * | OMPI_COMM_WORLD_, OMPI_MCA_ess_base_jobid | Open MPI's mpirun, and those made from it (Spectrum MPI, HPC-X, Fujitsu's) |
 * | PMIX_RANK, PMIX_NAMESPACE | all that speaks PMIx: mpirun and prterun of Open MPI, srun --mpi=pmix, jsrun, Flux |
 * | PMI_ | all that speaks PMI-1 or PMI-2: Hydra (MPICH, Intel MPI, MVAPICH), srun --mpi=pmi2, ParaStation, Cray, Flux |
 * | MPI_LOCALRANKID, MPI_LOCALNRANKS | Hydra |
 * | MPI_RANKID | mpirun of Platform MPI |
 * | MV2_COMM_WORLD_, MVP_COMM_WORLD_, MPISPAWN_ | mpirun_rsh of MVAPICH |
 * | SLURM_STEP_ID, SLURM_STEPID, SLURM_STEP_NUM_TASKS | srun, with any --mpi |
 * | ALPS_APP_PE, PALS_RANKID, PALS_APID | Cray's aprun and mpiexec |
 * | FLUX_TASK_RANK | flux run |
 * | JSM_NAMESPACE_RANK | jsrun |
 * | PLE_RANK_ON_NODE | Fujitsu's mpiexec |
 * | MP_CHILD | IBM's poe | */
#ifndef DRUMLINE_DIST_LAUNCHER_H
#define DRUMLINE_DIST_LAUNCHER_H

/* A variable of the environment that only a launcher sets, whatever its value, as "NAME=VALUE"; it stays the environment's.
 * NULL where there is none: this process is the whole job. */
const char *launcher_variable(void);

#endif
