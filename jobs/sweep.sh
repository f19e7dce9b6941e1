#!/bin/bash
#SBATCH --job-name=sweep
#SBATCH --mincpus=4
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=drumline-sweep-%A_%a.log
# Trains once for each line of a file of hparams, as a job array. Run it on the login node: it submits itself. --help
# prints this and submits nothing.
#
#     jobs/sweep.sh sweep.txt [option of drumline-train]...
#     jobs/sweep.sh sweep.txt --prune                         stops runs whose val_loss falls behind the others
#     sbatch --array=1-8%2 -n 16 jobs/sweep.sh sweep.txt      lines 1 to 8, two at a time, 16 ranks each
#
# Each line of sweep.txt is a value of --hparams; empty lines and lines that begin with # do not count:
#
#     learning_rate=0.001,z_size=128
#     learning_rate=0.0003,z_size=256
#
# Environment variables, besides those that jobs/common.sh and jobs/train.sh list:
#
#     DRUMLINE_HPARAMS     put before each line's own hparams
#     DRUMLINE_SWEEP_DIR   folder of the run folders     (runs/FILE without its ending)
#     DRUMLINE_SBATCH      options of sbatch for the array, separated by spaces
set -uo pipefail
trap : USR1 TERM

job_script=sweep.sh
# shellcheck source=jobs/common.sh
PATH="${DRUMLINE_JOBS:+$DRUMLINE_JOBS:}${SLURM_SUBMIT_DIR:-.}/jobs:${SLURM_SUBMIT_DIR:-.}:$(dirname "$0")" . common.sh ||
    { echo "$job_script: submit from the project's root, or set DRUMLINE_JOBS" >&2; exit 1; }

# read_lines ARGUMENT...: sets file, its lines, and options to the other arguments. Options before the file are one word.
read_lines() {
    options=()
    while [[ ${1:-} == --?* ]]; do
        options+=("$1")
        shift
    done
    [ $# -gt 0 ] || die "the file of hparams is missing: jobs/sweep.sh FILE [OPTION]..."
    file=$1
    options+=("${@:2}")
    [ -r "$file" ] || die "cannot read $file"
    mapfile -t lines < <(sed -E 's/^[[:space:]]+//; s/[[:space:]]+$//; /^(#|$)/d' <"$file")
    [ ${#lines[@]} -gt 0 ] || die "$file has no line of hparams"
}

submit() {
    local -a sbatch_options
    read_site
    read_lines "$@"
    read -r -d '' -a sbatch_options <<<"${DRUMLINE_SBATCH:-}" || true
    timeout 60 sbatch --array="1-${#lines[@]}" "${sbatch_options[@]}" "$jobs/sweep.sh" "$@"
    exit
}

# A run keeps the hparams that it began with; a file that has changed since is refused.
keep_line() {
    mkdir -p -- "$run" || die "cannot create $run (see above): set DRUMLINE_SWEEP_DIR to another folder"
    if [ ! -e "$run/sweep_line" ]; then
        printf '%s\n' "$line" >"$run/sweep_line"
    elif [ "$(<"$run/sweep_line")" != "$line" ]; then
        die "$run was begun with $(<"$run/sweep_line"), but line $task of $file is now $line:" \
            "remove the folder, or set DRUMLINE_SWEEP_DIR"
    fi
}

show_help "$@"
[ -n "${SLURM_JOB_ID:-}" ] || submit "$@"
start_job "$@"
read_lines "$@"
[ -n "${SLURM_ARRAY_TASK_ID:-}" ] ||
    die "this is not a job array: run jobs/sweep.sh $file, which submits one, or give sbatch --array=1-${#lines[@]}"
read_count SLURM_ARRAY_TASK_ID 0
task=$value
{ [ "$task" -ge 1 ] && [ "$task" -le ${#lines[@]} ]; } || die "$file has lines 1 to ${#lines[@]}, but no line $task"
line=${lines[task - 1]}
name=${file##*/}
run=${DRUMLINE_SWEEP_DIR:-runs/${name%.*}}/$(printf %03d "$task")
keep_line
say "line $task of $file: $line"
# As an option, for train.sh sources site.sh again, which may set the variable.
arguments=()
read_flags DRUMLINE_TRAIN_FLAGS "${options[@]}"
add_default log_dir "${DRUMLINE_LOG_DIR:+$DRUMLINE_LOG_DIR/$(printf %03d "$task")}"
export DRUMLINE_HPARAMS=${DRUMLINE_HPARAMS:+$DRUMLINE_HPARAMS,}$line DRUMLINE_RUN=$run DRUMLINE_JOBS=$jobs
exec "$jobs/train.sh" "${DRUMLINE_CONFIG:-groovae_4bar}" "${options[@]}" "${arguments[@]}"
