#!/bin/bash
#SBATCH --job-name=train-4b
#SBATCH --mincpus=4
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=drumline-4bar-%j.log
# Trains groovae_4bar in a Slurm allocation: jobs/train.sh with that configuration. jobs/train.sh --help lists the
# environment variables; --help prints this and does nothing. Without sbatch it checks and submits itself, as train.sh does.
#
#     jobs/train_4bar.sh
#     sbatch jobs/train_4bar.sh
#     sbatch -N 2 --ntasks-per-node=16 jobs/train_4bar.sh --num_steps=100000
set -uo pipefail
trap : USR1 TERM

job_script=train_4bar.sh
# shellcheck source=jobs/common.sh
PATH="${DRUMLINE_JOBS:+$DRUMLINE_JOBS:}${SLURM_SUBMIT_DIR:-.}/jobs:${SLURM_SUBMIT_DIR:-.}:$(dirname "$0")" . common.sh ||
    { echo "$job_script: submit from the project's root, or set DRUMLINE_JOBS" >&2; exit 1; }

# shellcheck source=jobs/training.sh
. "$jobs/training.sh" || exit 1
show_help "$@"
[ -n "${SLURM_JOB_ID:-}" ] || submit_training groovae_4bar -- "$@"
start_job "$@"
DRUMLINE_JOBS=$jobs exec "$jobs/train.sh" groovae_4bar "$@"
