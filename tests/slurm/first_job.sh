#!/bin/bash
# first_job.sh SOURCE_DIR BUILD_DIR: sbatch jobs/train_4bar.sh as it is, and again with more steps; no string of the
# user's reaches a shell.
# shellcheck source=tests/slurm/common.sh
. "$(dirname "$0")/common.sh"
start_test first_job left

export DRUMLINE_HPARAMS=$small DRUMLINE_STEPS=30
submit jobs/train_4bar.sh
log=drumline-4bar-$job.log
expect_state "$job" COMPLETED "$log"
expect_log "$log" '1 node\(s\) .*, 4 rank\(s\), 1 thread\(s\) each'
expect_log "$log" 'batch of 16 on 4 ranks'
expect_log "$log" 'started by: srun --mpi=pmix'
expect_log "$log" 'stops before .* \(SLURM_JOB_END_TIME\)'
expect_log "$log" 'done: runs/groovae_4bar is at step 30'
expect_file runs/groovae_4bar/train/checkpoint-00000030.h5

# The same again with more steps resumes.
DRUMLINE_STEPS=40 DRUMLINE_LAUNCHER=mpirun submit -n 1 -c 2 jobs/train_4bar.sh
log=drumline-4bar-$job.log
expect_state "$job" COMPLETED "$log"
expect_log "$log" '1 rank\(s\), 2 thread\(s\) each'
expect_log "$log" 'started by: mpirun -n 1 '
expect_log "$log" "$resumes .*checkpoint-00000030.h5"
expect_file runs/groovae_4bar/train/checkpoint-00000040.h5

# Nothing but the program sees these.
# shellcheck disable=SC2016 # not to be expanded, that is the point
DRUMLINE_TRAIN_FLAGS='--seed=5 --hparams=* --log_steps=$(touch${IFS}expanded)' submit -n 1 jobs/train.sh
log=drumline-train-$job.log
expect_state "$job" FAILED "$log"
# shellcheck disable=SC2016
grep -qF -- '$(touch${IFS}expanded)' "$log" || fail "the flag did not reach the program as it is" "$log"
[ ! -e expanded ] || fail "a shell has expanded a flag" "$log"
[ "$(field "$job" ExitCode)" = 2:0 ] || fail "status 2 was not handed on, but $(field "$job" ExitCode)" "$log"
