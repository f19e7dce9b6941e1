#!/bin/bash
#SBATCH --job-name=drumline-sweep
#SBATCH --mincpus=4
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%A_%a.log
# Trains once for each line of a file of hparams, as a job array. Run it on the login node: it submits itself.
#
#     jobs/sweep.sh sweep.txt [option of drumline-train]...
#     sbatch --array=1-8%2 -n 16 jobs/sweep.sh sweep.txt      lines 1 to 8, two at a time, 16 ranks each
#
# sweep.txt holds on each line what --hparams takes; empty lines and lines that begin with # do not count:
#
#     learning_rate=0.001,z_size=128
#     learning_rate=0.0003,z_size=256
#
# In the environment, beside what jobs/common.sh and jobs/train.sh list:
#
#     DRUMLINE_HPARAMS     comes before each line's own hparams
#     DRUMLINE_SWEEP_DIR   folder of the run folders     (runs/FILE without its ending)
#     DRUMLINE_SBATCH      options for sbatch, parted by spaces, where the script submits itself
set -uo pipefail
trap : USR1 TERM

job_script=sweep.sh
for jobs in "${DRUMLINE_JOBS:-}" "${SLURM_SUBMIT_DIR:-.}/jobs" "${SLURM_SUBMIT_DIR:-.}" "$(dirname "$0")"; do
    [ ! -r "$jobs/common.sh" ] || break
done
# shellcheck source=jobs/common.sh
. "$jobs/common.sh" || { echo "$job_script: submit from the project's root, or set DRUMLINE_JOBS" >&2; exit 1; }

read_lines() {
    [[ ${1:---} != --* ]] || die "a file of hparams comes first: jobs/sweep.sh FILE [OPTION]..."
    file=$1
    [ -r "$file" ] || die "$file can't be read"
    mapfile -t lines < <(sed -E 's/^[[:space:]]+//; s/[[:space:]]+$//; /^(#|$)/d' "$file")
    [ ${#lines[@]} -gt 0 ] || die "$file has no line of hparams"
}

submit() {
    read_site
    read_lines "$@"
    read -r -d '' -a options <<<"${DRUMLINE_SBATCH:-}" || true
    timeout 60 sbatch --array="1-${#lines[@]}" "${options[@]}" "$jobs/sweep.sh" "$@"
    exit
}

# A run keeps to the hparams that it began with, also where the file has changed since.
keep_line() {
    mkdir -p "$run" || die "$run can't be made (see above); DRUMLINE_SWEEP_DIR names another folder"
    if [ ! -e "$run/sweep_line" ]; then
        printf '%s\n' "$line" >"$run/sweep_line"
    elif [ "$(cat "$run/sweep_line")" != "$line" ]; then
        die "$run was begun with $(cat "$run/sweep_line"), but line $task of $file is $line now;" \
            "remove the folder, or set DRUMLINE_SWEEP_DIR"
    fi
}

[ -n "${SLURM_JOB_ID:-}" ] || submit "$@"
start_job
read_lines "$@"
shift
task=${SLURM_ARRAY_TASK_ID:-}
[ -n "$task" ] || die "no job array: run jobs/sweep.sh $file, which submits one, or give sbatch --array=1-${#lines[@]}"
{ [ "$task" -ge 1 ] && [ "$task" -le ${#lines[@]} ]; } || die "$file has lines 1 to ${#lines[@]}, no line $task"
line=${lines[task - 1]}
name=${file##*/}
run=${DRUMLINE_SWEEP_DIR:-runs/${name%.*}}/$(printf %03d "$task")
keep_line
say "line $task of $file: $line"
# As an option: train.sh reads the site's file again, which may set the variable.
arguments=()
read_flags DRUMLINE_TRAIN_FLAGS "$@"
add_default log_dir "${DRUMLINE_LOG_DIR:+$DRUMLINE_LOG_DIR/$(printf %03d "$task")}"
export DRUMLINE_HPARAMS=${DRUMLINE_HPARAMS:+$DRUMLINE_HPARAMS,}$line DRUMLINE_RUN=$run DRUMLINE_JOBS=$jobs
exec "$jobs/train.sh" "${DRUMLINE_CONFIG:-groovae_4bar}" "$@" "${arguments[@]}"
