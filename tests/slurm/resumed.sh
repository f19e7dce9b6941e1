#!/bin/bash
# resumed.sh SOURCE_DIR BUILD_DIR: one training on 2, 4, 1 and 3 nodes in turn, by either launcher, each time up to a
# larger step, and from the third on in a copy of the run folder; the losses are those of a training in one piece.
# shellcheck source=tests/slurm/common.sh
. "$(dirname "$0")/common.sh"
start_test resumed main

export DRUMLINE_HPARAMS=$small
# go_on RUN STEPS NODES LAUNCHER: with one rank on each node.
go_on() {
    DRUMLINE_RUN=$1 DRUMLINE_STEPS=$2 DRUMLINE_LAUNCHER=$4 submit -N "$3" --ntasks-per-node=1 jobs/train.sh \
        groovae_4bar --log_steps=1 --checkpoints_to_keep=2
    log=drumline-train-$job.log
    expect_state "$job" COMPLETED "$log"
    expect_log "$log" "^train.sh: $3 node\\(s\\) node.*, $3 rank\\(s\\)"
    expect_log "$log" "batch of 16 on $3 rank"
    expect_log "$log" "done: $1 is at step $2\$"
}

go_on runs/first 10 2 srun
go_on runs/first 20 4 mpirun
expect_log "$log" "$resumes runs/first/train/checkpoint-00000010.h5 at step 10"
# The job has ended when its script has; the daemons on the other nodes may need a moment more.
is_cleared() {
    [ ! -e "$(session_folder "$1" "$job")" ]
}
for node in node1 node2 node3 node4; do
    wait_for 10 "the end of $(session_folder "$node" "$job")" is_cleared "$node"
done
mkdir elsewhere
cp -r runs/first elsewhere/copy
before=$(find runs/first -type f -exec md5sum {} + | sort)
go_on "$PWD/elsewhere/copy" 30 1 mpirun
expect_log "$log" "$resumes $PWD/elsewhere/copy/train/checkpoint-00000020.h5 at step 20"
go_on elsewhere/copy 40 3 srun
expect_log "$log" "$resumes elsewhere/copy/train/checkpoint-00000030.h5 at step 30"
[ "$before" = "$(find runs/first -type f -exec md5sum {} + | sort)" ] || fail "the run that was copied has changed"
go_on runs/whole 40 1 srun

# losses RUN: step and loss, for each step.
losses() {
    sed -nE 's/.*"step":([0-9]+).*"loss":([0-9.e+-]+).*/\1 \2/p' "$1/train/metrics.jsonl"
}
paste <(losses elsewhere/copy) <(losses runs/whole) | awk '
    { error = ($2 - $4) / $4 }
    $1 != NR || $3 != NR || !(error < 1e-3 && error > -1e-3) { print "differs: " $0; bad = 1 }
    END { exit bad || NR != 40 }' >&2 || fail "the losses are not those of a training in one piece"
