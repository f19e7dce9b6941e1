#!/bin/bash
# warned.sh SOURCE_DIR BUILD_DIR: a warning to the batch shell or to the ranks, under srun and mpirun: a checkpoint, the
# job queues itself again, goes on where it was and finishes. A cancelled one does not come back.
# shellcheck source=tests/slurm/common.sh
. "$(dirname "$0")/common.sh"
start_test warned

export DRUMLINE_HPARAMS=$slow DRUMLINE_STEPS=150
# begin LAUNCHER NAME OPTION...: sets job and log.
begin() {
    local launcher=$1 name=$2
    shift 2
    DRUMLINE_LAUNCHER=$launcher DRUMLINE_RUN=runs/$name submit -n 2 "$@" jobs/train.sh groovae_4bar --log_steps=10
    log=drumline-train-$job.log
}

begin srun batch
batch=$job
# On one node mpirun's ranks are no step of the job, and Slurm's signal to the steps does not reach them.
if [ "$(cat "$sandbox_dir/run/kind")" = namespaces ]; then
    begin mpirun ranks -N 2
    signal=(--signal=TERM)
else
    begin mpirun ranks
    signal=(--full --signal=USR1)
fi
ranks=$job
wait_for_steps "drumline-train-$batch.log"
in_slurm scancel --batch --signal=USR1 "$batch"
wait_for_steps "drumline-train-$ranks.log"
in_slurm scancel "${signal[@]}" "$ranks"
for job in "$batch" "$ranks"; do
    log=drumline-train-$job.log
    wait_for 30 "job $job's second start" in_log "$log" 'restart 1'
    expect_log "$log" 'halted before the last step, at step [1-9]'
done

begin srun cancelled
wait_for_steps "$log"
in_slurm scancel "$job"
expect_state "$job" CANCELLED "$log"
wait_for 10 "the script's last word" in_log "$log" 'that is left to it'
cancelled=$job

for job in "$batch" "$ranks"; do
    log=drumline-train-$job.log
    expect_state "$job" COMPLETED "$log"
    expect_restarts "$job" 1 "$log"
    expect_log "$log" 'going on from .*checkpoint-'
    expect_log "$log" 'is at step 150$'
done
expect_restarts "$cancelled" 0 "$log"
[ "$(field "$cancelled" JobState)" = CANCELLED ] || fail "the cancelled job came back" "$log"
