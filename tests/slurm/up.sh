#!/bin/bash
# up.sh SOURCE_DIR BUILD_DIR: starts the sandbox, and makes the data set of all tests from synthetic performances with the
# first job of any user: jobs/preprocess.sh. Where Slurm can't be started, the reason is kept for the other tests.
# shellcheck source=tests/slurm/common.sh
. "$(dirname "$0")/common.sh"

rm -rf "$work"
mkdir -p "$work"
"$build/bin/drumline-drummers" --output_dir "$work/midi" --num_performances 40 --log=error
status=0
sandbox up 2>"$work/why_not" || status=$?
cat "$work/why_not" >&2
[ "$status" -eq 0 ] || exit "$status"

cd "$work"
ln -s "$source/jobs" jobs
DRUMLINE_MIDI=midi DRUMLINE_DATA=shards submit -n 3 jobs/preprocess.sh --min_bars=4
log=drumline-preprocess-$job.log
expect_state "$job" COMPLETED "$log"
expect_log "$log" '1 node\(s\) .*, 3 rank\(s\)'
expect_file shards/index.h5
# The same again is refused, and its status handed on.
DRUMLINE_MIDI=midi DRUMLINE_DATA=shards submit jobs/preprocess.sh
expect_state "$job" FAILED "drumline-preprocess-$job.log"
expect_log "drumline-preprocess-$job.log" 'failed with status 1'
