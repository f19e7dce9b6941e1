#!/bin/bash
# whole.sh SOURCE_DIR BUILD_DIR: jobs/pipeline.sh from MIDI to new MIDI; jobs/sweep.sh; an array of generators is
# completed.
# shellcheck source=tests/slurm/common.sh
. "$(dirname "$0")/common.sh"
start_test whole left

rm data/shards
export DRUMLINE_MIDI=$work/midi DRUMLINE_HPARAMS=$small DRUMLINE_STEPS=20 DRUMLINE_OUTPUTS=3
in_slurm jobs/pipeline.sh groovae_4bar_flat --log_steps=5 >pipeline.out ||
    fail "the pipeline was not submitted" pipeline.out
[ "$(grep -cE '^(preprocess|train|evaluate|generate) +job [0-9]+$' pipeline.out)" -eq 4 ] ||
    fail "the jobs' numbers were not printed" pipeline.out
# number NAME: of a job of the pipeline.
number() {
    awk -v name="$1" '$1 == name { print $3 }' pipeline.out
}
samples=runs/groovae_4bar_flat/samples
expect_state "$(number generate)" COMPLETED pipeline.out 90
wait_for 30 "the other tasks of the array" test -d $samples/task-00000 -a -d $samples/task-00001 -a \
    -d $samples/task-00002 -a -d $samples/task-00003
[ "$(find $samples -name 'groovae_4bar_flat_sample_*.mid' | wc -l)" -eq 12 ] || fail "not 12 samples" ./*generate*.log
[ "$(md5sum $samples/*/*.mid | cut -d ' ' -f 1 | sort -u | wc -l)" -eq 12 ] || fail "some samples are the same"
expect_log "drumline-evaluate-$(number evaluate).log" 'hits_loss'
expect_file runs/groovae_4bar_flat/eval/metrics.jsonl

# Only what is missing is played again, and the same.
md5sum "$samples"/task-00001/*000-of-003.mid | cut -d ' ' -f 1 >before
rm -r "$samples/task-00001"
DRUMLINE_RUN=runs/groovae_4bar_flat submit --array=0-1 jobs/generate.sh
wait_for 30 "the array" test -d $samples/task-00001
wait_for 30 "task 0" in_log "drumline-generate-${job}_0.log" 'already exists'
md5sum "$samples"/task-00001/*000-of-003.mid | cut -d ' ' -f 1 | cmp - before ||
    fail "the same seed played something else"

# What can't be trained is refused before anything is submitted.
submitted_before=$(in_slurm squeue --noheader --states=all | wc -l)
for script in pipeline train; do
    ! in_slurm jobs/$script.sh groovae_4bar_flat --hparams=batch_size=100000 >refused.out 2>&1 ||
        fail "$script.sh was submitted" refused.out
    expect_log refused.out 'the largest batch that fits is --hparams=batch_size=[0-9]+'
done
[ "$(in_slurm squeue --noheader --states=all | wc -l)" -eq "$submitted_before" ] || fail "a job was submitted" refused.out

# A failed job ends what depends on it.
touch no_folder
DRUMLINE_RUN=no_folder/bad in_slurm jobs/pipeline.sh groovae_4bar_flat >pipeline.out
expect_state "$(number generate)" CANCELLED pipeline.out
expect_state "$(number train)" FAILED "drumline-train-$(number train).log"

printf '# z_size\nz_size=5,learning_rate=0.002\n\n  z_size=7\n' >sweep.txt
# A site's own setting, which each of a job's scripts reads.
cp -rL jobs site_jobs
printf 'export DRUMLINE_LOG_DIR=logs\n' >>site_jobs/site.sh
DRUMLINE_JOBS=$PWD/site_jobs in_slurm jobs/sweep.sh sweep.txt --log_steps=5 --eval_steps=2 >sweep.out ||
    fail "the sweep was not submitted" sweep.out
for task in 1 2; do
    wait_for 60 "line $task" compgen -G "drumline-sweep-*_$task.log"
    wait_for 60 "line $task's end" in_log "$(compgen -G "drumline-sweep-*_$task.log")" 'is at step 20$'
done
# trained_with RUN Z_SIZE
trained_with() {
    "$build/bin/drumline-info" --json "$1/train/checkpoint-00000020.h5" >info.json
    in_log info.json "\"z_size\": ?\"?$2"
}
trained_with runs/sweep/001 5 || fail "line 1 trained with another z_size" ./*sweep*_1.log
trained_with runs/sweep/002 7 || fail "line 2 trained with another z_size" ./*sweep*_2.log
for task in 1 2; do
    compgen -G "logs/00$task/rank-0000-*.log" >/dev/null || fail "line $task has no log of its own" ./*sweep*_$task.log
done

# A line that learns nothing falls behind them, and its job is done.
printf 'z_size=5,learning_rate=1e-9,min_learning_rate=0\n' >>sweep.txt
DRUMLINE_SBATCH=--array=3 in_slurm jobs/sweep.sh sweep.txt --eval_steps=2 --prune --prune_min_runs=2 \
    --prune_warmup_steps=4 >sweep.out || fail "the third line was not submitted" sweep.out
log=drumline-sweep-$(sed -n 's/^Submitted batch job //p' sweep.out)_3.log
wait_for 60 "the third line's end" in_log "$log" 'was pruned at step 4$'
"$build/bin/drumline-info" runs/sweep >info.out
expect_log info.out '^003 .* pruned$'
