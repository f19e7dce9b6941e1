#!/bin/bash
#SBATCH --job-name=evaluate
#SBATCH --mincpus=4
#SBATCH --time=01:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=drumline-evaluate-%j.log
# Evaluates a run's best checkpoint, or its newest. Arguments after the script's name are options for
# drumline-train --mode=eval; --help prints this and does nothing.
#
#     DRUMLINE_RUN=runs/groovae_4bar sbatch jobs/evaluate.sh
#     sbatch jobs/evaluate.sh --eval_split=test --checkpoint_file=best.h5
#
# Environment variables, besides those that jobs/common.sh lists:
#
#     DRUMLINE_DATA     data set             (data/shards)
#     DRUMLINE_CONFIG   configuration        (groovae_4bar)
#     DRUMLINE_RUN      run folder           (runs/CONFIG)
#     DRUMLINE_SPLIT    what is evaluated    (validation)
set -uo pipefail

job_script=evaluate.sh
# shellcheck source=jobs/common.sh
PATH="${DRUMLINE_JOBS:+$DRUMLINE_JOBS:}${SLURM_SUBMIT_DIR:-.}/jobs:${SLURM_SUBMIT_DIR:-.}:$(dirname "$0")" . common.sh ||
    { echo "$job_script: submit from the project's root, or set DRUMLINE_JOBS" >&2; exit 1; }

start_job "$@"
read_flags DRUMLINE_EVALUATE_FLAGS "$@"
arguments=(--mode=eval)
data=${DRUMLINE_DATA:-data/shards} run=${DRUMLINE_RUN:-runs/${DRUMLINE_CONFIG:-groovae_4bar}}
if given examples_path "${flags[@]}"; then data=$value; fi
if given run_dir "${flags[@]}"; then run=$value; fi
add_default examples_path "$data"
add_default run_dir "$run"
add_default eval_split "${DRUMLINE_SPLIT:-validation}"
add_default log_dir "${DRUMLINE_LOG_DIR:-}"
find_program drumline-train
[ -d "$run" ] || die "$run is not a run folder: set DRUMLINE_RUN"

choose_launcher
print_header "evaluating $run on $data"
"${launch[@]}" "$program" "${arguments[@]}" "${flags[@]}"
status=$?
[ "$status" -eq 0 ] || { say "failed with status $status (see above)"; exit "$status"; }
say "done: the losses are also in the last line of $run/eval/metrics.jsonl"
