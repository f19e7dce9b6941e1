#!/bin/bash
#SBATCH --job-name=drumline-train
#SBATCH --ntasks-per-node=4
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log
# Trains a configuration in a Slurm allocation and goes on, whatever ends the job before its time, until the last step.
#
#     sbatch jobs/train.sh groovae_4bar
#     sbatch -N 2 --ntasks-per-node=16 jobs/train.sh groovae_4bar --num_steps=100000 --hparams=batch_size=1024
#     DRUMLINE_DATA=/scratch/shards sbatch -n 8 jobs/train.sh groovae_4bar_flat
#
# The configuration may be left out (groovae_4bar); all words after it are options for drumline-train (drumline-train --help).
# In the environment, beside what jobs/common.sh lists:
#
#     DRUMLINE_DATA      data set made by drumline-preprocess     (data/shards)
#     DRUMLINE_CONFIG    configuration                            (groovae_4bar)
#     DRUMLINE_RUN       run folder                               (runs/CONFIG)
#     DRUMLINE_STEPS     train up to this step                    (50000)
#     DRUMLINE_HPARAMS   for --hparams                            (none)
#     DRUMLINE_REQUEUE   no: leave it to you to submit again      (yes)
#
# Two minutes before the time limit, and before a preemption, Slurm signals this script; the ranks write a checkpoint and end
# with status 3, and the job queues itself again. So it does when a node is lost. Any other failure ends the job with the
# program's status. A job that is requeued twice without a newer checkpoint ends, too; RUN/requeues.tsv tells its story.
set -uo pipefail
trap : USR1 TERM

job_script=train.sh
for jobs in "${DRUMLINE_JOBS:-}" "${SLURM_SUBMIT_DIR:-.}/jobs" "${SLURM_SUBMIT_DIR:-.}" "$(dirname "$0")"; do
    [ ! -r "$jobs/common.sh" ] || break
done
# shellcheck source=jobs/common.sh
. "$jobs/common.sh" || exit

EXIT_HALTED=3

# The step of the newest checkpoint, 0 where there is none.
newest_step() {
    local file step newest=0
    for file in "$run"/train/checkpoint-*.h5; do
        step=${file##*/checkpoint-}
        step=${step%.h5}
        [[ $step =~ ^[0-9]+$ ]] || continue
        [ $((10#$step)) -le "$newest" ] || newest=$((10#$step))
    done
    printf '%d\n' "$newest"
}

# A line for each start of the job: the job, its restart, the step it begins at, nodes, ranks, date.
write_start() {
    mkdir -p "$run" || die "$run can't be made (see above); DRUMLINE_RUN names another run folder"
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$SLURM_JOB_ID" "${SLURM_RESTART_COUNT:-0}" "$(newest_step)" "$nodes" "$ranks" \
        "$(date -u +%FT%TZ)" >>"$run/requeues.tsv" ||
        die "$run can't be written to (see above); DRUMLINE_RUN names another run folder"
}

# stuck STARTS: whether the last STARTS starts of this job began at the step where the run is now.
stuck() {
    awk -F '\t' -v job="$SLURM_JOB_ID" -v now="$(newest_step)" -v wanted="$1" '
        $1 == job { same = $3 == now ? same + 1 : 0 }
        END { exit !(same >= wanted) }' "$run/requeues.tsv"
}

die_stuck() {
    die "requeued twice without a checkpoint newer than step $(newest_step), so this is the end." \
        "If the time limit or a preemption came first, give the job more --time, or --save_checkpoint_secs=60;" \
        "if a rank was killed, see above and the nodes' memory. RUN/requeues.tsv in $run lists the starts."
}

# Slurm notices a lost node after minutes; a step that does not come back from it tells at once.
lost_nodes() {
    local node
    scontrol show hostnames "$SLURM_JOB_NODELIST" | while IFS= read -r node; do
        timeout 20 srun --overlap --mpi=none --nodes=1 --ntasks=1 --ntasks-per-node=1 --cpus-per-task=1 \
            --nodelist="$node" true </dev/null >/dev/null 2>&1 || printf '%s ' "$node" &
    done
    wait
}

# A job that a person has cancelled must not come back.
still_wanted() {
    local state
    state=$(timeout 30 scontrol show job --oneliner "$SLURM_JOB_ID" | sed -n 's/.* JobState=\([A-Z_]*\).*/\1/p')
    [ "${state:-RUNNING}" = RUNNING ] || { say "the job is $state: it is not requeued"; return 1; }
}

# requeue WHY: does not return where the job is queued again.
requeue() {
    say "$1, at step $(newest_step)"
    if [ "${DRUMLINE_REQUEUE:-yes}" = no ]; then
        say "DRUMLINE_REQUEUE=no: the same sbatch goes on from there"
        exit "$status"
    fi
    ! stuck 2 || die_stuck
    still_wanted || exit "$status"
    say "queued again, to go on from there"
    if timeout 60 scontrol requeue "$SLURM_JOB_ID"; then
        # Slurm now ends what is left of the job, this script.
        trap 'exit 99' TERM
        sleep 30 &
        wait
    fi
    exit 99
}

finish() {
    if [ "$status" -eq 0 ]; then
        say "done: $run is at step $(newest_step)" "next: drumline-info $(printf %q "$run")" \
            "      drumline-generate --run_dir $(printf %q "$run") --mode=sample --num_outputs=4 --output_dir new"
        exit 0
    elif [ "$status" -eq "$EXIT_HALTED" ]; then
        requeue "halted before the last step"
    fi
    local lost
    # Statuses of drumline-train itself come with a message and would come again.
    if [ "$status" -ne 2 ]; then
        lost=$(lost_nodes)
        [ -z "$lost" ] || requeue "lost ${lost% } (status $status)"
        [ "$warned" = false ] || [ "$status" -le 128 ] || requeue "ended by the warning's signal (status $status)"
    fi
    say "failed with status $status (see above); not queued again. The run is in $run, at step $(newest_step)"
    exit "$status"
}

start_job
config=${DRUMLINE_CONFIG:-groovae_4bar}
if [ $# -gt 0 ] && [[ $1 != --* ]]; then
    config=$1
    shift
fi
read_flags
flags+=("$@")
arguments=(--mode=train)
data=${DRUMLINE_DATA:-data/shards} run=${DRUMLINE_RUN:-runs/$config}
if given run_dir "${flags[@]}"; then run=$value; fi
if given examples_path "${flags[@]}"; then data=$value; fi
add_default config "$config"
add_default examples_path "$data"
add_default run_dir "$run"
add_default num_steps "${DRUMLINE_STEPS:-50000}"
add_default hparams "${DRUMLINE_HPARAMS:-}"
find_program drumline-train
[ -e "$data/index.h5" ] ||
    die "$data holds no data set (index.h5): sbatch jobs/preprocess.sh makes one, DRUMLINE_DATA names another"

choose_launcher
print_header "training $config on $data into $run"
write_start
! stuck 3 || die_stuck
run_ranks "$program" "${arguments[@]}" "${flags[@]}"
finish
