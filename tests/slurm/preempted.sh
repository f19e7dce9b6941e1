#!/bin/bash
# preempted.sh SOURCE_DIR BUILD_DIR: a training of 200 steps that is pushed aside at five random moments, by Slurm in
# several ways, has, bit for bit, the weights of an undisturbed one on as many ranks.
# shellcheck source=tests/slurm/common.sh
. "$(dirname "$0")/common.sh"
start_test preempted right

export DRUMLINE_HPARAMS=$slow DRUMLINE_STEPS=200
# begin NAME OPTION...: sets job.
begin() {
    local name=$1
    shift
    DRUMLINE_RUN=runs/$name submit -n 2 --mincpus=2 "$@" jobs/train.sh groovae_4bar --log_steps=1
}

begin disturbed
disturbed=$job
log=drumline-train-$job.log
# Not on the same node: what pushes the one aside would push the other aside as well.
wait_for 30 "the first start" in_log "$log" 'node\(s\)'
node=$(field "$disturbed" NodeList)
if [ "$kind" = namespaces ]; then begin undisturbed --exclude="$node"; fi

# disturb HOW: as Slurm does for a better job, as an administrator does, by warnings to the script or to all.
disturb() {
    case $1 in
        preempt) in_slurm sbatch -p high -w "$(field "$disturbed" NodeList)" --exclusive -o high.log --wrap 'sleep 1' ;;
        requeue) in_slurm scontrol requeue "$disturbed" ;;
        warn_script) in_slurm scancel --batch --signal=USR1 "$disturbed" ;;
        warn_all) in_slurm scancel --full --signal=TERM "$disturbed" ;;
    esac >/dev/null
}

seed=20
RANDOM=$seed
mapfile -t moments < <(for ((i = 0; i < 5; i++)); do echo $((5 + i * 30 + RANDOM % 30)); done)
ways=(preempt requeue warn_script warn_all requeue)
for restart in 1 2 3 4 5; do
    moment=${moments[restart - 1]}
    wait_for 90 "step $moment" is_at runs/disturbed "$moment"
    disturb "${ways[restart - 1]}"
    wait_for_restart "$disturbed" "$restart" "$log"
done
expect_state "$disturbed" COMPLETED "$log" 90
expect_restarts "$disturbed" 5 "$log"

[ "$kind" = namespaces ] || begin undisturbed
expect_state "$job" COMPLETED "drumline-train-$job.log" 90
expect_restarts "$job" 0 "drumline-train-$job.log"
same_weights runs/{disturbed,undisturbed}/train/checkpoint-00000200.h5 "$log"
