#!/bin/bash
# quickstart.sh SOURCE_DIR BUILD_DIR: tools/quickstart.sh with programs that are built already and two seconds of training:
# the first run, a second that resumes, and one on a folder of somebody's MIDI files without an info.csv.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export DRUMLINE_BIN=$2/bin DRUMLINE_QUICKSTART_DIR="$work/quick start" DRUMLINE_QUICKSTART_SECONDS=2
export OPENBLAS_NUM_THREADS=1

fail() {
    printf 'FAILED: %s\n' "$1" >&2
    [ ! -e log ] || tail -n 60 log >&2
    exit 1
}

# quickstart ARGUMENT...: runs it; new MIDI is 4 samples and 5 steps more than before.
quickstart() {
    local before after
    before=$(find "$DRUMLINE_QUICKSTART_DIR/new" -name '*.mid' 2>/dev/null | wc -l || true)
    "$source/tools/quickstart.sh" "$@" >log 2>&1 || fail "quickstart $* ended with an error"
    after=$(find "$DRUMLINE_QUICKSTART_DIR/new" -name '*.mid' | wc -l)
    [ $((after - before)) -eq 9 ] || fail "there are $((after - before)) new files, not 9"
    grep -q '== Done ==' log || fail "the end does not say what is where"
    grep -q "== Training (2 seconds) ==" log || fail "a step does not say how long it takes"
}

# Files are named by the second.
next_second() {
    local now
    now=$(date +%s)
    until [ "$(date +%s)" -gt "$now" ]; do sleep 0.05; done
}

source=$1
quickstart
[ -e "$DRUMLINE_QUICKSTART_DIR/data/index.h5" ] || fail "not a data set"
[ "$(find "$DRUMLINE_QUICKSTART_DIR/shipped" -name '*.mid' | wc -l)" -eq 4 ] || fail "the shipped model was not played"
[ "$(find "$DRUMLINE_QUICKSTART_DIR/new" -name '*_sample_*' | wc -l)" -eq 4 ] || fail "not four samples"
[ "$(find "$DRUMLINE_QUICKSTART_DIR/new" -name '*_interpolate_*' | wc -l)" -eq 5 ] || fail "not five steps"
next_second
quickstart
grep -q 'Resuming from the latest checkpoint' log || fail "the second run did not resume"

mkdir "somebody's midi"
find "$DRUMLINE_QUICKSTART_DIR/midi" -name '*_beat_*' | sort | sed -n 1,40p | while IFS= read -r file; do
    cp "$file" "somebody's midi/"
done
next_second
quickstart "somebody's midi"
grep -q 'kept in' log || fail "the run on other performances was not put aside"

if "$source/tools/quickstart.sh" nowhere >log 2>&1; then fail "a folder that is not there was taken"; fi
grep -q 'nowhere is not a folder' log || fail "the message does not name the folder"
mkdir empty
if "$source/tools/quickstart.sh" empty >log 2>&1; then fail "an empty folder was taken"; fi
grep -q 'nothing to train on' log || fail "the message does not say what is missing"
