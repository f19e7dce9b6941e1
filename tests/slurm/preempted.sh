#!/bin/bash
# preempted.sh SOURCE_DIR BUILD_DIR: a training that jobs of a better partition push aside three times has, bit for bit,
# the weights of an undisturbed one on as many ranks.
# shellcheck source=tests/slurm/common.sh
. "$(dirname "$0")/common.sh"
start_test preempted

export DRUMLINE_HPARAMS=$slow
DRUMLINE_STEPS=1000000 DRUMLINE_RUN=runs/disturbed submit -n 2 jobs/train.sh groovae_4bar --log_steps=1
disturbed=$job
log=drumline-train-$job.log
for restart in 1 2 3; do
    wait_for_steps "$log"
    in_slurm sbatch -p high -N "$(in_slurm sinfo -h -p high -o %D)" --exclusive -o high.log --wrap 'sleep 1' >/dev/null
    wait_for 60 "restart $restart" in_log "$log" "restart $restart\$"
done
wait_for_steps "$log"
in_slurm scancel "$disturbed"
expect_state "$disturbed" CANCELLED "$log"
expect_restarts "$disturbed" 3 "$log"
wait_for 20 "the end" test ! -e runs/disturbed/train/lock

newest=$(find runs/disturbed/train -name 'checkpoint-*.h5' | sort | tail -n 1)
step=$((10#$(basename "$newest" .h5 | sed 's/checkpoint-//')))
DRUMLINE_STEPS=$step DRUMLINE_RUN=runs/undisturbed submit -n 2 jobs/train.sh groovae_4bar --log_steps=1
expect_state "$job" COMPLETED "drumline-train-$job.log" 90
for part in /model /optimizer; do
    h5diff -c "$newest" "runs/undisturbed/train/${newest##*/}" "$part" ||
        fail "after three preemptions $part differs at step $step" "$log"
done
