#!/bin/bash
# crashed.sh SOURCE_DIR BUILD_DIR: a node's processes are killed with -9, under srun on the node where the job script
# itself runs. The jobs come back from the last checkpoint on the node that is left, and finish: with as many ranks
# where -n says how many, else with fewer.
# shellcheck source=tests/slurm/common.sh
. "$(dirname "$0")/common.sh"
start_test crashed main

export DRUMLINE_HPARAMS=$slow DRUMLINE_STEPS=60
# begin LAUNCHER EXCLUDED_NODES OPTION...: sets job.
begin() {
    local launcher=$1 excluded=$2
    shift 2
    DRUMLINE_LAUNCHER=$launcher DRUMLINE_RUN=runs/$launcher submit -N 1-2 --exclusive --exclude="$excluded" "$@" \
        jobs/train.sh groovae_4bar --log_steps=5 --save_checkpoint_steps=5
}

is_queued_again() {
    [[ $(field "$1" JobState) =~ ^(COMPLETING|PENDING)$ ]]
}

begin srun node3,node4 -n 4
srun=$job
begin mpirun node1,node2 --ntasks-per-node=2
mpirun=$job
for job in "$srun" "$mpirun"; do
    wait_for_steps "drumline-train-$job.log"
    expect_log "drumline-train-$job.log" '2 node\(s\) .*, 4 rank\(s\)'
done
sandbox crash node1
sandbox crash node4
# The moment at which Slurm can start the job again soonest: on a node that was just requested to end it.
wait_for 60 "the job to be queued again" is_queued_again "$mpirun"
in_slurm scontrol update nodename=node4 state=down reason=crashed
for job in "$srun" "$mpirun"; do
    log=drumline-train-$job.log
    expect_state "$job" COMPLETED "$log" 90
    expect_restarts "$job" 1 "$log"
    expect_log "$log" "$resumes .*checkpoint-"
    expect_log "$log" 'is at step 60$'
    [ "$(grep -c ': done: ' "$log")" -eq 1 ] || fail "the job took itself to be done before it was" "$log"
done
expect_log "drumline-train-$srun.log" '1 node\(s\) node2, 4 rank\(s\)'
expect_log "drumline-train-$mpirun.log" 'lost node4'
expect_log "drumline-train-$mpirun.log" '1 node\(s\) node3, 2 rank\(s\)'
sandbox up
