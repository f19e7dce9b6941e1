#!/bin/bash
#SBATCH --job-name=preproc
#SBATCH --mincpus=4
#SBATCH --time=01:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=drumline-preprocess-%j.log
# Converts a folder of MIDI performances to a data set. Arguments after the script's name are options for
# drumline-preprocess; --help prints this and does nothing.
#
#     sbatch jobs/preprocess.sh
#     DRUMLINE_MIDI=/scratch/midi DRUMLINE_DATA=/scratch/shards sbatch -n 16 jobs/preprocess.sh --min_bars=4
#
# Environment variables, besides those that jobs/common.sh lists:
#
#     DRUMLINE_MIDI   folder of MIDI files, searched recursively   (data/groove)
#     DRUMLINE_DATA   folder for the data set                      (data/shards)
#
# Only performances in 4/4 are kept, unless the options set --is_beat.
set -uo pipefail

job_script=preprocess.sh
# shellcheck source=jobs/common.sh
PATH="${DRUMLINE_JOBS:+$DRUMLINE_JOBS:}${SLURM_SUBMIT_DIR:-.}/jobs:${SLURM_SUBMIT_DIR:-.}:$(dirname "$0")" . common.sh ||
    { echo "$job_script: submit from the project's root, or set DRUMLINE_JOBS" >&2; exit 1; }

start_job "$@"
read_flags DRUMLINE_PREPROCESS_FLAGS "$@"
arguments=()
input=${DRUMLINE_MIDI:-data/groove} data=${DRUMLINE_DATA:-data/shards}
if given input_dir "${flags[@]}"; then input=$value; fi
if given output_dir "${flags[@]}"; then data=$value; fi
add_default input_dir "$input"
add_default output_dir "$data"
add_default log_dir "${DRUMLINE_LOG_DIR:-}"
given recursive "${flags[@]}" || arguments+=(--recursive)
if ! given is_beat "${flags[@]}"; then
    arguments+=(--is_beat=True)
    add_default beat 4-4
fi
# After a restart (a lost node, a time limit) what is in the folder is this job's own.
[ "${SLURM_RESTART_COUNT:-0}" = 0 ] || given overwrite "${flags[@]}" || arguments+=(--overwrite)
find_program drumline-preprocess
[ -d "$input" ] ||
    die "$input is not a folder: set DRUMLINE_MIDI to the folder of MIDI files (tools/fetch_groove.sh gets one)"

choose_launcher
print_header "preprocessing $input into $data"
"${launch[@]}" "$program" "${arguments[@]}" "${flags[@]}"
status=$?
[ "$status" -eq 0 ] || { say "failed with status $status (see above)"; exit "$status"; }
say "done: the data set is in $data" "next: DRUMLINE_DATA=$(printf %q "$data") $(printf %q "${jobs#"$PWD"/}/train_4bar.sh")"
