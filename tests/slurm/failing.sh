#!/bin/bash
# failing.sh SOURCE_DIR BUILD_DIR: what fails for good is not queued again, and its status is handed on; what is queued
# again without getting further ends with the reason.
# shellcheck source=tests/slurm/common.sh
. "$(dirname "$0")/common.sh"
start_test failing left

# Programs that play a training which can't get on.
mkdir -p stuck crashing
cat >stuck/drumline-train <<'SCRIPT'
#!/bin/bash
[ "$1" = --version ] || exit 3
SCRIPT
cat >crashing/drumline-train <<'SCRIPT'
#!/bin/bash
[ "$1" = --version ] || kill -SEGV $$
SCRIPT
chmod +x stuck/drumline-train crashing/drumline-train
DRUMLINE_RUN=runs/stuck DRUMLINE_BIN=$PWD/stuck submit -n 1 jobs/train.sh
stuck=$job

# A training that ended because a rank hung: started again, and not for ever.
mkdir -p stalled runs/stalled/train
cat >stalled/drumline-train <<'SCRIPT'
#!/bin/bash
[ "$1" != --version ] || exit 0
printf '{"event":"end","step":0,"num_steps":20,"num_ranks":1,"reason":"stalled","message":"no progress"}\n' \
    >>"$DRUMLINE_RUN/train/metrics.jsonl"
exit 1
SCRIPT
chmod +x stalled/drumline-train
DRUMLINE_RUN=runs/stalled DRUMLINE_BIN=$PWD/stalled submit -n 1 jobs/train.sh
stalled=$job

mkdir bad
printf 'no HDF5 at all\n' >bad/index.h5
DRUMLINE_DATA=bad DRUMLINE_RUN=runs/bad submit -n 2 jobs/train.sh
expect_state "$job" FAILED "drumline-train-$job.log"
expect_restarts "$job" 0 "drumline-train-$job.log"
expect_log "drumline-train-$job.log" 'bad/index.h5'
expect_log "drumline-train-$job.log" 'failed with status 1 '
[ "$(field "$job" ExitCode)" = 1:0 ] || fail "status 1 was not handed on" "drumline-train-$job.log"

DRUMLINE_DATA=nowhere submit -n 1 jobs/train.sh
expect_state "$job" FAILED "drumline-train-$job.log"
expect_log "drumline-train-$job.log" 'nowhere is not a data set'

# One of two ranks ends with a status of its own, in each kind of job that has ranks.
mkdir one_rank
cat >one_rank/drumline-train <<'SCRIPT'
#!/bin/bash
[ "$1" != --version ] || exit 0
[ "${PMIX_RANK:-0}" != 1 ] || exit 9
sleep 60
SCRIPT
chmod +x one_rank/drumline-train
cp one_rank/drumline-train one_rank/drumline-preprocess
mkdir -p midi runs/one_rank
export DRUMLINE_MIDI=midi
for script in train evaluate preprocess; do
    DRUMLINE_LAUNCHER=mpirun DRUMLINE_RUN=runs/one_rank DRUMLINE_BIN=$PWD/one_rank submit -n 2 "jobs/$script.sh"
    expect_state "$job" FAILED "drumline-$script-$job.log"
    [ "$(field "$job" ExitCode)" = 9:0 ] || fail "$script: status 9 was not handed on" "drumline-$script-$job.log"
    expect_restarts "$job" 0 "drumline-$script-$job.log"
done

DRUMLINE_LAUNCHER=mpirun DRUMLINE_RUN=runs/crashing DRUMLINE_BIN=$PWD/crashing submit -n 1 jobs/train.sh
expect_state "$job" FAILED "drumline-train-$job.log"
expect_restarts "$job" 0 "drumline-train-$job.log"
[ "$(field "$job" ExitCode)" = 139:0 ] || fail "status 139 was not handed on" "drumline-train-$job.log"

expect_state "$stuck" FAILED "drumline-train-$stuck.log" 90
expect_log "drumline-train-$stuck.log" 'requeued twice without a checkpoint newer than step 0'
[ "$(wc -l <runs/stuck/requeues.tsv)" -eq 2 ] || fail "the job did not start twice" "drumline-train-$stuck.log"

expect_state "$stalled" FAILED "drumline-train-$stalled.log" 90
expect_log "drumline-train-$stalled.log" 'stopped before the last step'
expect_log "drumline-train-$stalled.log" 'requeueing, to resume from there'
expect_log "drumline-train-$stalled.log" 'requeued twice without a checkpoint newer than step 0'
[ "$(wc -l <runs/stalled/requeues.tsv)" -eq 2 ] || fail "the job did not start twice" "drumline-train-$stalled.log"
