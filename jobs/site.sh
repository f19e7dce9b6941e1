#!/bin/bash
# jobs/site.sh: what differs from site to site, and the only file of jobs/ to edit. Every job reads it when it starts,
# on the cluster's nodes. What sbatch itself must know (account, partition) has to be in your shell before you submit:
#
#     . jobs/site.sh
#
# jobs/pipeline.sh and jobs/sweep.sh, which submit by themselves, read it by themselves. With everything commented out
# the jobs take Slurm's defaults and find out the rest.

# Who pays, and where jobs run; so may all of sbatch's options (man sbatch, "INPUT ENVIRONMENT VARIABLES").
#export SBATCH_ACCOUNT=my_project
#export SBATCH_PARTITION=standard
#export SBATCH_QOS=normal
#export SBATCH_CONSTRAINT=milan

# The environment in which Drumline was built.
#module purge
#module load gcc openmpi hdf5 openblas

# The folder of the programs. Where not set: build/release/bin, those installed with these scripts, else where PATH finds
# them.
#export DRUMLINE_BIN=/sw/drumline/bin

# What starts the ranks: srun where its Slurm speaks PMIx (srun --mpi=list), else mpirun.
#export DRUMLINE_LAUNCHER=mpirun
# How srun speaks to the MPI library: pmix where not set. MPICH, Intel MPI and Cray MPICH may want pmi2 or cray_shasta;
# without DRUMLINE_LAUNCHER=srun their own mpirun starts the ranks.
#export DRUMLINE_SRUN_MPI=pmix_v3
# cores: each rank stays on cores of its own. none: where the site's own settings shall decide.
#export DRUMLINE_BINDING=none

# The network that Open MPI's messages and its launcher use, where nodes have several (ip -br addr).
#export OMPI_MCA_btl_tcp_if_include=ib0
#export OMPI_MCA_oob_tcp_if_include=ib0

# Jobs of a single node start 0.2 s (with UCX 1 s) sooner where Open MPI does not load libraries of networks first.
#export OMPI_MCA_pml=ob1

# HDF5 locks files that it reads, which some shared file systems can't; Drumline needs no such locks, and jobs turn them
# off.
#export HDF5_USE_FILE_LOCKING=TRUE
