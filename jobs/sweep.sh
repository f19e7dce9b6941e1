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
    [ -r "$file" ] || die "cannot read $file (an option before the file is one word, --name=value)"
    mapfile -t lines < <(sed -E 's/^[[:space:]]+//; s/[[:space:]]+$//; /^(#|$)/d' <"$file")
    [ ${#lines[@]} -gt 0 ] || die "$file has no line of hparams"
}

# read_line NUMBER: sets line, run and line_options, which make a training that of the line.
read_line() {
    local number name=${file##*/}
    line=${lines[$1 - 1]}
    number=$(printf %03d "$1")
    run=${DRUMLINE_SWEEP_DIR:-runs/${name%.*}}/$number
    # As options, for train.sh sources site.sh again, which may set the variables.
    line_options=("--run_dir=$run" "--hparams=${DRUMLINE_HPARAMS:+$DRUMLINE_HPARAMS,}$line")
    read_flags DRUMLINE_TRAIN_FLAGS "${options[@]}"
    ! given hparams "${flags[@]}" || die "--hparams would replace each line's own: set DRUMLINE_HPARAMS, which is put before them"
    ! given run_dir "${flags[@]}" || die "--run_dir would be the same for all lines: set DRUMLINE_SWEEP_DIR"
    given log_dir "${flags[@]}" || [ -z "${DRUMLINE_LOG_DIR:-}" ] || line_options+=("--log_dir=$DRUMLINE_LOG_DIR/$number")
}

# A run keeps the hparams that it began with; a file that has changed since is refused.
check_kept_line() {
    [ ! -e "$run/sweep_line" ] || [ "$(<"$run/sweep_line")" = "$line" ] ||
        die "$run was begun with $(<"$run/sweep_line"), but line $1 of $file is now $line:" \
            "remove the folder, or set DRUMLINE_SWEEP_DIR"
}

keep_line() {
    mkdir -p -- "$run" || die "cannot create $run (see above): set DRUMLINE_SWEEP_DIR to another folder"
    check_kept_line "$1"
    [ -e "$run/sweep_line" ] || printf '%s\n' "$line" >"$run/sweep_line" || die "cannot write to $run (see above)"
}

# Checks every line, so that a wrong one shows now and not after hours in the queue.
check_lines() {
    local i warnings bad=0
    for ((i = 1; i <= ${#lines[@]}; i++)); do
        read_line "$i"
        check_kept_line "$i"
        read_training "${options[@]}" "${line_options[@]}"
        check_training
        if $refused; then
            say "line $i, $line: $answer" >&2
            bad=$((bad + 1))
        elif warnings=$(grep -E ': (warning|error): ' <<<"$answer"); then # an error that the job may not have
            say "line $i, $line: $warnings" >&2
            answer=$(grep -vE ': (warning|error): ' <<<"$answer")
        fi
    done
    [ "$bad" -eq 0 ] || die "refused: $bad of ${#lines[@]} lines of $file are wrong; nothing was submitted"
}

note_prune() {
    local value least=3
    if given prune_min_runs "${flags[@]}"; then least=$value; fi
    ! given prune "${flags[@]}" || [[ ! $least =~ ^[0-9]{1,9}$ ]] || [ ${#lines[@]} -gt "$((10#$least))" ] ||
        say "note: --prune needs at least $least other runs to compare with, so in a sweep of ${#lines[@]} it prunes none"
}

submit() {
    local -a sbatch_options
    local least_ranks depends refused answer job folder
    read_site
    read_lines "$@"
    read -r -d '' -a sbatch_options <<<"${DRUMLINE_SBATCH:-}" || true
    read_sbatch_options "${sbatch_options[@]}"
    say "checking ${#lines[@]} line(s) of $file"
    check_lines
    [[ $answer == *' can be trained'* ]] || say "$answer"
    note_prune
    submit_self --array="1-${#lines[@]}" "${sbatch_options[@]}" -- "$@"
    folder=${run%/*}
    printf 'Submitted batch job %s\n' "$job"
    say "the ${#lines[@]} run(s) will be in $folder/001 to $folder/${run##*/}" \
        "watch: squeue --me; drumline-info $(printf %q "$folder"); cancel: scancel $job, or ${job}_N for line N"
    exit 0
}

show_help "$@"
# shellcheck source=jobs/training.sh
. "$jobs/training.sh" || exit 1
[ -n "${SLURM_JOB_ID:-}" ] || submit "$@"
start_job "$@"
read_lines "$@"
[ -n "${SLURM_ARRAY_TASK_ID:-}" ] ||
    die "this is not a task of a job array: run jobs/sweep.sh $file outside of jobs, where it submits one, or give" \
        "sbatch --array=1-${#lines[@]}"
read_count SLURM_ARRAY_TASK_ID 0
task=$value
{ [ "$task" -ge 1 ] && [ "$task" -le ${#lines[@]} ]; } || die "$file has lines 1 to ${#lines[@]}, but no line $task"
read_line "$task"
keep_line "$task"
say "line $task of $file: $line"
export DRUMLINE_JOBS=$jobs
exec "$jobs/train.sh" "${options[@]}" "${line_options[@]}"
