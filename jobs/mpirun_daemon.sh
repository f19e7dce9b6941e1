#!/bin/bash
# jobs/mpirun_daemon.sh ARGUMENT...: Open MPI's daemon on one of a job's nodes. mpirun starts it there, told by
# hold_session_folders (jobs/common.sh), with the words for orted; it is not submitted.
#
# It keeps the daemon's session folder in place, and ends when and as the daemon does: Slurm gives its signals to both,
# and the daemon must have the time that it takes to end its ranks.
set -uo pipefail
trap : HUP INT QUIT TERM USR1 USR2 ALRM

job_script=mpirun_daemon.sh
jobs=$(dirname "$0")
# shellcheck source=jobs/common.sh
. "$jobs/common.sh"

# Where it was not Slurm that started this, there is nothing to tell jobs by.
[ -z "${SLURM_JOB_ID:-}" ] || hold_session_folder
orted "$@"
