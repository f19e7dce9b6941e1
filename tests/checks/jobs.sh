#!/bin/bash
# jobs.sh SOURCE_DIR: the job scripts beside commands that play Slurm's: --help, names, and strings of the user's and the
# environment's that a program might read as an option, an assignment or an expression. tests/slurm has the real Slurm.
set -euo pipefail
source=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir bin play data
unset "${!SLURM@}" "${!SBATCH@}" "${!DRUMLINE_@}"
printf 'data\n' >data/index.h5

fail() {
    printf 'FAILED: %s\n' "$1" >&2
    [ ! -e log ] || cat log >&2
    exit 1
}

# Every command of Slurm's records that it was called; a training ends as it should at once.
for command in sbatch scontrol sinfo squeue srun scancel; do
    cat >"play/$command" <<'SCRIPT'
#!/bin/bash
printf '%s %s\n' "${0##*/}" "$*" >>calls
[ "$1" != show ] || printf ' EndTime=Unknown JobState=RUNNING \n'
exit "${CALL_STATUS:-0}"
SCRIPT
done
cat >play/mpirun <<'SCRIPT'
#!/bin/bash
while [ $# -gt 0 ] && [[ $1 != */drumline-* ]]; do shift; done
exec "$@"
SCRIPT
cat >bin/drumline-train <<'SCRIPT'
#!/bin/bash
for option in "$@"; do
    [[ $option != --run_dir=* ]] || run=${option#*=}
    [ "$option" != --version ] || { printf 'drumline-train 0\n'; exit 0; }
    [ "$option" != --mode=check ] || checks=true
done
if [ "${checks:-}" ]; then
    printf '%s\n' "$*" >>checked
    [ -z "${CANNOT_RUN:-}" ] || exit 127
    [[ " $* " != *unknown* ]] || { printf 'drumline-train: error: that is wrong\n'; exit 2; }
    [[ " $* " != *wrong* ]] || { printf 'drumline-train: error: that is wrong\n'; exit 1; }
    [[ " $* " != *z_size=4* ]] || printf 'drumline-train: warning: that is in use\n'
    printf 'groovae_4bar can be trained\n'
    exit 0
fi
mkdir -p -- "$run/train"
printf '{"event":"end","step":7,"reason":"%s"}\n' "${END_REASON:-num_steps}" >>"$run/train/metrics.jsonl"
touch -- "$run/train/checkpoint-00000007.h5"
SCRIPT
cat >bin/drumline-generate <<'SCRIPT'
#!/bin/bash
for option in "$@"; do
    [[ $option != --output_dir=* ]] || output=${option#*=}
    [ "$option" != --version ] || { printf 'drumline-generate 0\n'; exit 0; }
done
mkdir -p "$output"
printf 'wrote %s/a.mid\n' "$output" >&2
touch "$output/a.mid"
SCRIPT
chmod +x play/* bin/*
export PATH=$work/play:$PATH DRUMLINE_BIN=$work/bin DRUMLINE_DATA=$work/data DRUMLINE_LAUNCHER=mpirun \
    DRUMLINE_JOBS=$source/jobs

# in_job SCRIPT ARGUMENT...: as Slurm starts a batch script, a copy in its spool. Sets status.
in_job() {
    local script=$1
    shift
    cp "$source/jobs/$script" slurm_script
    status=0
    SLURM_JOB_ID=${id-12} SLURM_SUBMIT_DIR=$work SLURM_JOB_NODELIST=here ./slurm_script "$@" >log 2>&1 || status=$?
}

said() {
    grep -qF -- "$1" log || fail "no line says '$1'"
}

# --help is printed, and nothing is submitted, started or made, on the login node and in a job.
for script in evaluate generate pipeline preprocess sweep train train_4bar; do
    for arguments in --help 'groovae_4bar --log_steps=1 -h'; do
        # shellcheck disable=SC2086 # words
        "$source/jobs/$script.sh" $arguments >log 2>&1 || fail "$script.sh $arguments ended with status $?"
        said "jobs/$script.sh"
        ! grep -qE '^#|SBATCH -' log || fail "$script.sh $arguments prints more than its description"
        # shellcheck disable=SC2086
        in_job "$script.sh" $arguments
        [ "$status" -eq 0 ] || fail "$script.sh $arguments ended with status $status in a job"
        said "jobs/$script.sh"
    done
done
DRUMLINE_TRAIN_FLAGS=--help in_job train.sh
[ "$status" -eq 0 ] || fail "--help in DRUMLINE_TRAIN_FLAGS ended with status $status"
[ ! -e calls ] || fail "--help called Slurm: $(cat calls)"
[ ! -e runs ] || fail "--help made a run"

# On the login node a training is checked, and then submitted with sbatch's options, or refused.
on_login() {
    rm -f calls checked
    status=0
    "$source/jobs/$1" "${@:2}" >log 2>&1 || status=$?
}
# called PATTERN: what sbatch was called with last.
called() {
    tail -n 1 calls 2>/dev/null | grep -qE -- "$1" || fail "sbatch was called with: $(cat calls 2>/dev/null)"
}
refused() {
    [ "$status" -eq 1 ] || fail "$1: status $status, where it should be refused"
    said 'that is wrong'
    said 'nothing was submitted'
    [ ! -e calls ] || fail "$1 called Slurm: $(cat calls)"
}
on_login train.sh groovae_4bar_flat --hparams=wrong=1
refused train.sh
on_login train_4bar.sh --hparams wrong=1
refused train_4bar.sh
on_login pipeline.sh groovae_4bar --hparams=wrong=1
refused pipeline.sh
for options in '-d afterok:12' '-dafterok:12' '--dependency=afterok:12' '--qos=low --dependency afterok:12'; do
    DRUMLINE_SBATCH=$options on_login train.sh groovae_4bar_flat --init_checkpoint=wrong
    [ "$status" -eq 0 ] || fail "train.sh with $options: status $status"
    said 'that is wrong'
    said 'waits for others (--dependency)'
    called "$options .*--init_checkpoint=wrong$"
    DRUMLINE_SBATCH=$options on_login train.sh groovae_4bar_flat --hparams=unknown=1
    refused "train.sh with $options"
done
DRUMLINE_SBATCH='--qos=low --distribution=block' on_login train.sh groovae_4bar_flat --init_checkpoint=wrong
refused 'train.sh with an option that begins like --dependency'
printf 'z_size=5\nwrong=2\nz_size=6\n' >lines.txt
DRUMLINE_SBATCH='--dependency=afterok:12' on_login sweep.sh lines.txt
[ "$status" -eq 0 ] || fail "sweep.sh with --dependency: status $status"
said 'line 2, wrong=2: drumline-train: error: that is wrong'
printf 'z_size=4\n\n# a line that does not count\nwrong=2\nz_size=5\n' >lines.txt
on_login sweep.sh lines.txt
refused sweep.sh
said 'line 2, wrong=2: '
said '1 of 3 lines of lines.txt are wrong'
[ "$(wc -l <checked)" -eq 3 ] || fail "not every line was checked"
DRUMLINE_SBATCH='-N 2 --ntasks-per-node=16' on_login train_4bar.sh --log_steps=3
[ "$status" -eq 0 ] || fail "train_4bar.sh: status $status"
called '-N 2 --ntasks-per-node=16 .*/jobs/train_4bar.sh --log_steps=3$'
grep -q -- '--num_ranks=32 .*--config=groovae_4bar .*--run_dir=runs/groovae_4bar .*--log_steps=3' checked ||
    fail "checked was: $(cat checked)"
for options in '-n7' '-n 7' '--ntasks=7 -N 2' '--ntasks 7'; do
    DRUMLINE_SBATCH=$options on_login train.sh --config=groovae_4bar_flat
    grep -q -- '--num_ranks=7 .*--run_dir=runs/groovae_4bar_flat' checked || fail "$options: checked was: $(cat checked)"
done
# "N: OPTION...": the ranks of docs/cluster.md.
for options in '4:' '16: -N 4' '16: -N4 --mincpus=4' '2: -N 2 --ntasks-per-node=1' '8: -n 8 -c 4' '2: -c 2' '2: -c2' '1: --cpus-per-task=8' \
    '4: -N 2 --cpus-per-task 2' '1: --mincpus=1' '6: --mincpus 13 -c 2' '4: -c 0'; do
    DRUMLINE_SBATCH=${options#*:} on_login train.sh
    grep -q -- "--num_ranks=${options%%:*} " checked || fail "$options: checked was: $(cat checked)"
done
for options in "--time=1:sbatch failed with status 5" "--wait:the job, or sbatch, ended with status 5"; do
    CALL_STATUS=5 DRUMLINE_SBATCH=${options%%:*} on_login train.sh
    [ "$status" -eq 1 ] || fail "sbatch that fails: status $status"
    said "${options#*:}"
done
CANNOT_RUN=1 on_login train.sh
[ "$status" -eq 0 ] || fail "train.sh where nothing can be checked: status $status"
said 'checked in the job'
called '/jobs/train.sh$'
sed -i /wrong/d lines.txt
DRUMLINE_HPARAMS=bars=2 DRUMLINE_SBATCH=--qos=low on_login sweep.sh --prune lines.txt --log_steps=3
[ "$status" -eq 0 ] || fail "sweep.sh: status $status"
called '--array=1-2 --qos=low .*/jobs/sweep.sh --prune lines.txt --log_steps=3$'
grep -q -- '--run_dir=runs/lines/002 --hparams=bars=2,z_size=5$' checked || fail "checked was: $(cat checked)"
said 'in runs/lines/001 to runs/lines/002'
said 'it prunes none'
said 'line 1, z_size=4: drumline-train: warning: that is in use'
[ "$(grep -c warning log)" -eq 1 ] || fail 'a warning of one line is said of others'
for option in --hparams=z_size=3 --run_dir=runs/x; do
    on_login sweep.sh lines.txt $option
    [ "$status" -eq 1 ] || fail "sweep.sh took $option, which would make all runs the same"
done
mkdir -p runs/lines/001
printf 'z_size=9\n' >runs/lines/001/sweep_line
on_login sweep.sh lines.txt
[ "$status" -eq 1 ] || fail "a file that has changed was submitted"
said 'was begun with z_size=9'
[ ! -e calls ] || fail "a file that has changed was submitted: $(cat calls)"
rm -r runs calls checked 2>/dev/null || true

# Eight columns of squeue tell the jobs apart.
names=$(sed -n 's/^#SBATCH --job-name=//p' "$source"/jobs/*.sh | cut -c 1-8)
[ "$(wc -l <<<"$names")" -eq 6 ] || fail "not six names of jobs: $names"
[ -z "$(sort <<<"$names" | uniq -d)" ] || fail "two jobs have the same name: $names"

# Names that look like something else.
# shellcheck disable=SC2016 # not to be expanded, that is the point
for run in lr=0.001 -n '--' 'a folder' 'x[$(touch made)]'; do
    DRUMLINE_RUN=$run in_job train.sh
    [ "$status" -eq 0 ] || fail "DRUMLINE_RUN=$run: status $status"
    said "done: $run is at step 7"
    rm -f calls
    DRUMLINE_RUN=$run SLURM_RESTART_COUNT=1 in_job train.sh
    [ "$status" -eq 0 ] || fail "DRUMLINE_RUN=$run: status $status at the second start"
    ! grep -q requeue calls || fail "DRUMLINE_RUN=$run: a finished job requeued itself"
done
mkdir "$work/-bin"
cp bin/* "$work/-bin"
DRUMLINE_BIN=-bin DRUMLINE_RUN=minus in_job train.sh
[ "$status" -eq 0 ] || fail "DRUMLINE_BIN=-bin: status $status"

# What is no number is refused, not evaluated.
# shellcheck disable=SC2016
evil='x[$(touch made)]'
for variable in SLURM_RESTART_COUNT SLURM_TASKS_PER_NODE SLURM_JOB_CPUS_PER_NODE SLURM_CPUS_PER_TASK SLURM_NTASKS; do
    for value in "$evil" 1e3 -1 08 99999999999999999999; do
        (export "$variable=$value"; in_job train.sh; [ "$status" -eq 1 ]) || fail "$variable=$value was taken"
        said "$variable=$value is not a"
    done
done
id=$evil in_job train.sh
[ "$status" -eq 1 ] || fail "SLURM_JOB_ID=$evil was taken"
for variable in SLURM_ARRAY_TASK_ID DRUMLINE_SEED SLURM_CPUS_PER_TASK; do
    (export "$variable=$evil"; in_job generate.sh; [ "$status" -eq 1 ]) || fail "generate.sh took $variable=$evil"
done
printf 'z_size=4\n' >-sweep.txt
SLURM_ARRAY_TASK_ID=$evil in_job sweep.sh ./-sweep.txt
[ "$status" -eq 1 ] || fail "sweep.sh took SLURM_ARRAY_TASK_ID=$evil"
[ ! -e made ] || fail "a value was evaluated"

# A job array's task, by a file whose name awk and sed might misread.
cp ./-sweep.txt a=b.txt
SLURM_ARRAY_TASK_ID=1 in_job sweep.sh a=b.txt
[ "$status" -eq 0 ] || fail "sweep.sh a=b.txt: status $status"
[ -e runs/a=b/001/train/metrics.jsonl ] || fail "the sweep's run is not where it belongs"

SLURM_ARRAY_TASK_ID=1 DRUMLINE_SWEEP_DIR=runs/before in_job sweep.sh --prune --log_steps=1 a=b.txt
[ "$status" -eq 0 ] || fail "sweep.sh --prune a=b.txt: status $status"

# A run that was pruned is done.
rm -f calls
for restart in 0 1; do
    END_REASON=pruned DRUMLINE_RUN=runs/pruned SLURM_RESTART_COUNT=$restart in_job train.sh --prune
    [ "$status" -eq 0 ] || fail "a run that was pruned: status $status"
    said 'was pruned at step 7'
done
! grep -q requeue calls || fail "a run that was pruned requeued itself"

# Logs name files where they will be.
SLURM_ARRAY_TASK_ID=2 DRUMLINE_RUN=runs/one in_job generate.sh
[ "$status" -eq 0 ] || fail "generate.sh: status $status"
said 'wrote runs/one/samples/task-00002/a.mid'
! grep -q partial log || fail "the log names a partial folder"
[ -e runs/one/samples/task-00002/a.mid ] || fail "generate.sh made no file"
