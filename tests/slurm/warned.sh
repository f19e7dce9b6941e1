#!/bin/bash
# warned.sh SOURCE_DIR BUILD_DIR: a warning to the batch shell, to the ranks, to both, once, twice, or by one signal
# after the other, under srun and mpirun: a checkpoint, the job requeues itself and resumes. A cancelled one does
# not come back.
# shellcheck source=tests/slurm/common.sh
. "$(dirname "$0")/common.sh"
start_test warned left

export DRUMLINE_HPARAMS=$slow DRUMLINE_STEPS=1000000
# begin LAUNCHER NAME OPTION...: sets job.
begin() {
    local launcher=$1 name=$2
    shift 2
    DRUMLINE_LAUNCHER=$launcher DRUMLINE_RUN=runs/$name submit -n 2 --mincpus=1 "$@" jobs/train.sh groovae_4bar \
        --log_steps=10
    jobs[$name]=$job
}

# warn NAME SIGNAL TARGET: to the batch shell, to the ranks, which are a step of the job, or to both.
warn() {
    local options=(--signal="$2")
    case $3 in
        shell) options+=(--batch) ;;
        ranks) ;;
        both) options+=(--full) ;;
    esac
    in_slurm scancel "${options[@]}" "${jobs[$1]}"
}

# What comes to a job, by its name.
disturb() {
    case $1 in
        shell_usr1) warn "$1" USR1 shell ;;
        shell_term) warn "$1" TERM shell ;;
        ranks_term)
            # Neither of its nodes' session folders can be removed by another mpirun that ends.
            expect_file "$(session_folder node1 "${jobs[$1]}")"
            expect_file "$(session_folder node2 "${jobs[$1]}")"
            warn "$1" TERM ranks ;;
        both) warn "$1" USR1 both ;;
        ranks_twice) warn "$1" USR1 ranks && warn "$1" USR1 ranks ;;
        shell_twice) warn "$1" TERM shell && warn "$1" TERM shell ;;
        usr1_then_term) warn "$1" USR1 shell && warn "$1" TERM shell ;;
        cancelled) in_slurm scancel "${jobs[$1]}" ;;
    esac
}

# Whether the log has a start after the last stop, which resumes at that step.
is_back() {
    local log=$1 halts step
    halts=$(grep -c 'stopped before the last step' "$log") || return
    step=$(sed -n 's/.*stopped before the last step, at step \([1-9][0-9]*\)$/\1/p' "$log" | tail -n 1)
    in_log "$log" "restart $halts\$" && in_log "$log" "$resumes .*checkpoint-.* at step $step\$"
}

# Of two signals the second may come to the second start, and halt it, too: where a job is just being queued again,
# scancel waits for it.
came_back() {
    local log=drumline-train-${jobs[$1]}.log restarts
    wait_for 120 "$1 to go on" is_back "$log"
    restarts=$(field "${jobs[$1]}" Restarts)
    case $1:$restarts in
        *:1 | *_twice:2 | *_then_*:2) ;;
        *) fail "$1 was started again $restarts times" "$log" ;;
    esac
    in_slurm scancel "${jobs[$1]}"
}

# try NAME...: jobs that are begun already and fit into the partition together. All end cancelled.
try() {
    local name
    for name in "$@"; do
        wait_for 120 "a step of $name" in_log "drumline-train-${jobs[$name]}.log" '^step +[0-9]+/'
        disturb "$name"
    done
    for name in "$@"; do
        [ "$name" = cancelled ] || came_back "$name"
    done
    for name in "$@"; do
        expect_state "${jobs[$name]}" CANCELLED "drumline-train-${jobs[$name]}.log" 90
    done
}

declare -A jobs
begin srun cancelled
begin srun shell_usr1
if [ "$kind" = namespaces ]; then
    # On one node mpirun's ranks are no step of the job, and Slurm's signals to steps do not reach them.
    begin mpirun ranks_term -N 2
    begin srun ranks_twice
    try cancelled shell_usr1 ranks_term ranks_twice
else
    try cancelled shell_usr1
fi
log=drumline-train-${jobs[cancelled]}.log
wait_for 30 "the script's last word" in_log "$log" 'the job was cancelled; not requeued'
begin mpirun both
begin mpirun shell_twice
if [ "$kind" = namespaces ]; then
    begin mpirun shell_term
    begin srun usr1_then_term
    try both shell_twice shell_term usr1_then_term
else
    try both shell_twice
fi
expect_restarts "${jobs[cancelled]}" 0 "$log"

# What is done to an array's last task, whose number is the array's, is done to it alone.
printf 'learning_rate=0.001\nlearning_rate=0.002\n' >pair.txt
DRUMLINE_SBATCH='-n 1 --mincpus=1' in_slurm jobs/sweep.sh pair.txt --log_steps=10 >pair.out ||
    fail "the sweep was not submitted" pair.out
array=$(sed -n 's/^Submitted batch job //p' pair.out)
for task in 1 2; do
    wait_for 120 "a step of task $task" in_log "drumline-sweep-${array}_$task.log" '^step +[0-9]+/'
done
in_slurm scancel --signal=USR1 --batch "${array}_2"
log=drumline-sweep-${array}_2.log
wait_for 120 "the second start of the last task" in_log "$log" 'restart 1$'
wait_for 120 "the last task to go on" in_log "$log" "$resumes .*checkpoint-"
expect_restarts "${array}_2" 1 "$log"
expect_restarts "${array}_1" 0 "drumline-sweep-${array}_1.log"
in_slurm scancel "$array"
