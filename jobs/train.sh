#!/bin/bash
#SBATCH --job-name=drumline-train
#SBATCH --mincpus=4
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log
# Trains a configuration in a Slurm allocation and goes on, whatever ends the job before its time, until the last step.
#
#     sbatch jobs/train.sh groovae_4bar
#     sbatch -N 2 --ntasks-per-node=16 jobs/train.sh groovae_4bar --num_steps=100000 --hparams=batch_size=1024
#     sbatch -N 1-4 -n 16 jobs/train.sh        16 ranks on four nodes, and after losing some, on those that are left
#     sbatch -N 1-4 --exclusive jobs/train.sh  a rank for each processor of the nodes there are
#     DRUMLINE_DATA=/scratch/shards sbatch -n 8 jobs/train.sh groovae_4bar_flat
#
# The configuration may be left out (groovae_4bar); all words after it are options for drumline-train (drumline-train
# --help). In the environment, beside what jobs/common.sh lists:
#
#     DRUMLINE_DATA      data set made by drumline-preprocess     (data/shards)
#     DRUMLINE_CONFIG    configuration                            (groovae_4bar)
#     DRUMLINE_RUN       run folder                               (runs/CONFIG)
#     DRUMLINE_STEPS     train up to this step                    (50000)
#     DRUMLINE_HPARAMS   for --hparams                            (none)
#     DRUMLINE_REQUEUE   no: leave it to you to submit again      (yes)
#
# Two minutes before the time limit, and before a preemption, Slurm signals this script; the ranks write a checkpoint
# and end with status 3, and the job queues itself again. So it does when a node is lost. Any other failure ends the job
# with the program's status. A job that is requeued twice without a newer checkpoint ends, too; RUN/requeues.tsv tells
# its story.
set -uo pipefail
trap : USR1 TERM

job_script=train.sh
for jobs in "${DRUMLINE_JOBS:-}" "${SLURM_SUBMIT_DIR:-.}/jobs" "${SLURM_SUBMIT_DIR:-.}" "$(dirname "$0")"; do
    [ ! -r "$jobs/common.sh" ] || break
done
# shellcheck source=jobs/common.sh
. "$jobs/common.sh" || { echo "$job_script: submit from the project's root, or set DRUMLINE_JOBS" >&2; exit 1; }

EXIT_HALTED=3
# mpirun's status where a node's daemon is gone: killed, or its node lost.
ORTE_LOST_A_DAEMON=205

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
        "if a rank was killed, see above and the nodes' memory. $run/requeues.tsv lists the starts."
}

# What Slurm calls this job alone: the number of an array's last task is that of the array, too.
own_job() {
    printf '%s\n' "${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}"
}

# job_field NAME: what Slurm knows of this job. It is asked again for a while: slurmctld may be just restarting.
job_field() {
    local record i
    for ((i = 0; i < 10; i++)); do
        if record=$(timeout 30 scontrol show job --oneliner "$(own_job)" 2>/dev/null); then break; fi
        sleep 5
    done
    sed -n "s/.* $1=\\([^ ]*\\).*/\\1/p" <<<"$record"
}

# Tells the ranks when the job must be over, so that they stop in time. Slurm 22.05 does not do so itself.
tell_end() {
    local end
    [ -z "${SLURM_JOB_END_TIME:-}" ] || return 0
    end=$(job_field EndTime)
    [[ $end == [0-9]* ]] || return 0
    end=$(date -d "$end" +%s) && export SLURM_JOB_END_TIME=$end
}

# Where Slurm took this node for dead (no network, no slurmd) it has started the job again elsewhere, under the same
# number: whatever this start would ask of Slurm now, it would do to that one.
leave_to_successor() {
    local restarts
    restarts=$(job_field Restarts)
    [ "${restarts:-0}" -gt "${SLURM_RESTART_COUNT:-0}" ] || return 0
    say "Slurm has started this job again elsewhere (restart $restarts), and the run is its own: this start ends"
    exit 1
}

# empty_step OPTION...: a step of the job that does nothing.
empty_step() {
    timeout 20 srun --overlap --mpi=none --nodes=1 --ntasks=1 --ntasks-per-node=1 --cpus-per-task=1 "$@" true \
        </dev/null >/dev/null 2>&1
}

# The job's nodes that are gone. Slurm itself notices after minutes; a step that does not come back from one tells at
# once.
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

# Slurm remembers how many tasks a job with a range of nodes (-N 1-4) but no -n has come to have, and would keep it
# waiting for as many nodes again. It can be told otherwise once the job is queued again, by this script or, where it
# saw first that a node was lost, by Slurm itself; where -N is one number, that makes no difference.
ask_for_fewer_tasks() {
    local lost=$1 i
    $crowded && [ -n "${SLURM_NTASKS_PER_NODE:-}" ] && [ "$lost" -gt 0 ] && [ "$lost" -lt "$nodes" ] || return
    for ((i = 0; i < 20; i++)); do
        ! timeout 10 scontrol update "JobId=$(own_job)" "NumTasks=$((SLURM_NTASKS_PER_NODE * (nodes - lost)))" \
            2>/dev/null || return
        sleep 1
    done
}

# requeue WHY LOST: LOST nodes are gone. Does not return. A job that a person has cancelled must not come back, and one
# that Slurm requeues comes back without us.
requeue() {
    local state
    say "$1, at step $(newest_step)"
    if [ "${DRUMLINE_REQUEUE:-yes}" = no ]; then
        say "DRUMLINE_REQUEUE=no: the same sbatch goes on from there"
        exit "$status"
    fi
    ! stuck 2 || die_stuck
    state=$(job_field JobState)
    if [ "${state:-RUNNING}" != RUNNING ]; then
        say "Slurm is ending the job by itself ($state): that is left to it"
        ask_for_fewer_tasks "$2"
        exit "$status"
    fi
    say "queued again, to go on from there"
    if timeout 60 scontrol requeue "$(own_job)"; then
        # Slurm now ends what is left of the job, this script, which must not be over within the same second: where a
        # lost node is declared down just then, Slurm 22.05 would start the job on this one at once, which by whole
        # seconds takes that for the start that was ended ("Job credential revoked"), and the job would have failed.
        exec 2>/dev/null
        ask_for_fewer_tasks "$2"
        trap 'sleep 2; exit 99' TERM
        sleep 60 &
        wait
    else
        say "Slurm refused (see above); where it requeues jobs by RequeueExit=99 it does so now, else submit again"
    fi
    exit 99
}

# The last line that the training wrote of its progress, and its number.
last_event() {
    awk '{ line = $0 } END { print NR ": " line }' "$run/train/metrics.jsonl" 2>/dev/null
}

# said_end REASONS: whether the training itself says that it ended, and why, which a launcher's status may hide:
# mpirun's on SIGTERM, srun's where a node was lost.
said_end() {
    local now
    now=$(last_event)
    [ "$now" != "$event_before" ] && [[ $now =~ '"event":"end"'.*'"reason":"'($1)'"' ]]
}

preempted() {
    [[ $(job_field PreemptTime) == [0-9]* ]]
}

# Sets why to why the ranks came to an end that is no failure of theirs, and lost to the nodes that are gone.
find_interruption() {
    why='' lost=()
    if [ "$status" -eq "$EXIT_HALTED" ] || said_end 'SIG.*|--max_seconds|--deadline|SLURM_JOB_END_TIME'; then
        why='halted before the last step'
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
    if [ "$status" -eq 0 ] && said_end num_steps; then
        say "done: $run is at step $(newest_step)" "next: drumline-info $(printf %q "$run")" \
            "      drumline-generate --run_dir $(printf %q "$run") --mode=sample --num_outputs=4 --output_dir new"
        exit 0
    fi
    leave_to_successor
    find_interruption
    # Without the training's word, a launcher's 0 is no success.
    [ "$status" -ne 0 ] || status=1
    [ -z "$why" ] || requeue "$why" ${#lost[@]}
    say "failed with status $status (see above); not queued again. The run is in $run, at step $(newest_step)"
    exit "$status"
}

# Steps are numbered from 0 in every start of a job. On a node that Slurm took for dead, the former start's srun may
# live on, and what it then ends, by its number, must not be this start's step.
use_other_step_number() {
    local i
    for ((i = 0; i < ${SLURM_RESTART_COUNT:-0} % 4; i++)); do
        empty_step
    done
}

start_job
config=${DRUMLINE_CONFIG:-groovae_4bar}
if [ $# -gt 0 ] && [[ $1 != --* ]]; then
    config=$1
    shift
fi
read_flags DRUMLINE_TRAIN_FLAGS "$@"
arguments=(--mode=train)
data=${DRUMLINE_DATA:-data/shards} run=${DRUMLINE_RUN:-runs/$config}
if given run_dir "${flags[@]}"; then run=$value; fi
if given examples_path "${flags[@]}"; then data=$value; fi
add_default config "$config"
add_default examples_path "$data"
add_default run_dir "$run"
add_default num_steps "${DRUMLINE_STEPS:-50000}"
add_default hparams "${DRUMLINE_HPARAMS:-}"
add_default log_dir "${DRUMLINE_LOG_DIR:-}"
find_program drumline-train
[ -e "$data/index.h5" ] ||
    die "$data holds no data set (index.h5): sbatch jobs/preprocess.sh makes one, DRUMLINE_DATA names another"

choose_launcher
print_header "training $config on $data into $run"
write_start
! stuck 3 || die_stuck
tell_end
use_other_step_number
event_before=$(last_event)
run_ranks "$program" "${arguments[@]}" "${flags[@]}"
finish
