#!/bin/bash
#SBATCH --job-name=drumline-4bar
#SBATCH --mincpus=4
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log
# Trains groovae_4bar in a Slurm allocation: jobs/train.sh, which says what can be set, with this configuration.
#
#     sbatch jobs/train_4bar.sh
#     sbatch -N 2 --ntasks-per-node=16 jobs/train_4bar.sh --num_steps=100000
set -uo pipefail
trap : USR1 TERM

job_script=train_4bar.sh
for jobs in "${DRUMLINE_JOBS:-}" "${SLURM_SUBMIT_DIR:-.}/jobs" "${SLURM_SUBMIT_DIR:-.}" "$(dirname "$0")"; do
    [ ! -r "$jobs/common.sh" ] || break
done
# shellcheck source=jobs/common.sh
. "$jobs/common.sh" || { echo "$job_script: submit from the project's root, or set DRUMLINE_JOBS" >&2; exit 1; }

start_job
DRUMLINE_JOBS=$jobs exec "$jobs/train.sh" groovae_4bar "$@"
