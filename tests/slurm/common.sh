#!/bin/bash
# common.sh: what the tests on a real Slurm share; they read it with SOURCE_DIR and BUILD_DIR as their arguments. All of
# them run in one sandbox, which up.sh starts and down.sh ends, and each in a folder of its own that looks like the
# project's root to a job: jobs/ and data/shards. Status 77: Slurm can't be started here.
set -euo pipefail

source=$1 build=$2
work=$build/tests/slurm_work
# A socket's path must be short, and a build folder may lie deep.
sandbox_dir=${TMPDIR:-/tmp}/drumline-slurm-test-$(printf '%s' "$build" | sha256sum | cut -c 1-8)
unset "${!SLURM@}" "${!SBATCH@}" "${!DRUMLINE_@}"
export DRUMLINE_BIN=$build/bin DRUMLINE_SKIP_SETUP=1
# How the programs say that a training resumes.
# shellcheck disable=SC2034 # read by the tests
resumes='(going on|resuming) from'
# Small enough for all nodes to share two cores, and slow enough to be caught while it trains.
# shellcheck disable=SC2034
small='enc_rnn_size=[16],dec_rnn_size=[12,8],z_size=6,batch_size=16' \
    slow='enc_rnn_size=[32],dec_rnn_size=[32],z_size=8,batch_size=64'

sandbox() {
    "$source/tools/slurm_sandbox.sh" --dir "$sandbox_dir" "$@"
}

in_slurm() {
    timeout 60 "$source/tools/slurm_sandbox.sh" --dir "$sandbox_dir" run "$@"
}

# fail WHAT FILE...: shows the sandbox, what its Slurm said last, and the files' ends, too.
fail() {
    local file
    printf 'FAILED: %s\n' "$1" >&2
    sandbox status >&2 || true
    tail -v -n 60 "$sandbox_dir/log/slurmctld.log" >&2 || true
    shift
    for file in "$@"; do
        printf '==> %s <==\n' "$file"
        grep -vE '^step +[0-9]+/' "$file" | tail -n 60 || true
    done >&2
    exit 1
}

# start_test NAME WHERE: into a folder of its own. WHERE is the sandbox's partition for the test's jobs, left or
# right, so that tests run side by side; main is for those that need four nodes, or do something to one.
start_test() {
    if ! sandbox status >/dev/null 2>&1; then
        printf 'skipped: %s\n' "$(cat "$work/why_not" 2>/dev/null || printf 'no sandbox is up')"
        exit 77
    fi
    kind=$(cat "$sandbox_dir/run/kind")
    if [ "$kind" != namespaces ]; then
        if [ "$2" = main ]; then
            printf 'skipped: it needs four nodes, and only one can be made here\n'
            exit 77
        fi
        # Both halves are one node.
        exec 8>"$work/one_node"
        flock 8
    fi
    rm -rf "${work:?}/$1"
    mkdir -p "$work/$1/data"
    cd "$work/$1"
    ln -s "$source/jobs" jobs
    ln -s "$work/shards" data/shards
    export SBATCH_PARTITION=$2
    trap end_jobs EXIT
    wait_for 60 "the end of a former test's jobs" nodes_are_free
}

# Whether no job, not even one that is just ending, is on the partition's nodes.
nodes_are_free() {
    local nodes jobs
    nodes=$(in_slurm sinfo --noheader --partition="$SBATCH_PARTITION" --format=%N | paste -s -d ,) &&
        jobs=$(in_slurm squeue --noheader --nodelist="$nodes") && [ -z "$jobs" ]
}

# A failed test must leave its nodes to the next one.
end_jobs() {
    in_slurm scancel --user="$(id -u)" --partition="$SBATCH_PARTITION" >/dev/null 2>&1 || true
    [ "$SBATCH_PARTITION" != main ] || mend_nodes >/dev/null 2>&1 || true
}

mend_nodes() {
    local node
    for node in node1 node2 node3 node4; do
        sandbox mend "$node" || true
    done
    sandbox up
}

# submit OPTION... SCRIPT ARGUMENT...: sets job.
# shellcheck disable=SC2034
submit() {
    job=$(in_slurm sbatch --parsable "$@")
}

# field JOB NAME: what Slurm knows of a job, say JobState.
field() {
    in_slurm scontrol show job --oneliner "$1" | grep -oE "(^| )$2=[^ ]*" | head -n 1 | cut -d = -f 2
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds. Where it does not, the logs are shown, newest first.
wait_for() {
    local end=$((SECONDS + $1)) what=$2 logs
    shift 2
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$end" ]; then
            mapfile -t logs < <(ls -t -- *.log)
            fail "$what: not in time" "${logs[@]}"
        fi
        sleep 0.1
    done
}

has_ended() {
    [[ $(field "$1" JobState) =~ ^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL|OUT_OF_MEMORY)$ ]]
}

# expect_state JOB STATE LOG [SECONDS]: how the job ends.
expect_state() {
    wait_for "${4:-60}" "job $1's end" has_ended "$1"
    [ "$(field "$1" JobState)" = "$2" ] || fail "job $1 ended as $(field "$1" JobState), not as $2" "$3"
}

# in_log LOG PATTERN
in_log() {
    grep -qE -- "$2" "$1" 2>/dev/null
}

expect_log() {
    in_log "$1" "$2" || fail "the log does not say \"$2\"" "$1"
}

expect_restarts() {
    [ "$(field "$1" Restarts)" = "$2" ] || fail "job $1 was started again $(field "$1" Restarts) times, not $2" "$3"
}

expect_file() {
    [ -e "$1" ] || fail "$1 is not there" ./*.log
}

# The folder that a job keeps among Open MPI's on a node, whose files all nodes of the sandbox share.
session_folder() {
    printf '%s/ompi.%s.%d/drumline.%s\n' "${TMPDIR:-/tmp}" "$1" "$(id -u)" "$2"
}

# steps_of LOG: the lines of progress so far.
steps_of() {
    { cat "$1" 2>/dev/null || true; } | grep -cE '^step +[0-9]+/' || true
}

# last_step RUN: of the metrics, -1 where there are none.
last_step() {
    { tail -n 1 "$1/train/metrics.jsonl" 2>/dev/null || true; } | grep -oE '"step":[0-9]+' | cut -d : -f 2 | grep . ||
        printf '%d\n' -1
}

is_at() {
    [ "$(last_step "$1")" -ge "$2" ]
}

has_more_steps() {
    [ "$(steps_of "$1")" -gt "$2" ]
}

# wait_for_restart JOB NUMBER LOG: and until it trains again.
wait_for_restart() {
    wait_for 90 "job $1's start $2" in_log "$3" "restart $2\$"
    wait_for 60 "job $1 to go on" goes_on "$2" "$3"
}

goes_on() {
    awk -v restart="restart $1" -v resumes="$resumes" 'index($0, restart) { begun = 1 }
        begun && $0 ~ resumes { resumed = 1 } resumed && /^step +[0-9]+\// { found = 1 }
        END { exit !found }' "$2"
}

# same_weights CHECKPOINT CHECKPOINT LOG: bit for bit, moments too.
same_weights() {
    local part
    for part in /model /optimizer; do
        h5diff -c "$1" "$2" "$part" || fail "$part of $1 and $2 differ" "$3"
    done
}

# Until the training has printed one more step.
wait_for_steps() {
    wait_for 40 "a step in $1" has_more_steps "$1" "$(steps_of "$1")"
}
