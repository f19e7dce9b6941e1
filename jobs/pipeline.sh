#!/bin/bash
# Submits four jobs, each to start when the one before has succeeded: preprocess, train, evaluate, generate. Run it on
# the login node, from the project's root. Prints the job ids.
#
#     jobs/pipeline.sh
#     DRUMLINE_MIDI=/scratch/midi DRUMLINE_STEPS=20000 jobs/pipeline.sh groovae_4bar_flat --hparams=batch_size=256
#
# The configuration is optional (default groovae_4bar); all arguments after it are options for drumline-train. --help
# prints this and submits nothing. Environment variables are those of the four scripts, and:
#
#     DRUMLINE_SBATCH         options of sbatch for all four, separated by spaces
#     DRUMLINE_TRAIN_SBATCH   options of sbatch for the training, such as "-N 2 --ntasks-per-node=16"
#
# If the data set exists already (DRUMLINE_DATA, data/shards), nothing is preprocessed.
set -uo pipefail

job_script=pipeline.sh
# shellcheck source=jobs/common.sh
PATH="${DRUMLINE_JOBS:+$DRUMLINE_JOBS:}${SLURM_SUBMIT_DIR:-.}/jobs:${SLURM_SUBMIT_DIR:-.}:$(dirname "$0")" . common.sh ||
    { echo "$job_script: submit from the project's root, or set DRUMLINE_JOBS" >&2; exit 1; }

# submit NAME OPTION... SCRIPT ARGUMENT...: sets job.
submit() {
    local name=$1
    shift
    job=$(timeout 60 sbatch --parsable --kill-on-invalid-dep=yes "${options[@]}" "$@") ||
        die "sbatch refused the job '$name' (see above)${submitted:+; cancel the others: scancel$submitted}"
    job=${job%%;*}
    submitted+=" $job"
    printf '%-11s job %s\n' "$name" "$job"
}

# shellcheck source=jobs/training.sh
. "$jobs/training.sh" || exit 1
show_help "$@"
[ -z "${SLURM_JOB_ID:-}" ] || die "run this on the login node: it submits the jobs itself"
read_site
export DRUMLINE_JOBS=$jobs DRUMLINE_CONFIG=${DRUMLINE_CONFIG:-groovae_4bar}
if [ $# -gt 0 ] && [[ $1 != --* ]]; then
    DRUMLINE_CONFIG=$1
    shift
fi
if given config "$@"; then DRUMLINE_CONFIG=$value; fi
for name in examples_path run_dir; do
    ! given "$name" "$@" || die "--$name must be the same for all four jobs: set DRUMLINE_DATA or DRUMLINE_RUN instead"
done
read -r -d '' -a options <<<"${DRUMLINE_SBATCH:-}" || true
read -r -d '' -a train_options <<<"${DRUMLINE_TRAIN_SBATCH:-}" || true
# A wrong option is better found now than after the preprocessing.
read_sbatch_options "${options[@]}" "${train_options[@]}"
read_training "$DRUMLINE_CONFIG" "$@"
if [ ! -e "$data/index.h5" ]; then
    mapfile -t arguments < <(printf '%s\n' "${arguments[@]}" | grep -v '^--examples_path=')
fi
check_training
! $refused || die "$answer" "refused: nothing was submitted"
say "$answer"
after=() submitted=
if [ -e "$data/index.h5" ]; then
    printf '%-11s %s exists already\n' preprocess "$data"
else
    submit preprocess "$jobs/preprocess.sh"
    after=(--dependency="afterok:$job")
fi
submit train "${after[@]}" "${train_options[@]}" "$jobs/train.sh" "$DRUMLINE_CONFIG" "$@"
submit evaluate --dependency="afterok:$job" "$jobs/evaluate.sh"
submit generate --dependency="afterok:$job" "$jobs/generate.sh"
say "the run will be in $run, the generated MIDI in ${DRUMLINE_OUTPUT:-$run/samples}" \
    "watch: squeue --me; drumline-info $(printf %q "$run"); cancel all: scancel$submitted"
