#!/bin/bash
#SBATCH --job-name=drumline-generate
#SBATCH --array=0-3
#SBATCH --ntasks=1
#SBATCH --time=01:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%A_%a.log
# Plays from a run's newest checkpoint, each task of the array a folder of its own. Words after the script's name are
# options for drumline-generate.
#
#     sbatch jobs/generate.sh                                 1000 samples: four tasks of 250
#     sbatch --array=0-39 jobs/generate.sh --temperature=0.8  10,000
#     sbatch jobs/generate.sh --mode=interpolate --input_midi_1=a.mid --input_midi_2=b.mid
#
# In the environment, beside what jobs/common.sh lists:
#
#     DRUMLINE_CONFIG    configuration                    (groovae_4bar)
#     DRUMLINE_RUN       run folder                       (runs/CONFIG)
#     DRUMLINE_OUTPUT    where the tasks' folders go      (RUN/samples)
#     DRUMLINE_OUTPUTS   files a task                     (250)
#     DRUMLINE_SEED      seed of task 0; task n has n more (1)
#
# A task's folder appears when it is complete; a task whose folder is there has nothing to do.
set -uo pipefail

job_script=generate.sh
for jobs in "${DRUMLINE_JOBS:-}" "${SLURM_SUBMIT_DIR:-.}/jobs" "${SLURM_SUBMIT_DIR:-.}" "$(dirname "$0")"; do
    [ ! -r "$jobs/common.sh" ] || break
done
# shellcheck source=jobs/common.sh
. "$jobs/common.sh" || { echo "$job_script: submit from the project's root, or set DRUMLINE_JOBS" >&2; exit 1; }

start_job
read_flags DRUMLINE_GENERATE_FLAGS "$@"
task=${SLURM_ARRAY_TASK_ID:-0}
seed=${DRUMLINE_SEED:-1}
[[ $seed =~ ^[0-9]{1,15}$ ]] || die "DRUMLINE_SEED=$seed is no whole number"
run=${DRUMLINE_RUN:-runs/${DRUMLINE_CONFIG:-groovae_4bar}}
if given run_dir "${flags[@]}"; then run=$value; fi
output=${DRUMLINE_OUTPUT:-$run/samples}
! given output_dir "${flags[@]}" || die "--output_dir is the tasks' own matter: DRUMLINE_OUTPUT says where they go"
folder=$output/$(printf 'task-%05d' "$task")
partial=$folder.partial-$SLURM_JOB_ID
arguments=(--output_dir="$partial")
given checkpoint_file "${flags[@]}" || add_default run_dir "$run"
add_default mode sample
add_default num_outputs "${DRUMLINE_OUTPUTS:-250}"
add_default seed "$((10#$seed + task))"
add_default threads "${SLURM_CPUS_PER_TASK:-1}"
find_program drumline-generate

print_header "playing into $folder"
if [ -d "$folder" ]; then
    say "done: $folder is there already; remove it to have it played again"
    exit 0
fi
# Of an earlier start of this task.
rm -rf -- "$partial"
"$program" "${arguments[@]}" "${flags[@]}"
status=$?
[ "$status" -eq 0 ] || { say "failed with status $status (see above)"; exit "$status"; }
mv -T -- "$partial" "$folder" || die "$folder can't be made (see above); the files are in $partial"
say "done: $(find "$folder" -name '*.mid' | wc -l) files are in $folder"
