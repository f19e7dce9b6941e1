#!/bin/bash
# jobs/site.sh: the site's settings, and the only file in jobs/ to edit. Every job sources it when it starts, on the
# cluster's nodes. What sbatch itself needs (account, partition) must be set in your shell before you submit:
#
#     . jobs/site.sh
#
# jobs/pipeline.sh and jobs/sweep.sh, which call sbatch themselves, source it too. With everything commented out the jobs
# use Slurm's defaults and find out the rest.

# Account and partition; all other options of sbatch have such variables (man sbatch, "INPUT ENVIRONMENT VARIABLES").
#export SBATCH_ACCOUNT=my_project
#export SBATCH_PARTITION=standard
#export SBATCH_QOS=normal
#export SBATCH_CONSTRAINT=milan

# The environment in which Drumline was built.
#module purge
#module load gcc openmpi hdf5 openblas

# The folder of the programs. Default: build/release/bin, else those installed with these scripts, else PATH's.
#export DRUMLINE_BIN=/sw/drumline/bin

# What starts the ranks. Default: srun where Slurm supports PMIx (srun --mpi=list), else mpirun.
#export DRUMLINE_LAUNCHER=mpirun
# srun's --mpi. Default: pmix. MPICH, Intel MPI and Cray MPICH may need pmi2 or cray_shasta; without
# DRUMLINE_LAUNCHER=srun their own mpirun starts the ranks.
#export DRUMLINE_SRUN_MPI=pmix_v3
# cores (the default): each rank is bound to cores of its own. none: leave it to the site's settings.
#export DRUMLINE_BINDING=none

# The network for Open MPI's messages and its launcher, where nodes have several (ip -br addr).
#export OMPI_MCA_btl_tcp_if_include=ib0
#export OMPI_MCA_oob_tcp_if_include=ib0

# Jobs of a single node start 0.2 s (with UCX 1 s) sooner where Open MPI does not load libraries of networks first.
#export OMPI_MCA_pml=ob1

# HDF5 locks files that it reads, which some shared file systems cannot do. Drumline needs no such locks, so jobs switch
# them off; this switches them on.
#export HDF5_USE_FILE_LOCKING=TRUE
