#!/bin/bash
#SBATCH --job-name=train
#SBATCH --mincpus=4
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=drumline-train-%j.log
# Trains a configuration in a Slurm allocation, up to the last step: a job that ends early requeues itself and resumes.
# Without sbatch, on the login node, it checks config, hparams, batch size and run first, and submits itself if they are valid.
#
#     jobs/train.sh groovae_4bar
#     sbatch jobs/train.sh groovae_4bar
#     sbatch -N 2 --ntasks-per-node=16 jobs/train.sh groovae_4bar --num_steps=100000 --hparams=batch_size=1024
#     sbatch -N 1-4 -n 16 jobs/train.sh        16 ranks on four nodes, or on fewer after some are lost
#     sbatch -N 1-4 --exclusive jobs/train.sh  a rank for each processor of the nodes that Slurm gives
#     DRUMLINE_DATA=/scratch/shards sbatch -n 8 jobs/train.sh groovae_4bar_flat
#
# The configuration is optional (default groovae_4bar); all arguments after it are options for drumline-train
# (drumline-train --help). --help prints this and does nothing. Environment variables, besides those that jobs/common.sh
# lists:
#
#     DRUMLINE_DATA      data set made by drumline-preprocess     (data/shards)
#     DRUMLINE_CONFIG    configuration                            (groovae_4bar)
#     DRUMLINE_RUN       run folder                               (runs/CONFIG)
#     DRUMLINE_STEPS     train up to this step                    (50000)
#     DRUMLINE_HPARAMS   for --hparams                            (none)
#     DRUMLINE_REQUEUE   no: do not requeue                       (yes)
#     DRUMLINE_SBATCH    options of sbatch, separated by spaces, where the script submits itself
#
# Two minutes before the time limit, and before a preemption, Slurm signals this script; the ranks write a checkpoint
# and end with status 3, and the job requeues itself. So it does when a node is lost. Any other failure ends the job with
# the program's status, and so do two requeues without a newer checkpoint. RUN/requeues.tsv lists the job's starts.
set -uo pipefail
trap : USR1 TERM

job_script=train.sh
# shellcheck source=jobs/common.sh
PATH="${DRUMLINE_JOBS:+$DRUMLINE_JOBS:}${SLURM_SUBMIT_DIR:-.}/jobs:${SLURM_SUBMIT_DIR:-.}:$(dirname "$0")" . common.sh ||
    { echo "$job_script: submit from the project's root, or set DRUMLINE_JOBS" >&2; exit 1; }

EXIT_HALTED=3
# mpirun's status when a node's daemon is gone: killed, or its node lost.
ORTE_LOST_A_DAEMON=205

# The step of the newest checkpoint; 0: there is none.
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

# Adds a line for this start: job, restart, step that it starts from, nodes, ranks, date.
write_start() {
    mkdir -p -- "$run" || die "cannot create $run (see above): set DRUMLINE_RUN to another folder"
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$SLURM_JOB_ID" "${SLURM_RESTART_COUNT:-0}" "$(newest_step)" "$nodes" "$ranks" \
        "$(date -u +%FT%TZ)" >>"$run/requeues.tsv" ||
        die "cannot write to $run (see above): set DRUMLINE_RUN to another folder"
}

# stuck STARTS: whether the last STARTS starts of this job started from the step at which the run is now.
stuck() {
    awk -F '\t' -v job="$SLURM_JOB_ID" -v now="$(newest_step)" -v wanted="$1" '
        $1 == job { same = $3 == now ? same + 1 : 0 }
        END { exit !(same >= wanted) }' <"$run/requeues.tsv"
}

die_stuck() {
    die "requeued twice without a checkpoint newer than step $(newest_step), so it is not requeued again." \
        "If the time limit or a preemption came first, give the job more --time, or --save_checkpoint_secs=60;" \
        "if a rank was killed, see above, and check the nodes' memory. $run/requeues.tsv lists the starts."
}

# The id of this job alone: the job id of an array's last task is that of the whole array.
own_job() {
    printf '%s\n' "${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}"
}

# job_field NAME: a field of scontrol's record of this job. Retried for a while, for slurmctld may be restarting.
job_field() {
    local record i
    for ((i = 0; i < 10; i++)); do
        if record=$(timeout 30 scontrol show job --oneliner "$(own_job)" 2>/dev/null); then break; fi
        sleep 5
    done
    sed -n "s/.* $1=\\([^ ]*\\).*/\\1/p" <<<"$record"
}

# Exports when the job must be over, so that the ranks stop in time. Slurm 22.05 does not do so itself.
export_end() {
    local end
    [ -z "${SLURM_JOB_END_TIME:-}" ] || return 0
    end=$(job_field EndTime)
    [[ $end == [0-9]* ]] || return 0
    end=$(date -d "$end" +%s) && export SLURM_JOB_END_TIME=$end
}

# If Slurm has requeued the job itself, or took this node for dead (no network, no slurmd) and restarted the job elsewhere
# under the same id, any request to Slurm would now be about that start, not this one.
leave_to_successor() {
    local restarts
    restarts=$(job_field Restarts)
    [ "${restarts:-0}" -gt "${SLURM_RESTART_COUNT:-0}" ] || return 0
    say "Slurm has requeued this job itself (restart $restarts), and the run is that start's: this start ends"
    exit 1
}

# empty_step OPTION...: runs a job step that does nothing.
empty_step() {
    timeout 20 srun --overlap --mpi=none --nodes=1 --ntasks=1 --ntasks-per-node=1 --cpus-per-task=1 "$@" true \
        </dev/null >/dev/null 2>&1
}

# The job's nodes that are gone. Slurm itself notices after minutes; a job step that fails on a node shows it at once.
lost_nodes() {
    local node
    {
        timeout 30 sinfo --noheader --Node --nodes="$SLURM_JOB_NODELIST" --format='%N %t' |
            awk '$2 ~ /\*|^(down|fail)/ { print $1 }'
        if [ "$(job_field JobState)" = RUNNING ]; then
            while IFS= read -r node; do
                empty_step --nodelist="$node" || printf '%s\n' "$node" &
            done < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
            wait
        fi
    } | sort -u
}

# Slurm remembers how many tasks a job with a range of nodes (-N 1-4) but no -n was given, and would keep it waiting for
# as many nodes again. That can be changed once the job is pending again, requeued by this script or, if it noticed the
# lost node first, by Slurm itself; where -N is one number, it makes no difference.
ask_for_fewer_tasks() {
    local lost=$1 i value
    read_count SLURM_NTASKS_PER_NODE 0
    $crowded && [ "$value" -gt 0 ] && [ "$lost" -gt 0 ] && [ "$lost" -lt "$nodes" ] || return
    for ((i = 0; i < 20; i++)); do
        ! timeout 10 scontrol update "JobId=$(own_job)" "NumTasks=$((value * (nodes - lost)))" \
            2>/dev/null || return
        sleep 1
    done
}

preempted() {
    [[ $(job_field PreemptTime) == [0-9]* ]]
}

# slurm_reason LOST: why Slurm is ending this job, which it has not requeued, where LOST nodes are gone.
slurm_reason() {
    if [ "$1" -gt 0 ]; then
        printf 'Slurm is ending the job, which lost a node\n'
    elif preempted; then
        printf 'the job was preempted\n'
    elif [[ ${SLURM_JOB_END_TIME:-} =~ ^[1-9][0-9]*$ ]] && [ "$(date +%s)" -ge "$SLURM_JOB_END_TIME" ]; then
        printf 'the job reached its time limit\n'
    else
        printf 'the job was cancelled\n'
    fi
}

# requeue WHY LOST: LOST nodes are gone. Does not return. A cancelled job must not come back, and one that Slurm itself
# requeues comes back anyway.
requeue() {
    local state
    say "$1, at step $(newest_step)"
    if [ "${DRUMLINE_REQUEUE:-yes}" = no ]; then
        say "DRUMLINE_REQUEUE=no: submit the same job again to resume"
        exit "$status"
    fi
    ! stuck 2 || die_stuck
    state=$(job_field JobState)
    if [ "${state:-RUNNING}" != RUNNING ]; then
        say "$(slurm_reason "$2"); not requeued by this script" \
            "unless Slurm requeues it, submit the same job again to resume"
        ask_for_fewer_tasks "$2"
        exit "$status"
    fi
    say "requeueing, to resume from there"
    if timeout 60 scontrol requeue "$(own_job)"; then
        # Slurm now ends what is left of the job, this script, which must not be over within the same second: if a lost
        # node is declared down just then, Slurm 22.05 restarts the job on this node at once, and the node, which compares
        # whole seconds, takes that for the start that was ended ("Job credential revoked"): the job would fail.
        exec 2>/dev/null
        ask_for_fewer_tasks "$2"
        trap 'sleep 2; exit 99' TERM
        sleep 60 &
        wait
    else
        say "Slurm refused (see above): unless its RequeueExit has 99, submit the job again to resume"
    fi
    exit 99
}

# The last line of the metrics and its number.
last_event() {
    [ ! -r "$run/train/metrics.jsonl" ] || awk '{ line = $0 } END { print NR ": " line }' <"$run/train/metrics.jsonl"
}

# recorded_end REASONS: whether the training itself recorded that it ended, for one of these reasons. A launcher's status
# may hide it: mpirun's on SIGTERM, srun's after a lost node.
recorded_end() {
    local now
    now=$(last_event)
    [ "$now" != "$event_before" ] && [[ $now =~ '"event":"end"'.*'"reason":"'($1)'"' ]]
}

# Sets why to the reason if the ranks ended without a fault of theirs, and lost to the nodes that are gone.
find_interruption() {
    why='' lost=()
    if [ "$status" -eq "$EXIT_HALTED" ] || recorded_end 'SIG.*|--max_seconds|--deadline|SLURM_JOB_END_TIME|stalled'; then
        why='stopped before the last step'
    elif [ "$status" -ne 2 ]; then
        mapfile -t lost < <(lost_nodes)
        if [ ${#lost[@]} -gt 0 ]; then
            why="lost ${lost[*]} (status $status)"
        elif [ "$status" -eq "$ORTE_LOST_A_DAEMON" ] || { [ "$warned" = true ] && [ "$status" -gt 128 ]; } ||
            [ "$status" -eq 0 ] || preempted; then
            why="ended from outside (status $status)"
        fi
    fi
}

finish() {
    local why lost
    if [ "$status" -eq 0 ] && recorded_end pruned; then
        say "done: $run fell behind the other runs beside it and was pruned at step $(newest_step)"
        exit 0
    fi
    if [ "$status" -eq 0 ] && recorded_end "num_steps|patience"; then
        say "done: $run is at step $(newest_step)" "next: $(printf '%q %q' "${program%train}info" "$run")" \
            "      $(printf %q "${program%train}generate") --run_dir $(printf %q "$run") --mode=sample --num_outputs=4 --output_dir new"
        exit 0
    fi
    leave_to_successor
    find_interruption
    # A launcher's 0 is no success unless the training recorded its end.
    [ "$status" -ne 0 ] || status=1
    [ -z "$why" ] || requeue "$why" ${#lost[@]}
    say "failed with status $status (see above); not requeued. The run is in $run, at step $(newest_step)"
    exit "$status"
}

# Job steps are numbered from 0 in every start of a job. On a node that Slurm took for dead, the former start's srun may
# still run, and the step that it ends, by number, must not be this start's.
use_other_step_number() {
    local i restart=${SLURM_RESTART_COUNT:-0}
    for ((i = 0; i < restart % 4; i++)); do
        empty_step
    done
}

# shellcheck source=jobs/training.sh
. "$jobs/training.sh" || exit 1
show_help "$@"
[ -n "${SLURM_JOB_ID:-}" ] || submit_training -- "$@"
start_job "$@"
read_training "$@"
arguments+=(--mode=train)
find_program drumline-train
[ -e "$data/index.h5" ] ||
    die "$data is not a data set (it has no index.h5): sbatch jobs/preprocess.sh makes one; DRUMLINE_DATA sets the folder"

choose_launcher
print_header "training $config on $data into $run"
write_start
! stuck 3 || die_stuck
export_end
use_other_step_number
event_before=$(last_event)
run_ranks "$program" "${arguments[@]}" "${flags[@]}"
say "the ranks ended with status $status, $(date -u +%FT%TZ)"
finish
