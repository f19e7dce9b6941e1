#!/bin/bash
#SBATCH --job-name=drumline-4bar
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log
# Trains groovae_4bar in a Slurm allocation, one rank a task. Submit from the project's root, which must have been built
# (cmake --preset release && cmake --build --preset release) and lie on a file system that all nodes share:
#
#     sbatch jobs/train_4bar.sh
#     DRUMLINE_STEPS=100000 sbatch --nodes=8 jobs/train_4bar.sh
#
# Two minutes before the time limit Slurm signals this script with SIGUSR1. Its last line has made it srun or mpirun by then,
# which hand the signal on; the ranks write a checkpoint and end. Submitting the same job again goes on from there.
#
# In the environment:
#
#     DRUMLINE_DATA        data set made by drumline-preprocess   (data/groove-shards)
#     DRUMLINE_RUN         run folder                             (runs/groovae_4bar)
#     DRUMLINE_STEPS       train up to this step                  (50000)
#     DRUMLINE_HPARAMS     for --hparams                          (none)
#     DRUMLINE_BIN         folder of the programs                 (build/release/bin)
#     DRUMLINE_LAUNCHER    srun or mpirun                         (srun where Slurm has PMIx, else mpirun)
set -euo pipefail

cd "${SLURM_SUBMIT_DIR:-$(dirname "$0")/..}"
data=${DRUMLINE_DATA:-data/groove-shards}
run=${DRUMLINE_RUN:-runs/groovae_4bar}
program=${DRUMLINE_BIN:-build/release/bin}/drumline-train

die() {
    printf 'train_4bar.sh: %s\n' "$@" >&2
    exit 1
}

[ -n "${SLURM_JOB_ID:-}" ] || die "this is a job for Slurm: sbatch jobs/train_4bar.sh"
[ -x "$program" ] || die "$program is not there: submit from the project's root after building, or set DRUMLINE_BIN"
[ -e "$data/index.h5" ] || die "$data holds no data set (index.h5): run drumline-preprocess, or set DRUMLINE_DATA"

# Each rank is one thread of its own core unless the job asks for more.
export OPENBLAS_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
launcher=${DRUMLINE_LAUNCHER:-}
if [ -z "$launcher" ]; then
    launcher=mpirun
    if srun --mpi=list 2>&1 | grep -qw pmix; then launcher=srun; fi
fi
# Both take the ranks and their nodes from the allocation.
case $launcher in
    srun) command=(srun --mpi=pmix) ;;
    mpirun) command=(mpirun) ;;
    *) die "DRUMLINE_LAUNCHER=$launcher: there are srun and mpirun" ;;
esac
arguments=(--config=groovae_4bar --mode=train --examples_path="$data" --run_dir="$run"
    --num_steps="${DRUMLINE_STEPS:-50000}")
[ -z "${DRUMLINE_HPARAMS:-}" ] || arguments+=(--hparams="$DRUMLINE_HPARAMS")

printf '%s: job %s, %s nodes, %s ranks\n' "$(date -u +%FT%TZ)" "$SLURM_JOB_ID" "${SLURM_JOB_NUM_NODES:-?}" \
    "${SLURM_NTASKS:-?}"
exec "${command[@]}" "$program" "${arguments[@]}"
