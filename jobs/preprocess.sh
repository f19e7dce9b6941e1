#!/bin/bash
#SBATCH --job-name=drumline-preprocess
#SBATCH --mincpus=4
#SBATCH --time=01:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log
# Turns a folder of MIDI performances into a data set. Words after the script's name are options for
# drumline-preprocess.
#
#     sbatch jobs/preprocess.sh
#     DRUMLINE_MIDI=/scratch/midi DRUMLINE_DATA=/scratch/shards sbatch -n 16 jobs/preprocess.sh --min_bars=4
#
# In the environment, beside what jobs/common.sh lists:
#
#     DRUMLINE_MIDI   folder of MIDI files, and of those below it   (data/groove)
#     DRUMLINE_DATA   where the data set goes                       (data/shards)
#
# Performances in 4/4 are kept, unless the options say something else of --is_beat.
set -uo pipefail

job_script=preprocess.sh
for jobs in "${DRUMLINE_JOBS:-}" "${SLURM_SUBMIT_DIR:-.}/jobs" "${SLURM_SUBMIT_DIR:-.}" "$(dirname "$0")"; do
    [ ! -r "$jobs/common.sh" ] || break
done
# shellcheck source=jobs/common.sh
. "$jobs/common.sh" || { echo "$job_script: submit from the project's root, or set DRUMLINE_JOBS" >&2; exit 1; }

start_job
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
# A node was lost before the data set was complete, or its job did not end in time: what is there is this job's own.
[ "${SLURM_RESTART_COUNT:-0}" = 0 ] || given overwrite "${flags[@]}" || arguments+=(--overwrite)
find_program drumline-preprocess
[ -d "$input" ] ||
    die "$input is no folder: DRUMLINE_MIDI names the folder of MIDI files (tools/fetch_groove.sh brings one)"

choose_launcher
print_header "preprocessing $input into $data"
"${launch[@]}" "$program" "${arguments[@]}" "${flags[@]}"
status=$?
[ "$status" -eq 0 ] || { say "failed with status $status (see above)"; exit "$status"; }
say "done: the data set is in $data" "next: DRUMLINE_DATA=$(printf %q "$data") sbatch jobs/train_4bar.sh"
