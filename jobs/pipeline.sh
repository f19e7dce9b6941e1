#!/bin/bash
# Submits a whole piece of work, each job to begin when the one before has succeeded: preprocess, train, evaluate,
# generate. Run it on the login node, from the project's root. Prints the jobs' numbers.
#
#     jobs/pipeline.sh
#     DRUMLINE_MIDI=/scratch/midi DRUMLINE_STEPS=20000 jobs/pipeline.sh groovae_4bar_flat --hparams=batch_size=256
#
# The configuration may be left out (groovae_4bar); all words after it are options for drumline-train. The environment
# is that of the four scripts, and:
#
#     DRUMLINE_SBATCH         options of sbatch for all four, parted by spaces
#     DRUMLINE_TRAIN_SBATCH   options of sbatch for the training, say "-N 2 --ntasks-per-node=16"
#
# Where the data set is there already (DRUMLINE_DATA, data/shards), nothing is preprocessed.
set -uo pipefail

job_script=pipeline.sh
for jobs in "${DRUMLINE_JOBS:-}" "${SLURM_SUBMIT_DIR:-.}/jobs" "${SLURM_SUBMIT_DIR:-.}" "$(dirname "$0")"; do
    [ ! -r "$jobs/common.sh" ] || break
done
# shellcheck source=jobs/common.sh
. "$jobs/common.sh" || { echo "$job_script: submit from the project's root, or set DRUMLINE_JOBS" >&2; exit 1; }

# submit NAME OPTION... SCRIPT ARGUMENT...: sets job.
submit() {
    local name=$1
    shift
    job=$(timeout 60 sbatch --parsable --kill-on-invalid-dep=yes "${options[@]}" "$@") ||
        die "sbatch did not take the job that should $name (see above)${submitted:+; end the others: scancel$submitted}"
    job=${job%%;*}
    submitted+=" $job"
    printf '%-11s job %s\n' "$name" "$job"
}

[ -z "${SLURM_JOB_ID:-}" ] || die "run this on the login node: it submits the jobs itself"
read_site
export DRUMLINE_JOBS=$jobs DRUMLINE_CONFIG=${DRUMLINE_CONFIG:-groovae_4bar}
if [ $# -gt 0 ] && [[ $1 != --* ]]; then
    DRUMLINE_CONFIG=$1
    shift
fi
for name in examples_path run_dir; do
    ! given "$name" "$@" || die "--$name must be known to all four jobs: set DRUMLINE_DATA and DRUMLINE_RUN"
done
read -r -d '' -a options <<<"${DRUMLINE_SBATCH:-}" || true
read -r -d '' -a train_options <<<"${DRUMLINE_TRAIN_SBATCH:-}" || true
data=${DRUMLINE_DATA:-data/shards} run=${DRUMLINE_RUN:-runs/$DRUMLINE_CONFIG}
after=() submitted=
if [ -e "$data/index.h5" ]; then
    printf '%-11s %s is there already\n' preprocess "$data"
else
    submit preprocess "$jobs/preprocess.sh"
    after=(--dependency="afterok:$job")
fi
submit train "${after[@]}" "${train_options[@]}" "$jobs/train.sh" "$DRUMLINE_CONFIG" "$@"
submit evaluate --dependency="afterok:$job" "$jobs/evaluate.sh"
submit generate --dependency="afterok:$job" "$jobs/generate.sh"
say "the run will be in $run, the new MIDI in ${DRUMLINE_OUTPUT:-$run/samples}" \
    "look: squeue --me; drumline-info $(printf %q "$run"); end all: scancel$submitted"
