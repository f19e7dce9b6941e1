#!/bin/bash
# jobs/mpirun_daemon.sh ARGUMENT...: Open MPI's daemon on one of a job's nodes, with the arguments for orted. mpirun
# starts it there because of hold_session_folders (jobs/common.sh); it is not submitted.
#
# It keeps the daemon's session folder in place and ends with the daemon and its status: Slurm sends its signals to both,
# and the daemon needs time to end its ranks.
set -uo pipefail
trap : HUP INT QUIT TERM USR1 USR2 ALRM

job_script=mpirun_daemon.sh
# shellcheck source=jobs/common.sh
. "$(dirname "$0")/common.sh"

# Where Slurm did not start this, there is no job id to name the folder by.
[ -z "${SLURM_JOB_ID:-}" ] || hold_session_folder
orted "$@"
