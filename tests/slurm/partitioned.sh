#!/bin/bash
# partitioned.sh SOURCE_DIR BUILD_DIR: a node's network is cut, another's slurmd is killed with -9. Slurm takes both
# nodes for dead and starts their jobs again elsewhere, while the old ranks go on: they must leave the run alone and
# end with the reason, and the new ones go on from a checkpoint that is no older than --save_checkpoint_secs.
# shellcheck source=tests/slurm/common.sh
. "$(dirname "$0")/common.sh"
start_test partitioned main

export DRUMLINE_HPARAMS=$slow DRUMLINE_STEPS=1000000
# begin NAME EXCLUDED_NODES OPTION...: sets job.
begin() {
    local name=$1 excluded=$2
    shift 2
    DRUMLINE_RUN=runs/$name submit -n 2 --exclude="$excluded" "$@" jobs/train.sh groovae_4bar --log_steps=1 \
        --save_checkpoint_secs=2
}

# srun ends as soon as Slurm takes the node for dead, and what its ranks say from then on goes nowhere; mpirun goes on.
export DRUMLINE_LAUNCHER=mpirun
begin cut node3,node4 --mincpus=2
cut=$job
wait_for 30 "the first start" in_log "drumline-train-$cut.log" 'node\(s\)'
lost_node=$(field "$cut" NodeList)
begin orphaned node1,node2 --mincpus=2
orphaned=$job
DRUMLINE_LAUNCHER=srun begin split node3,node4 --mincpus=1 -N 1-2 --spread-job
split=$job
for name in cut orphaned split; do
    wait_for 60 "a checkpoint of $name" compgen -G "runs/$name/train/checkpoint-*.h5"
done
expect_log "drumline-train-$split.log" '2 node\(s\) .*, 2 rank\(s\)'
orphan_node=$(field "$orphaned" NodeList)
sandbox cut "$lost_node"
sandbox orphan "$orphan_node"

for job in "$cut" "$orphaned" "$split"; do
    wait_for_restart "$job" 1 "drumline-train-$job.log"
done
# Those whose collective calls can't end without the network are ended by Slurm, later.
for job in "$cut" "$orphaned"; do
    wait_for 60 "job $job's old ranks to see that they have lost the run" in_log "drumline-train-$job.log" \
        "lock: this run was taken over by process .* on node., Slurm job $job, restart 1; this job stops"
done
wait_for 60 "the old script's last word" in_log "drumline-train-$orphaned.log" \
    'Slurm has requeued this job itself \(restart 1\)'
sandbox mend "$lost_node"
sandbox up

# one_writer RUN: the last start has made one step after another from its checkpoint on, and nobody else has written;
# what came after that checkpoint is what the others have made in ten seconds at most.
one_writer() {
    python3 - "$1/train" <<'PYTHON'
import datetime, glob, json, sys
lines = [json.loads(line) for line in open(sys.argv[1] + "/metrics.jsonl")]
start = max(i for i, line in enumerate(lines) if line.get("event") == "resume")
first = lines[start]["step"]
steps = [line["step"] for line in lines[start + 1:]]
assert steps and steps == list(range(first + 1, first + 1 + len(steps))), (first, steps)
time = lambda line: datetime.datetime.strptime(line["time"], "%Y-%m-%dT%H:%M:%SZ").timestamp()
saved = [line for line in lines[:start] if line["step"] == first][-1]
lost = time(lines[start - 1]) - time(saved)
assert lost <= 10, f"{lost} s of work were lost"
newest = max(glob.glob(sys.argv[1] + "/checkpoint-*.h5"))
assert int(newest[-11:-3]) <= json.loads(open(sys.argv[1] + "/metrics.jsonl").readlines()[-1])["step"], newest
PYTHON
}
# One start of the job is left, whose ranks are the only ones.
one_start() {
    [ "$(pgrep -fc -- "^[^ ]*/drumline-train .*--run_dir=runs/$1 ")" -eq 2 ]
}
for name in cut orphaned split; do
    wait_for 60 "the old processes of $name to end" one_start "$name"
    wait_for_steps "drumline-train-${!name}.log"
    one_writer "runs/$name" || fail "more than one start has written to runs/$name" "drumline-train-${!name}.log"
    expect_restarts "${!name}" 1 "drumline-train-${!name}.log"
    [ "$(field "${!name}" JobState)" = RUNNING ] || fail "job ${!name} does not run" "drumline-train-${!name}.log"
done
