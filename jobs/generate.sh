#!/bin/bash
#SBATCH --job-name=generate
#SBATCH --array=0-3
#SBATCH --ntasks=1
#SBATCH --time=01:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=drumline-generate-%A_%a.log
# Generates MIDI from a run's best checkpoint, or its newest; each task of the array writes a folder of its own.
# Arguments after the script's name are options for drumline-generate; --help prints this and does nothing.
#
#     sbatch jobs/generate.sh                                 1000 samples: four tasks of 250
#     sbatch --array=0-39 jobs/generate.sh --temperature=0.8  10,000
#     sbatch jobs/generate.sh --mode=interpolate --input_midi_1=a.mid --input_midi_2=b.mid
#
# Environment variables, besides those that jobs/common.sh lists:
#
#     DRUMLINE_CONFIG    configuration                    (groovae_4bar)
#     DRUMLINE_RUN       run folder                       (runs/CONFIG)
#     DRUMLINE_OUTPUT    folder of the tasks' folders     (RUN/samples)
#     DRUMLINE_OUTPUTS   files per task                   (250)
#     DRUMLINE_SEED      seed of task 0; task n adds n    (1)
#
# A task's folder appears when it is complete; a task whose folder exists has nothing to do.
set -uo pipefail

job_script=generate.sh
# shellcheck source=jobs/common.sh
PATH="${DRUMLINE_JOBS:+$DRUMLINE_JOBS:}${SLURM_SUBMIT_DIR:-.}/jobs:${SLURM_SUBMIT_DIR:-.}:$(dirname "$0")" . common.sh ||
    { echo "$job_script: submit from the project's root, or set DRUMLINE_JOBS" >&2; exit 1; }

start_job "$@"
read_flags DRUMLINE_GENERATE_FLAGS "$@"
read_count SLURM_ARRAY_TASK_ID 0
task=$value
read_count DRUMLINE_SEED 1
seed=$value
read_count SLURM_CPUS_PER_TASK 1
threads=$value
run=${DRUMLINE_RUN:-runs/${DRUMLINE_CONFIG:-groovae_4bar}}
if given run_dir "${flags[@]}"; then run=$value; fi
output=${DRUMLINE_OUTPUT:-$run/samples}
! given output_dir "${flags[@]}" || die "each task has an --output_dir of its own: set DRUMLINE_OUTPUT, the folder of them all"
folder=$output/$(printf 'task-%05d' "$task")
partial=$folder.partial-$SLURM_JOB_ID
arguments=(--output_dir="$partial")
given checkpoint_file "${flags[@]}" || add_default run_dir "$run"
add_default mode sample
add_default num_outputs "${DRUMLINE_OUTPUTS:-250}"
add_default seed "$((seed + task))"
add_default threads "$threads"
find_program drumline-generate

print_header "generating into $folder"
if [ -d "$folder" ]; then
    say "done: $folder already exists; remove it to generate it again"
    exit 0
fi
# Left by an earlier start of this task.
rm -rf -- "$partial"
# The log names the files where they will be.
"$program" "${arguments[@]}" "${flags[@]}" 2>&1 | while IFS= read -r line; do
    printf '%s\n' "${line//"$partial"/"$folder"}"
done
status=${PIPESTATUS[0]}
[ "$status" -eq 0 ] || { say "failed with status $status (see above)"; exit "$status"; }
mv -T -- "$partial" "$folder" || die "cannot rename $partial to $folder (see above); the files are in $partial"
say "done: $(find "$folder" -name '*.mid' | wc -l) files are in $folder"
